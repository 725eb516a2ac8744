/**
 * Changes of members and of leadership under way at a leader, and what was asked for by name.
 *
 * Learners that are to vote are promoted here, by whoever leads, as soon as the core says that they
 * have caught up; the wish stands in the configuration, so it outlives a leader. Invariant: every
 * promise settles once; what was accepted and then lost its leader ends as unknown (K2).
 * Chapter: 08-replica.
 */
import { assert, CairnError, type Cancel, type Ms } from "#base";
import type { Clock } from "#platform/types";
import type {
  ConfigurationRecord,
  Index,
  Input,
  NodeId,
  Output,
  RaftCore,
  RefuseReason,
  VoterSets,
} from "#raft/types";
import { describe, planChange } from "./membership-plan.ts";
import type { Configuration, MembershipChange, RaftLog } from "./types.ts";

const PROMOTE_MS: Ms = 100;
/** An election after a transfer takes a few round trips. */
const LEADER_MS: Ms = 5000;
/** A learner that has not caught up within so long is no longer waited for by this leader. */
const GIVE_UP_MS: Ms = 10 * 60_000;

interface PendingChange {
  readonly id: number;
  readonly target: Configuration;
  /** 0: not accepted yet. */
  index: Index;
  readonly resolve: (configuration: Configuration) => void;
  readonly reject: (error: Error) => void;
}

interface PendingTransfer {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface ChangesParts {
  readonly self: NodeId;
  readonly core: RaftCore;
  readonly log: RaftLog;
  readonly clock: Clock;
  readonly step: (input: Input) => void;
  readonly onNotice: (text: string) => void;
}

function fail({ reject }: PendingTransfer, outcome: string): void {
  const text = `replica: leadership was not handed over: ${outcome}`;
  reject(new CairnError("REPLICA_TRANSFER_FAILED", text, { details: { outcome } }));
}

const stopped = (): CairnError => new CairnError("REPLICA_STOPPED", "replica: the node stops");

/** What a refusal of the core is as an error. */
export function refusal(reason: RefuseReason, what: string): CairnError {
  const text = `replica: ${what} refused: ${reason}`;
  const details = { reason };
  switch (reason) {
    case "not-leader":
      return new CairnError("REPLICA_NOT_LEADER", "replica: not leader", { details });
    case "uncommitted-limit":
    case "unapplied-limit":
      return new CairnError("REPLICA_BUSY", text, { details });
    case "invalid-configuration":
    case "invalid-target":
      return new CairnError("REPLICA_CHANGE_INVALID", text, { details });
    case "transferring":
      return new CairnError("REPLICA_TRANSFERRING", text, { details });
    default:
      return new CairnError("REPLICA_CHANGE_REFUSED", text, { details });
  }
}

/** See the file's header. */
export class Changes {
  readonly #parts: ChangesParts;
  #nextId = 1;
  #isStopped = false;
  #pending: PendingChange | undefined;
  #transfers: PendingTransfer[] = [];
  /** Handed over, and nobody leads yet. */
  readonly #elections: PendingTransfer[] = [];
  #cancelElection: Cancel | undefined;
  #cancelPromotion: Cancel | undefined;
  /** Since when this leader waits for learners. */
  #waitingSince: Ms | undefined;

  constructor(parts: ChangesParts) {
    this.#parts = parts;
  }

