/**
 * Puts messages on the wire: adds the bytes that the core does not know, and picks the lane.
 *
 * A large frame must not keep heartbeats waiting, so it takes a lane of its own; appends behind it
 * follow on the same lane, in order. A heartbeat that overtook it would be refused, because it
 * stands behind entries that are still on their way; so it is moved back to what the peer is known
 * to have, which is just as true. Snapshots are sent at a given pace. Invariant: nothing is said
 * that the core has not decided, except that an empty append may stand further back.
 * Chapter: 08-replica.
 */
import { type Bytes, type Cancel, isCairnError, type Ms } from "#base";
import type { Clock } from "#platform/types";
import type { AppendMessage, Index, Message, NodeId, RaftCore, SnapshotMessage } from "#raft/types";
import type { Compaction } from "./compaction.ts";
import { encodeMessage } from "./message-codec.ts";
import { encodeNote, type PeerNote } from "./peer-note.ts";
import { chunkChecksum, type SnapshotSender } from "./snapshot-sender.ts";
import type { RaftLog, ReplicaNet } from "./types.ts";

/** Larger frames take the bulk lane: at a gigabit a second this is two milliseconds. */
const BULK_BYTES = 256 * 1024;

export interface MessengerParts {
  readonly core: RaftCore;
  readonly log: RaftLog;
  readonly net: ReplicaNet;
  readonly clock: Clock;
  readonly sender: SnapshotSender;
  readonly compaction: Compaction;
  /** 0: as fast as it goes. */
  readonly snapshotBytesPerSecond: number;
  /** Runs what a timer started, and deals with what it throws. */
  readonly guard: (work: () => void) => void;
}

/** A chunk that waits for its turn. */
interface PacedChunk {
  readonly to: NodeId;
  readonly message: SnapshotMessage;
}

/** See the file's header. */
export class Messenger {
  readonly #parts: MessengerParts;
  /** Last index of what is on the bulk lane to a peer and not acknowledged. */
  readonly #bulkLast = new Map<NodeId, Index>();
  /** What a peer is known to have, from its answers to this leader in this term. */
  readonly #match = new Map<NodeId, Index>();
  #paced: PacedChunk[] = [];
  #cancelPace: Cancel | undefined;
  #freeAt: Ms = 0;

  constructor(parts: MessengerParts) {
    this.#parts = parts;
  }

  send(to: NodeId, message: Message): void {
    if (message.kind === "append") this.#sendAppend(to, message);
    else if (message.kind === "snapshot") this.#sendChunk({ to, message });
    else this.#post(to, encodeMessage(message, { entries: [], compactTo: 0 }));
  }

  note(to: NodeId, note: PeerNote): void {
    this.#post(to, encodeNote(note));
  }

  /** A message has come in: what it says of the peer's log is remembered. */
  heard(from: NodeId, message: Message): void {
    if (message.kind !== "appendReply" || message.term !== this.#parts.core.term) return;
    if (!message.ok) {
      this.#bulkLast.delete(from);
      return;
    }
    this.#match.set(from, Math.max(message.match, this.#match.get(from) ?? 0));
    if (message.match >= (this.#bulkLast.get(from) ?? 0)) this.#bulkLast.delete(from);
  }

  /** What was on the way to the peer is lost. */
  lost(peer: NodeId): void {
    this.#bulkLast.delete(peer);
  }

  /** Chunks of this copy are not wanted any more. */
  dropped(to: NodeId, copy: number): void {
    this.#paced = this.#paced.filter((chunk) => chunk.to !== to || chunk.message.copy !== copy);
  }

  /** What peers had in another term says nothing now. */
  roleChanged(): void {
    this.#match.clear();
    this.#bulkLast.clear();
  }

  stop(): void {
    this.#cancelPace?.();
    this.#paced = [];
  }

  #post(to: NodeId, parts: readonly Bytes[], lane: "main" | "bulk" = "main"): void {
    this.#parts.net.send(to, parts, lane);
  }

  #sendAppend(to: NodeId, message: AppendMessage): void {
    const { log, compaction } = this.#parts;
    const { compactTo } = compaction;
    if (message.sizes.length === 0) {
      this.#post(to, encodeMessage(this.#standBack(to, message), { entries: [], compactTo }));
      return;
    }
    const from = message.prevIndex + 1;
    const last = message.prevIndex + message.sizes.length;
    const entries = log.read(from, last + 1).map((entry) => entry.bytes);
    const bytes = entries.reduce((sum, entry) => sum + entry.length, 0);
    const isBulk = bytes > BULK_BYTES || this.#bulkLast.has(to);
    if (isBulk) this.#bulkLast.set(to, last);
    this.#post(to, encodeMessage(message, { entries, compactTo }), isBulk ? "bulk" : "main");
  }

  #standBack(to: NodeId, message: AppendMessage): AppendMessage {
    const match = this.#match.get(to);
    if (!this.#bulkLast.has(to) || match === undefined || match >= message.prevIndex) {
      return message;
    }
    const prevTerm = this.#parts.core.termAt(match);
    return prevTerm === undefined ? message : { ...message, prevIndex: match, prevTerm };
  }

  #sendChunk(chunk: PacedChunk): void {
    if (this.#parts.snapshotBytesPerSecond <= 0) return this.#sendNow(chunk);
    const { to, message } = chunk;
    // The core repeats what is not acknowledged; what still waits here need not be repeated.
    const waits = this.#paced.some(
      (other) =>
        other.to === to &&
        other.message.copy === message.copy &&
        other.message.offset === message.offset,
    );
    if (waits) return;
    this.#paced.push(chunk);
    this.#pace();
  }

  #pace(): void {
    const { clock, guard } = this.#parts;
    if (this.#cancelPace !== undefined || this.#paced.length === 0) return;
    this.#cancelPace = clock.after(Math.max(0, this.#freeAt - clock.now()), () => {
      this.#cancelPace = undefined;
      guard(() => {
        const chunk = this.#paced.shift();
        if (chunk !== undefined) this.#sendNow(chunk);
      });
      this.#pace();
    });
  }

  #sendNow({ to, message }: PacedChunk): void {
    const { sender, log, clock, snapshotBytesPerSecond } = this.#parts;
    try {
      const { bytes, copy } = sender.read(to, message.copy, message.offset, message.bytes);
      const stored = log.configurationAt(message.index);
      if (stored?.index !== message.configuration.index) return;
      const checksum = chunkChecksum(bytes);
      const { configuration } = stored;
      const chunk = { bytes, checksum, fileChecksum: copy.checksum, configuration };
      this.#post(to, encodeMessage(message, { entries: [], compactTo: 0, chunk }), "bulk");
    } catch (error) {
      // The copy is gone, or cannot be read: the peer asks again, and the core for another copy.
      if (!isCairnError(error)) throw error;
    }
    if (snapshotBytesPerSecond <= 0) return;
    const spentMs = (message.bytes * 1000) / snapshotBytesPerSecond;
    this.#freeAt = Math.max(this.#freeAt, clock.now()) + spentMs;
  }
}
