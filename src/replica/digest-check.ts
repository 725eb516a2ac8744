/**
 * Replicas compare their states: equal logs must have given equal states.
 *
 * A leader puts an entry of kind digest into the log. Every replica takes the digest of its state
 * exactly there and tells the leader; what a majority of the voters has is right. Whoever differs
 * is told so, serves nobody any more, and fetches the state anew. Invariant: a replica is found to
 * differ only against a majority of the voters at one index. Chapter: 08-replica.
 */
import { CairnError, type Cancel, type Ms } from "#base";
import type { Clock } from "#platform/types";
import type { Index, NodeId, RaftCore } from "#raft/types";
import { encodeEntry } from "./entry.ts";
import type { PeerNote } from "./peer-note.ts";
import type { Applier, DigestReport, LogEntry, ProposalFailure, RaftLog } from "./types.ts";

/** So long a leader waits for digests; a large state takes its time. */
const WAIT_MS: Ms = 30_000;
/** Own digests that are kept, in case the verdict is late. */
const KEPT_MAX = 8;

interface Round {
  /** 0 until the entry has its index. */
  index: Index;
  readonly digests: Map<NodeId, string>;
  readonly waiting: {
    readonly resolve: (report: DigestReport) => void;
    readonly reject: (error: Error) => void;
  }[];
  cancel: Cancel;
}

export interface DigestCheckParts {
  readonly self: NodeId;
  readonly core: RaftCore;
  readonly log: RaftLog;
  readonly clock: Clock;
  readonly applier: Applier;
  readonly everyMs: Ms;
  /** Proposes an entry of ours; its failure comes back through `failed`. */
  readonly propose: (entry: Uint8Array) => void;
  readonly send: (to: NodeId, note: PeerNote) => void;
  /** Leadership first: a leader that differs must not go on leading. */
  readonly onDiverged: (report: DigestReport) => void;
  readonly onNotice: (text: string) => void;
}

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const unhex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

/** See the file's header. */
export class DigestCheck {
  readonly #parts: DigestCheckParts;
  #round: Round | undefined;
  /** Own digests by index, oldest first. */
  readonly #own = new Map<Index, string>();
  #cancelTimer: Cancel | undefined;
  #isStopped = false;
  latest: DigestReport | undefined;

  constructor(parts: DigestCheckParts) {
    this.#parts = parts;
    this.#schedule();
  }

  /** Starts a comparison, or joins the one under way. */
  check(): Promise<DigestReport> {
    return new Promise((resolve, reject) => {
      if (this.#parts.core.role !== "leader") {
        return reject(new CairnError("REPLICA_NOT_LEADER", "replica: not leader"));
      }
      const waiter = { resolve, reject };
      if (this.#round !== undefined) {
        this.#round.waiting.push(waiter);
        return;
      }
      const cancel = this.#parts.clock.after(WAIT_MS, () => this.#decide(true));
      this.#round = { index: 0, digests: new Map(), waiting: [waiter], cancel };
      this.#parts.propose(encodeEntry("digest", new Uint8Array(0)));
    });
  }

