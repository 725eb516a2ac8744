/**
 * The driver: it carries out what the pure core decides, on a real log, net and clock.
 *
 * One persist is one write; all persists that pile up while a sync is under way share the next one.
 * What may leave only after a persist waits here. Sending and writing overlap: appends go out in
 * the same turn in which the leader's own copy is handed to the disk.
 *
 * Invariant: nothing that the core tagged `after` a persist leaves before that persist is durable
 * (R9). Steps never nest: an input that comes up while another is handled is the next one. When the
 * log fails, or the core finds its invariants broken, the driver stops for good and says so.
 * Chapter: 08-replica. Source: Ongaro (2014), section 10.2.1, on writing in parallel.
 */
import { type Bytes, type Cancel, errorText, isCairnError, type Ms } from "#base";
import type { Clock } from "#platform/types";
import type { Index, Input, NodeId, Output, PersistSeq } from "#raft/types";
import type { Handled } from "./log-writer.ts";
import { writePersist } from "./log-writer.ts";
import { decodeMessage } from "./message-codec.ts";
import { decodeNote } from "./peer-note.ts";
import { assembleReplica, type ReplicaParts } from "./replica-parts.ts";
import { statusOf } from "./replica-status.ts";
import type {
  Configuration,
  DigestReport,
  MembershipChange,
  ProposalFailure,
  ReadOutcome,
  Replica,
  ReplicaOptions,
  ReplicaStatus,
  SnapshotOffer,
} from "./types.ts";

class DrivenReplica implements Replica {
  readonly #options: ReplicaOptions;
  readonly #parts: ReplicaParts;
  readonly #clock: Clock;
  readonly #heartbeatMs: Ms;
  #durable: Index = 0;
  /** A snapshot whose installation is under way; 0: none. */
  #installing: Index = 0;
  readonly #lostPeers = new Set<number>();
  #cancelTimer: Cancel = () => undefined;
  #armedFor: Ms = Number.NaN;
  #isStopped = false;
  #drained: Promise<void> | undefined;
  #isStepping = false;
  readonly #queued: Handled[] = [];
  #nextOwnProposal = -1;
  #proposalFailed: (id: number, failure: ProposalFailure) => void = () => undefined;
  #roleChanged: (status: ReplicaStatus) => void = () => undefined;
  #configured: (configuration: Configuration, isCommitted: boolean) => void = () => undefined;
  #diverged: (report: DigestReport) => void = () => undefined;
  #lastRole = "";

