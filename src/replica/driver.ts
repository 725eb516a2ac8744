/**
 * The driver: it carries out what the pure core decides, on a real log, net and clock.
 *
 * One persist is one write; all persists that pile up while a sync is under way share the next one.
 * What may leave only after a persist waits here. Sending and writing overlap: appends go out in
 * the same turn in which the leader's own copy is handed to the disk.
 *
 * Invariant: nothing that the core tagged `after` a persist leaves before that persist is durable
 * (R9). When the log fails, or the core finds its invariants broken, the driver stops for good and
 * says so.
 * Chapter: 08-replica. Source: Ongaro (2014), section 10.2.1, on writing in parallel.
 */
import {
  assert,
  type Bytes,
  CairnError,
  type Cancel,
  errorText,
  isCairnError,
  type Ms,
} from "#base";
import type { Clock, Net } from "#platform/types";
import { createRaftCore } from "#raft";
import type { Index, Input, Output, PersistSeq, RaftCore } from "#raft/types";
import { type ApplyFeed, createApplyFeed } from "./apply-feed.ts";
import { type Compaction, createCompaction } from "./compaction.ts";
import { createDurability, type Durability } from "./durability.ts";
import { encodeEntry } from "./entry.ts";
import { type DecodedMessage, decodeMessage, encodeMessage } from "./message-codec.ts";
import { createOutbox, type Outbox, type SendOutput } from "./outbox.ts";
import { createProposals, type Proposals } from "./proposals.ts";
import type {
  LogEntry,
  ProposalFailure,
  RaftLog,
  Replica,
  ReplicaOptions,
  ReplicaStatus,
} from "./types.ts";

const DEFAULTS = {
  electionTimeoutMs: 1000,
  heartbeatMs: 100,
  pendingBytesMax: 256 * 1024 * 1024,
};