  /** Our entry has its place. */
  accepted(index: Index): void {
    if (this.#round !== undefined) this.#round.index = index;
  }

  /** Our entry is not in the log and never will be. */
  failed(failure: ProposalFailure): void {
    const codes = {
      "not-leader": "REPLICA_NOT_LEADER",
      busy: "REPLICA_BUSY",
      transferring: "REPLICA_TRANSFERRING",
      "leadership-lost": "REPLICA_LEADERSHIP_LOST",
    } as const;
    this.#abandon(new CairnError(codes[failure], `replica: no comparison of states: ${failure}`));
  }

  roleChanged(): void {
    if (this.#parts.core.role === "leader") return;
    const text = "replica: leadership was lost before states were compared";
    this.#abandon(new CairnError("REPLICA_LEADERSHIP_LOST", text));
  }

  /**
   * These entries go to the state machine next. Digests of older terms are passed over: nobody
   * waits for them, and after a restart there may be many.
   */
  submitting(entries: readonly LogEntry[], isDigest: (entry: LogEntry) => boolean): void {
    for (const entry of entries) {
      if (entry.term !== this.#parts.core.term || !isDigest(entry)) continue;
      this.#parts.applier.digestAt(entry.index).then(
        (digest) => {
          if (digest !== undefined && !this.#isStopped) this.#noteOwn(entry.index, hex(digest));
        },
        (error: unknown) => this.#parts.onNotice(`no digest at ${entry.index}: ${String(error)}`),
      );
    }
  }

  /** Another replica says something. */
  hear(from: NodeId, { kind, index, digest }: PeerNote): void {
    const { core } = this.#parts;
    if (kind === "digest") {
      if (core.role === "leader") this.#collect(from, index, hex(digest));
      return;
    }
    if (from !== core.leader) return;
    const right = hex(digest);
    const own = this.#own.get(index);
    if (own === undefined || own === right) return;
    this.#diverged({ index, digest: right, differing: [this.#parts.self], silent: [] });
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer?.();
    this.#abandon(new CairnError("REPLICA_STOPPED", "replica: the node stops"));
  }

  #schedule(): void {
    const { everyMs, clock } = this.#parts;
    if (everyMs <= 0 || this.#isStopped) return;
    this.#cancelTimer = clock.after(everyMs, () => {
      if (this.#parts.core.role === "leader") {
        // What stands in its way now may be gone next time.
        this.check().catch(() => undefined);
      }
      this.#schedule();
    });
  }

  #noteOwn(index: Index, digest: string): void {
    const { core, self, send } = this.#parts;
    this.#own.set(index, digest);
    const oldest = this.#own.keys().next().value;
    if (this.#own.size > KEPT_MAX && oldest !== undefined) this.#own.delete(oldest);
    if (core.role === "leader") this.#collect(self, index, digest);
    else if (core.leader !== 0) send(core.leader, { kind: "digest", index, digest: unhex(digest) });
  }

  #collect(from: NodeId, index: Index, digest: string): void {
    const round = this.#round;
    if (round === undefined || round.index !== index) return;
    round.digests.set(from, digest);
    this.#decide(false);
  }

  /** Everybody has answered, or nobody is waited for any more. */
  #decide(isLate: boolean): void {
    const round = this.#round;
    const sets = this.#parts.log.inForce?.configuration.sets;
    if (round === undefined || sets === undefined) return;
    const everybody = [...sets.voters, ...sets.learners];
    const silent = everybody.filter((number) => !round.digests.has(number));
    if (silent.length > 0 && !isLate) return;
    this.#round = undefined;
    round.cancel();
    const digest = majorityOf(sets.voters, round.digests);
    const differing = everybody.filter((number) => {
      const own = round.digests.get(number);
      return digest !== undefined && own !== undefined && own !== digest;
    });
    const report: DigestReport = { index: round.index, digest, differing, silent };
    this.latest = report;
    for (const { resolve } of round.waiting) resolve(report);
    this.#announce(report);
  }

  #announce({ index, digest, differing, silent }: DigestReport): void {
    const { self, send, onNotice } = this.#parts;
    if (digest === undefined) {
      onNotice(`states at ${index}: no majority agrees; silent: ${silent.join(", ") || "nobody"}`);
      return;
    }
    for (const number of differing) {
      onNotice(`the state of member ${number} at ${index} differs from the majority's`);
      if (number !== self) send(number, { kind: "verdict", index, digest: unhex(digest) });
    }
    if (differing.includes(self)) this.#diverged({ index, digest, differing, silent });
  }

  #diverged(report: DigestReport): void {
    this.latest = report;
    this.#parts.onDiverged(report);
  }

  #abandon(error: Error): void {
    const round = this.#round;
    this.#round = undefined;
    round?.cancel();
    for (const { reject } of round?.waiting ?? []) reject(error);
  }
}

/** What more than half of the voters have, if so many have the same. */
function majorityOf(
  voters: readonly NodeId[],
  digests: ReadonlyMap<NodeId, string>,
): string | undefined {
  const counts = new Map<string, number>();
  for (const voter of voters) {
    const digest = digests.get(voter);
    if (digest !== undefined) counts.set(digest, (counts.get(digest) ?? 0) + 1);
  }
  return [...counts].find(([, count]) => count * 2 > voters.length)?.[0];
}
