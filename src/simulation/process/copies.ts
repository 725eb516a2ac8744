/**
 * Snapshots at one node: copies that it sends, and the one that it receives, chunk by chunk.
 *
 * Invariant: a copy that was received whole is one that was made whole: pieces of two copies are
 * never put together. Chapter: 11-simulation.
 */
import type { Index, NodeId, SnapshotMessage } from "#raft/types";
import type { PendingChunk } from "./disk.ts";
import type { MachineState, ModelCopy, Packet } from "./types.ts";

/** Numbers of copies tell who made them: node 3 makes copies 3001, 3002 and so on. */
const COPIES_PER_NODE = 1000;
/** Bytes of a copy: so many, and some for each key. They only set the number of chunks. */
const COPY_BYTES = 40;
const KEY_BYTES = 10;

/** A peer waits for a copy of at least this index. */
export interface CopyRequest {
  readonly to: NodeId;
  readonly atLeast: Index;
}

interface SharedCopy {
  readonly copy: ModelCopy;
  readonly users: Set<NodeId>;
}

interface Receiving {
  readonly index: Index;
  readonly copy: number;
  readonly content: ModelCopy;
  stored: number;
  /** Pieces of two different copies lie in one file: its checksum will not fit. */
  mixed: boolean;
}

/** See the file's header. All of it is lost at a crash, save the numbering. */
export class Copies {
  readonly requests: CopyRequest[] = [];
  readonly #shared = new Map<number, SharedCopy>();
  readonly #node: NodeId;
  #made = 0;
  #receiving: Receiving | undefined;

  constructor(node: NodeId) {
    this.#node = node;
  }

  /** Copies that are being sent. */
  get sending(): readonly ModelCopy[] {
    return [...this.#shared.values()].map(({ copy }) => copy);
  }

  forget(): void {
    this.requests.length = 0;
    this.#shared.clear();
    this.#receiving = undefined;
  }

  request(request: CopyRequest): void {
    const place = this.requests.findIndex(({ to }) => to === request.to);
    if (place >= 0) this.requests[place] = request;
    else this.requests.push(request);
  }

  /** The request of a peer, which is answered now. */
  take(to: NodeId): CopyRequest | undefined {
    const place = this.requests.findIndex((request) => request.to === to);
    return place < 0 ? undefined : this.requests.splice(place, 1)[0];
  }

  /** A copy that exists already and is new enough, for one more user. */
  share(to: NodeId, atLeast: Index): ModelCopy | undefined {
    for (const { copy, users } of this.#shared.values()) {
      if (copy.state.index < atLeast) continue;
      users.add(to);
      return copy;
    }
    return undefined;
  }

  make(to: NodeId, state: MachineState, chain: number): ModelCopy {
    this.#made += 1;
    const copy: ModelCopy = {
      copy: this.#node * COPIES_PER_NODE + this.#made,
      totalBytes: COPY_BYTES + KEY_BYTES * state.values.size,
      state,
      chain,
    };
    this.#shared.set(copy.copy, { copy, users: new Set([to]) });
    return copy;
  }

  find(copy: number): ModelCopy | undefined {
    return this.#shared.get(copy)?.copy;
  }

  drop(to: NodeId, copy: number): void {
    const shared = this.#shared.get(copy);
    shared?.users.delete(to);
    if (shared?.users.size === 0) this.#shared.delete(copy);
  }

  /** Writes the chunk of a packet behind what is there. @returns what a sync will make durable. */
  store(packet: Packet, message: SnapshotMessage): PendingChunk {
    const { index, copy, offset, bytes, totalBytes } = message;
    let file = this.#receiving;
    if (file === undefined || file.index !== index || file.copy !== copy) {
      file = { index, copy, content: packet.copy!, stored: 0, mixed: false };
      this.#receiving = file;
    }
    if (packet.damaged !== true && offset === file.stored) {
      file.stored += bytes;
      if (packet.copy !== file.content) file.mixed = true;
    }
    let complete: ModelCopy | undefined;
    if (file.stored >= totalBytes) {
      this.#receiving = undefined;
      if (file.mixed) file.stored = 0;
      else complete = file.content;
    }
    return { kind: "chunk", index, copy, nextOffset: file.stored, complete };
  }
}