class DrivenReplica implements Replica {
  readonly #options: ReplicaOptions;
  readonly #core: RaftCore;
  readonly #log: RaftLog;
  readonly #net: Net;
  readonly #clock: Clock;
  readonly #proposals: Proposals;
  readonly #feed: ApplyFeed;
  readonly #outbox: Outbox;
  readonly #durability: Durability;
  readonly #compaction: Compaction;
  readonly #heartbeatMs: Ms;
  #durable: Index = 0;
  readonly #lostPeers = new Set<number>();
  #cancelTimer: Cancel = () => undefined;
  #armedFor: Ms = Number.NaN;
  #stopped = false;
  #roleChanged: (status: ReplicaStatus) => void = () => undefined;
  #lastRole = "";

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#net = options.net;
    this.#clock = options.clock;
    this.#heartbeatMs = options.heartbeatMs ?? DEFAULTS.heartbeatMs;
    this.#proposals = createProposals(options.pendingBytesMax ?? DEFAULTS.pendingBytesMax);
    const { log, applier, appliedIndex } = options;
    if (appliedIndex > log.lastIndex) {
      throw new CairnError(
        "REPLICA_LOG_BEHIND",
        `replica: database has applied entry ${appliedIndex}, but the log ends at ${log.lastIndex}`,
      );
    }
    this.#feed = createApplyFeed({
      log,
      applier,
      proposals: this.#proposals,
      clock: options.clock,
      guard: (work) => this.#guard(work),
      applied: appliedIndex,
    });
    this.#core = createRaftCore(
      {
        self: options.self,
        electionTimeoutMs: options.electionTimeoutMs ?? DEFAULTS.electionTimeoutMs,
        heartbeatMs: this.#heartbeatMs,
        random: () => options.random.fraction(),
      },
      {
        ...log.state,
        configuration: {
          index: 0,
          sets: {
            voters: options.configuration.members.map((member) => member.number),
            outgoing: [],
            learners: [],
          },
        },
        configurations: [],
        appliedIndex,
      },
      options.clock.now(),
    );
    this.#compaction = createCompaction(this.#core, log);
    this.#outbox = createOutbox(options.clock, (output) => this.#guard(() => this.#send(output)));
    this.#durability = createDurability({
      log,
      clock: options.clock,
      mode: options.syncMode ?? "async",
      onDurable: (seq) => this.#guard(() => this.#onPersisted(seq)),
      onError: (error) => this.#fail(error),
    });
    this.#net.onFrame((from, frame) => this.#guard(() => this.#onFrame(from, frame)));
    options.applier.onApplied((applied, durable) =>
      this.#guard(() => this.#onApplied(applied, durable)),
    );
    this.#arm();
  }

  propose(proposalId: number, entry: Bytes): void {
    if (this.#stopped) return this.#proposals.refuse(proposalId, "not-leader");
    if (!this.#proposals.hasRoom(entry.length)) return this.#proposals.refuse(proposalId, "busy");
    this.#guard(() => {
      this.#proposals.begin(proposalId, entry);
      this.#step({ kind: "propose", id: proposalId, sizes: [entry.length] });
    });
  }

  onFailure(f: (proposalId: number, failure: ProposalFailure) => void): void {
    this.#proposals.onFailure(f);
  }

  onRole(f: (status: ReplicaStatus) => void): void {
    this.#roleChanged = f;
  }

  /**
   * Put off, because the net finds out in the
   * middle of carrying out a step, and steps must not nest.
   */
  unreachable(peer: number): void {
    if (this.#lostPeers.has(peer)) return;
    this.#lostPeers.add(peer);
    this.#clock.after(0, () => {
      this.#lostPeers.delete(peer);
      this.#guard(() => this.#step({ kind: "unreachable", peer }));
    });
  }

  status(): ReplicaStatus {
    const status = this.#core.status();
    const silence =
      status.role === "leader"
        ? 0
        : status.leaderHeardAt < 0
          ? -1
          : this.#clock.now() - status.leaderHeardAt;
    return {
      self: status.self,
      role: status.role,
      term: status.term,
      leader: status.leader,
      commitIndex: status.commitIndex,
      appliedIndex: this.#feed.applied,
      durableIndex: this.#durable,
      firstIndex: status.firstIndex,
      lastIndex: status.lastIndex,
      lastTerm: status.lastTerm,
      logBytes: this.#log.sizeBytes,
      leaderSilenceMs: silence,
      peers: status.peers.map(({ peer, match }) => ({ peer, match })),
    };
  }

  async close(): Promise<void> {
    this.#stop();
    await this.#log.close();
  }

  #stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
    this.#durability.stop();
    this.#outbox.stop();
    this.#feed.stop();
  }

  /** Our bug or a broken disk: stop, say so once, and let the process start over from its disk. */
  #fail(error: unknown): void {
    if (this.#stopped) return;
    this.#stop();
    this.#options.onFatal(error instanceof Error ? error : new Error(errorText(error)));
  }

  #guard(work: () => void): void {
    if (this.#stopped) return;
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  /* ---- inputs ---- */

  #onFrame(from: number, frame: Bytes): void {
    let decoded: DecodedMessage;
    try {
      decoded = decodeMessage(frame);
    } catch (error) {
      // Whole, and not understood: a peer of another version. To consensus it is a frame lost.
      if (!isCairnError(error, "REPLICA_FRAME_CORRUPT")) throw error;
      this.#options.onBadFrame?.(from, error);
      return;
    }
    const { message, entries, compactTo } = decoded;
    this.#step({ kind: "message", from, message }, entries);
    if (message.kind === "append") this.#compaction.advise(compactTo);
  }

  #onApplied(applied: Index, durable: Index): void {
    this.#durable = Math.max(this.#durable, durable);
    this.#feed.noteApplied(applied);
    this.#step({ kind: "applied", index: applied });
    this.#compaction.consider(this.#clock.now(), this.#durable).then(
      (forgotten) => {
        if (forgotten === undefined) return;
        this.#guard(() => this.#step({ kind: "compacted", upTo: forgotten }));
      },
      (error: unknown) => this.#fail(error),
    );
  }

  /**
   * Sets one timer for the core's deadline. After a stall of this thread the timer comes before the
   * heartbeats that wait in the sockets; so the decision to campaign is put off until they were
   * read.
   */
  #arm(): void {
    const deadline = this.#core.deadline;
    // A timer that is due already must not be set anew by each message: under load it would never
    // fire.
    if (this.#stopped || deadline === this.#armedFor) return;
    this.#cancelTimer();
    this.#armedFor = deadline;
    this.#cancelTimer = this.#clock.after(Math.max(0, deadline - this.#clock.now()), () => {
      this.#cancelTimer = this.#clock.whenIdle(() =>
        this.#guard(() => {
          this.#armedFor = Number.NaN;
          // Past one heartbeat the thread was stalled, and what it knows of silence is worthless.
          const isStalled = this.#clock.now() - deadline > this.#heartbeatMs;
          if (isStalled) this.#step({ kind: "stalled" });
          this.#step({ kind: "tick" });
        }),
      );
    });
  }

  /* ---- the core and its outputs ---- */

  #step(input: Input, messageEntries: readonly Bytes[] = []): void {
    const outputs: Output[] = [];
    this.#core.step(this.#clock.now(), input, outputs);
    // Writes first: a message of the same step may carry entries that only the log can produce.
    for (const output of outputs) {
      if (output.kind === "persist") this.#write(output, input, messageEntries);
      else if (output.kind === "accepted") {
        this.#proposals.accepted(output.id, output.from, output.term);
      }
    }
    for (const output of outputs) this.#carryOut(output);
    this.#durability.start();
    if (!this.#stopped) this.#arm();
  }

  #write(
    persist: Extract<Output, { kind: "persist" }>,
    input: Input,
    messageEntries: readonly Bytes[],
  ): void {
    const { hardState, truncateFrom, append } = persist;
    this.#log.write({
      ...(hardState === undefined ? {} : { hardState }),
      ...(truncateFrom === undefined ? {} : { truncateFrom }),
      ...(append === undefined ? {} : { entries: this.#entriesOf(append, input, messageEntries) }),
    });
    this.#durability.wrote(persist.seq);
  }

  #entriesOf(
    append: NonNullable<Extract<Output, { kind: "persist" }>["append"]>,
    input: Input,
    messageEntries: readonly Bytes[],
  ): LogEntry[] {
    const entries: LogEntry[] = [];
    let run = 0;
    for (let index = append.from; index < append.from + append.count; index += 1) {
      while ((append.runs[run + 1]?.first ?? Number.POSITIVE_INFINITY) <= index) run += 1;
      const term = append.runs[run]?.term ?? 0;
      entries.push({
        index,
        term,
        bytes: this.#bytesOf(append.source, index, input, messageEntries),
      });
    }
    return entries;
  }

  #bytesOf(
    source: "proposal" | "message" | "noop" | "configuration",
    index: Index,
    input: Input,
    messageEntries: readonly Bytes[],
  ): Bytes {
    if (source === "noop") return encodeEntry("noop", new Uint8Array(0));
    const bytes =
      source === "proposal" && input.kind === "propose"
        ? this.#proposals.entryOf(input.id)
        : input.kind === "message" && input.message.kind === "append"
          ? messageEntries[index - input.message.prevIndex - 1]
          : undefined;
    assert(bytes !== undefined, `replica: bytes of entry ${index} from ${source} are at hand`);
    return bytes;
  }

  #carryOut(output: Output): void {
    switch (output.kind) {
      case "send":
        this.#outbox.post(output, this.#durability.persistedSeq);
        return;
      case "apply":
        this.#feed.ready(output.to, this.#core.role === "leader");
        return;
      case "refused":
        this.#proposals.refuse(output.id, output.reason === "not-leader" ? "not-leader" : "busy");
        return;
      case "role":
        this.#reportRole();
        return;
      case "makeSnapshot":
        this.#options.onBehind?.(output.to, output.atLeast);
        return;
      default:
        return;
    }
  }

  #send({ to, message }: SendOutput): void {
    let entries: Bytes[] = [];
    if (message.kind === "append" && message.sizes.length > 0) {
      const from = message.prevIndex + 1;
      entries = this.#log.read(from, from + message.sizes.length).map((entry) => entry.bytes);
    }
    this.#net.send(to, encodeMessage(message, entries, this.#compaction.compactTo));
  }

  #reportRole(): void {
    const status = this.status();
    const key = `${status.role} ${status.term} ${status.leader}`;
    if (key === this.#lastRole) return;
    this.#lastRole = key;
    this.#roleChanged(status);
  }

  /* ---- durability ---- */

  #onPersisted(seq: PersistSeq): void {
    this.#outbox.release(seq);
    this.#step({ kind: "persisted", seq });
  }
}

/**
 * Starts a replica on an open log whose configuration names it.
 *
 * @throws InvariantError when log and state machine contradict each other: the database is ahead of
 * the log.
 */
export function createReplica(options: ReplicaOptions): Replica {
  return new DrivenReplica(options);
}