  constructor(options: ReplicaOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#parts = assembleReplica(options, {
      step: (input) => this.#guard(() => this.#step({ input })),
      guard: (work) => this.#guard(work),
      fail: (error) => this.#fail(error),
      onPersisted: (seq) => this.#onPersisted(seq),
      proposeOwn: (entry) => this.#proposeOwn(entry),
      onDiverged: (report) => void this.#onDiverged(report),
    });
    this.#heartbeatMs = this.#parts.heartbeatMs;
    this.#parts.proposals.onFailure((id, failure) => {
      if (id < 0) this.#parts.digests.failed(failure);
      else this.#proposalFailed(id, failure);
    });
    options.net.onFrame((from, frame) => this.#guard(() => this.#onFrame(from, frame)));
    options.applier.onApplied((applied, durable) => {
      if (this.#isStopped) this.#parts.feed.noteApplied(applied);
      else this.#guard(() => this.#onApplied(applied, durable));
    });
    this.#arm();
  }

  get configuration(): Configuration {
    return this.#options.log.inForce?.configuration ?? this.#options.configuration;
  }

  propose(proposalId: number, entry: Bytes): void {
    const { proposals } = this.#parts;
    if (this.#isStopped) return proposals.refuse(proposalId, "not-leader");
    if (!proposals.hasRoom(entry.length)) return proposals.refuse(proposalId, "busy");
    this.#guard(() => {
      proposals.begin(proposalId, entry);
      this.#step({ input: { kind: "propose", id: proposalId, sizes: [entry.length] } });
    });
  }

  #proposeOwn(entry: Bytes): void {
    this.#nextOwnProposal -= 1;
    this.propose(this.#nextOwnProposal, entry);
  }

  onFailure(f: (proposalId: number, failure: ProposalFailure) => void): void {
    this.#proposalFailed = f;
  }

  read(readId: number, via: "index" | "lease"): void {
    const { reads } = this.#parts;
    reads.begin(readId);
    if (this.#isStopped) return reads.fail(readId, "no-leader");
    this.#guard(() => this.#step({ input: { kind: "read", id: readId, via } }));
  }

  onRead(f: (readId: number, outcome: ReadOutcome) => void): void {
    this.#parts.reads.onRead(f);
  }

  change(change: MembershipChange): Promise<Configuration> {
    return this.#parts.changes.change(change);
  }

  transfer(to: NodeId): Promise<void> {
    return this.#parts.changes.transfer(to);
  }

  checkDigest(): Promise<DigestReport> {
    return this.#parts.digests.check();
  }

  onDiverged(f: (report: DigestReport) => void): void {
    this.#diverged = f;
  }

  onConfiguration(f: (configuration: Configuration, isCommitted: boolean) => void): void {
    this.#configured = f;
  }

  onRole(f: (status: ReplicaStatus) => void): void {
    this.#roleChanged = f;
  }

  offerSnapshot(): Promise<SnapshotOffer> {
    return this.#parts.snapshots.offer();
  }

  readSnapshot(copy: number, offset: number, bytes: number): Bytes {
    return this.#parts.sender.read(0, copy, offset, bytes).bytes;
  }

  recordedInputs(): Bytes {
    return this.#parts.recorder.encode();
  }

  /** Put off, so that a peer lost many times in one step is told of once. */
  unreachable(peer: number, isGone = false): void {
    if (isGone) return this.#onLost({ kind: "unreachable", peer, isGone });
    if (this.#lostPeers.has(peer)) return;
    this.#lostPeers.add(peer);
    this.#clock.after(0, () => {
      this.#lostPeers.delete(peer);
      this.#onLost({ kind: "unreachable", peer });
    });
  }

  #onLost(input: Extract<Input, { kind: "unreachable" }>): void {
    this.#parts.messenger.lost(input.peer);
    this.#guard(() => this.#step({ input }));
  }

  status(): ReplicaStatus {
    return statusOf(this.#parts, {
      now: this.#clock.now(),
      durable: this.#durable,
      epoch: this.configuration.epoch,
    });
  }

  async close(options: { transferMs?: Ms; keepLog?: boolean } = {}): Promise<void> {
    const { transferMs = 0, keepLog = false } = options;
    if (transferMs > 0 && !this.#isStopped) await this.#parts.changes.handOver(transferMs);
    this.#stop();
    // Whoever goes on with this log and state machine begins where the machine then is.
    if (keepLog) await this.#drained;
    else await this.#options.log.close();
  }

  #stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#cancelTimer();
    this.#drained = this.#parts.stop();
  }

  /** Our bug or a broken disk: stop, say so once, and let the process start over from its disk. */
  #fail(error: unknown): void {
    if (this.#isStopped) return;
    this.#stop();
    this.#options.onFatal(error instanceof Error ? error : new Error(errorText(error)));
  }

  #guard(work: () => void): void {
    if (this.#isStopped) return;
    try {
      work();
    } catch (error) {
      this.#fail(error);
    }
  }

  /* ---- inputs ---- */

  #onFrame(from: number, frame: Bytes): void {
    const { digests, messenger, compaction } = this.#parts;
    try {
      const note = decodeNote(frame);
      if (note !== undefined) return digests.hear(from, note);
      const decoded = decodeMessage(frame, this.#options.log.epoch);
      const { message, compactTo } = decoded;
      messenger.heard(from, message);
      this.#step({ input: { kind: "message", from, message }, decoded });
      if (message.kind === "append") compaction.advise(compactTo);
    } catch (error) {
      // Whole, and not understood: a peer of another version. To consensus it is a frame lost.
      if (!isCairnError(error, "REPLICA_FRAME_CORRUPT")) throw error;
      this.#options.onBadFrame?.(from, error);
    }
  }

  #onApplied(applied: Index, durable: Index): void {
    const { feed, reads, compaction } = this.#parts;
    this.#durable = Math.max(this.#durable, durable);
    feed.noteApplied(applied);
    // What an installation is about to replace is of no interest to the core any more.
    if (applied < this.#installing) return;
    this.#installing = 0;
    this.#step({ input: { kind: "applied", index: applied } });
    reads.applied(applied);
    compaction
      .consider(this.#clock.now(), this.#durable)
      .catch((error: unknown) => this.#fail(error));
  }

  /**
   * Sets one timer for the core's deadline. After a stall of this thread the timer comes before the
   * heartbeats that wait in the sockets; so the decision to campaign is put off until they were
   * read.
   */
  #arm(): void {
    const { deadline } = this.#parts.core;
    // A timer that is due already must not be set anew by each message: under load it would never
    // fire.
    if (this.#isStopped || deadline === this.#armedFor) return;
    this.#cancelTimer();
    this.#armedFor = deadline;
    this.#cancelTimer = this.#clock.after(Math.max(0, deadline - this.#clock.now()), () => {
      this.#cancelTimer = this.#clock.whenIdle(() =>
        this.#guard(() => {
          this.#armedFor = Number.NaN;
          // Past one heartbeat the thread was stalled, and what it knows of silence is worthless.
          const isStalled = this.#clock.now() - deadline > this.#heartbeatMs;
          if (isStalled) this.#step({ input: { kind: "stalled" } });
          this.#step({ input: { kind: "tick" } });
        }),
      );
    });
  }

  /* ---- the core and its outputs ---- */

  #step(handled: Handled): void {
    this.#queued.push(handled);
    if (this.#isStepping) return;
    this.#isStepping = true;
    try {
      for (let next = this.#queued.shift(); next !== undefined; next = this.#queued.shift()) {
        if (!this.#isStopped) this.#stepOne(next);
      }
    } finally {
      this.#isStepping = false;
    }
    this.#parts.durability.start();
    if (!this.#isStopped) this.#arm();
  }

  #stepOne(handled: Handled): void {
    const { core, durability, feed, recorder } = this.#parts;
    const outputs: Output[] = [];
    const now = this.#clock.now();
    recorder.note(now, handled.input);
    core.step(now, handled.input, outputs);
    // Writes first: a message of the same step may carry entries that only the log can produce.
    for (const output of outputs) {
      if (output.kind === "persist") {
        writePersist(this.#parts, output, handled);
        durability.wrote(output.seq);
        if (output.reset !== undefined) {
          this.#installing = output.reset.index;
          feed.skipTo(output.reset.index);
        }
      } else if (output.kind === "accepted") this.#onAccepted(output, handled.input);
    }
    for (const output of outputs) this.#carryOut(output, handled);
  }

  #onAccepted({ id, from, term }: Extract<Output, { kind: "accepted" }>, input: Input): void {
    const { changes, proposals, digests } = this.#parts;
    if (input.kind === "change") return changes.accepted(id, from);
    proposals.accepted(id, from, term);
    if (id < 0) digests.accepted(from);
  }

  #carryOut(output: Output, handled: Handled): void {
    const { outbox, durability, feed, reads, changes, snapshots, core } = this.#parts;
    switch (output.kind) {
      case "send":
        return outbox.post(output, durability.persistedSeq);
      case "apply":
        return feed.ready(output.to, core.role === "leader");
      case "refused":
        return this.#onRefused(output, handled.input);
      case "role":
        return this.#onRole();
      case "configuration":
        return this.#onConfiguration(output);
      case "readReady":
        return reads.ready(output, feed.applied);
      case "readFailed":
        return reads.fail(output.id, output.reason);
      case "transferEnded":
        return changes.transferEnded(output.outcome);
      case "makeSnapshot":
        return snapshots.make(output);
      case "dropSnapshot":
        return snapshots.drop(output);
      case "storeChunk":
        return snapshots.store(output, handled);
      case "install":
        return snapshots.install(output, durability.persistedSeq);
      case "persist":
      case "accepted":
      case "truncated":
        return;
    }
  }

  #onRefused({ id, reason }: Extract<Output, { kind: "refused" }>, input: Input): void {
    const { proposals, reads, changes } = this.#parts;
    if (input.kind === "propose") {
      const isKnown = reason === "not-leader" || reason === "transferring";
      proposals.refuse(id, isKnown ? reason : "busy");
    } else if (input.kind === "read") {
      // Without a lease a round of heartbeats gives the same promise.
      if (reason === "no-lease") this.#step({ input: { ...input, via: "index" } });
      else reads.fail(id, reason);
    } else changes.refused(input, reason);
  }

  #onRole(): void {
    const { changes, digests, messenger } = this.#parts;
    messenger.roleChanged();
    changes.roleChanged();
    digests.roleChanged();
    const status = this.status();
    const key = `${status.role} ${status.term} ${status.leader}`;
    if (key === this.#lastRole) return;
    this.#lastRole = key;
    this.#roleChanged(status);
  }

  #onConfiguration(output: Extract<Output, { kind: "configuration" }>): void {
    this.#parts.changes.configured(output);
    const { index } = output.configuration;
    const stored = this.#options.log.configurationAt(index);
    if (stored?.index === index) this.#configured(stored.configuration, output.committed);
  }

  async #onDiverged(report: DigestReport): Promise<void> {
    // Whoever leads decides for others what is right: not with a state that is not.
    if (this.#parts.core.role === "leader") await this.transfer(0).catch(() => undefined);
    if (!this.#isStopped) this.#diverged(report);
  }

  /* ---- durability ---- */

  #onPersisted(seq: PersistSeq): void {
    this.#parts.outbox.release(seq);
    this.#parts.snapshots.persisted(seq);
    this.#step({ input: { kind: "persisted", seq } });
  }
}

/**
 * Starts a replica on an open log; `finishInstall` comes before it.
 *
 * @throws InvariantError when log and state machine contradict each other; `REPLICA_LOG_BEHIND`
 * when the database is ahead of the log.
 */
export function createReplica(options: ReplicaOptions): Replica {
  return new DrivenReplica(options);
}