  change(change: MembershipChange): Promise<Configuration> {
    return new Promise((resolve, reject) => {
      if (this.#isStopped) return reject(stopped());
      const { core, log, self } = this.#parts;
      const present = log.inForce?.configuration;
      if (core.role !== "leader" || present === undefined) {
        return reject(refusal("not-leader", "change of members"));
      }
      if (this.#pending !== undefined) {
        return reject(refusal("change-in-progress", "change of members"));
      }
      const target = planChange(present, change, self);
      if (target === undefined) return resolve(present);
      const id = this.#nextId;
      this.#nextId += 1;
      this.#pending = { id, target, index: 0, resolve, reject };
      const { voters, learners } = target.sets;
      this.#parts.step({ kind: "change", id, voters, learners });
      this.#watchLearners();
    });
  }

  transfer(to: NodeId): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isStopped) return reject(stopped());
      // Those before it may be replaced by it, so it is noted first and settled by its refusal.
      const transfer = { resolve, reject };
      this.#transfers.push(transfer);
      this.#parts.step({ kind: "transfer", to });
    });
  }

  /** A leader that is about to stop hands over, if somebody takes it in time. */
  async handOver(patienceMs: Ms): Promise<void> {
    if (this.#parts.core.role !== "leader") return;
    let cancel: Cancel = () => undefined;
    const patience = new Promise<void>((resolve) => {
      cancel = this.#parts.clock.after(patienceMs, resolve);
    });
    // Nobody to hand over to, or nobody in time: the others find out by the silence.
    await Promise.race([this.transfer(0).catch(() => undefined), patience]);
    cancel();
  }

  /** The details of the configuration that the core puts into the log now. */
  describe(sets: VoterSets, input: Input): Configuration {
    const present = this.#parts.log.inForce?.configuration;
    assert(present !== undefined, "replica: a configuration follows another one");
    const target = input.kind === "change" ? this.#pending?.target : undefined;
    if (target === undefined) return describe(present, sets);
    // Those who are still needed while the configuration is joint keep the details they had.
    const leaving = present.members.filter(
      ({ number }) => !target.members.some((member) => member.number === number),
    );
    return describe({ ...target, members: [...target.members, ...leaving] }, sets);
  }

  accepted(id: number, index: Index): void {
    if (this.#pending?.id === id) this.#pending.index = index;
  }

  refused(input: Input, reason: RefuseReason): void {
    if (input.kind === "change" && this.#pending?.id === input.id) {
      const { reject } = this.#pending;
      this.#pending = undefined;
      reject(refusal(reason, "change of members"));
    }
    if (input.kind === "transfer") this.#transfers.pop()?.reject(refusal(reason, "transfer"));
  }

  configured({ configuration, committed }: Extract<Output, { kind: "configuration" }>): void {
    this.#watchLearners();
    if (committed) this.#committed(configuration);
  }

  /** Ends the change under way if this is what it was for. */
  #committed({ index, sets }: ConfigurationRecord): void {
    const pending = this.#pending;
    if (pending === undefined || pending.index === 0) return;
    if (sets.outgoing.length > 0 || index < pending.index) return;
    this.#pending = undefined;
    const stored = this.#parts.log.configurationAt(index);
    pending.resolve(stored?.configuration ?? pending.target);
  }

  /**
   * A transfer has ended. Replaced is whoever asked first; what ends otherwise ends for all who
   * asked for it.
   */
  transferEnded(outcome: Extract<Output, { kind: "transferEnded" }>["outcome"]): void {
    const newest = outcome === "replaced" ? this.#transfers.pop() : undefined;
    const ended = this.#transfers;
    this.#transfers = newest === undefined ? [] : [newest];
    if (outcome === "done") this.#awaitLeader(ended);
    else for (const transfer of ended) fail(transfer, outcome);
  }

  /** Our term is over, but our vote may still be needed: it is done when somebody leads. */
  #awaitLeader(transfers: readonly PendingTransfer[]): void {
    this.#elections.push(...transfers);
    if (transfers.length === 0) return;
    this.#cancelElection?.();
    this.#cancelElection = this.#parts.clock.after(LEADER_MS, () => {
      for (const transfer of this.#elections.splice(0)) fail(transfer, "nobody leads");
    });
    this.#noteLeader();
  }

  #noteLeader(): void {
    const { core, self } = this.#parts;
    if (this.#elections.length === 0 || core.leader === 0 || core.leader === self) return;
    this.#cancelElection?.();
    for (const { resolve } of this.#elections.splice(0)) resolve();
  }

  /** The role has changed; what a leader was about to do is over when it leads no more. */
  roleChanged(): void {
    this.#noteLeader();
    if (this.#parts.core.role === "leader") {
      this.#waitingSince = undefined;
      this.#watchLearners();
      return;
    }
    // Whoever has removed itself leads no more in the very step that commits it.
    if (this.#pending !== undefined)
      this.#committed(this.#parts.core.status().committedConfiguration);
    this.#abandon("leadership was lost");
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelPromotion?.();
    this.#abandon("the node stops");
    this.#cancelElection?.();
    for (const { reject } of [...this.#transfers.splice(0), ...this.#elections.splice(0)]) {
      reject(stopped());
    }
  }

  #abandon(why: string): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.reject(
      new CairnError("REPLICA_TIMEOUT", `replica: ${why}; whether members changed is unknown`),
    );
  }

  /* ---- promotion ---- */

  #watchLearners(): void {
    if (this.#cancelPromotion !== undefined || !this.#isWanted()) return;
    const { clock } = this.#parts;
    this.#waitingSince ??= clock.now();
    if (clock.now() - this.#waitingSince > GIVE_UP_MS) return;
    this.#cancelPromotion = clock.after(PROMOTE_MS, () => {
      this.#cancelPromotion = undefined;
      this.#promote();
      this.#watchLearners();
    });
  }

  #isWanted(): boolean {
    const isWanted = this.#parts.core.role === "leader" && this.#waiting().length > 0;
    if (!isWanted) this.#waitingSince = undefined;
    return isWanted;
  }

  #waiting(): NodeId[] {
    const members = this.#parts.log.inForce?.configuration.members ?? [];
    return members.filter(({ becomesVoter }) => becomesVoter).map(({ number }) => number);
  }

  #promote(): void {
    const { core, log, clock, onNotice } = this.#parts;
    const present = log.inForce?.configuration;
    if (present === undefined || !this.#isWanted()) return;
    const since = this.#waitingSince ?? clock.now();
    if (clock.now() - since > GIVE_UP_MS) {
      const names = this.#waiting().join(", ");
      onNotice(`members ${names} have not caught up in ${GIVE_UP_MS / 1000} s and stay learners`);
      return;
    }
    if (this.#pending !== undefined || present.sets.outgoing.length > 0) return;
    const ready = core
      .status()
      .peers.filter(({ peer, caughtUp }) => caughtUp && this.#waiting().includes(peer))
      .map(({ peer }) => peer);
    if (ready.length === 0) return;
    const voters = [...present.sets.voters, ...ready].sort((a, b) => a - b);
    const learners = present.sets.learners.filter((number) => !ready.includes(number));
    // The answer, if it is a refusal, changes nothing: it is tried again.
    this.#parts.step({ kind: "change", id: 0, voters, learners });
  }
}
