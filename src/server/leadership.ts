/**
 * Who leads, as far as this node knows, and whether it may serve reads as the leader.
 *
 * A node that has just won holds every acknowledged write in its log, but its database may still
 * lag behind. A read that it served at once could miss a write that a client was told of a second
 * ago. So a new leader first waits until an entry of its own term is applied; then everything
 * before it is in the database. Invariant: a node that is out of its cluster knows no leader.
 * Source: Ongaro (2014), section 6.4, step 1. Taught in 08-replica.
 */
import { errorText, isCairnError, type Ms } from "#base";
import type { Term } from "#raft/types";
import type { ConsensusThread } from "#replica";
import type { Member } from "#replica/types";

/** Between two tries of a leader whose first read could not be confirmed. */
const RETRY_MS: Ms = 100;

/** See the file's header. */
export interface Leadership {
  /** The leader as far as this node knows. */
  leader(): Member | undefined;
  /** Whether this node leads, as far as it knows. */
  isLeader(): boolean;
  /** The term in which this node leads; 0 while it does not. */
  leadingTerm(): Term;
  /** True once this node leads and has applied an entry of its own term. */
  isReady(): boolean;
  /** Resolves when ready; rejects as the first read does. Only the leader may ask. */
  ready(): Promise<void>;
  /** Does this node vote? A node without a cluster does not. */
  isVoter(): boolean;
  /** How long there has been no leader; 0 while there is one. */
  leaderlessMs(): Ms;
  /** Resolves when role, term or leader change, or after `limitMs`. */
  change(limitMs: Ms): Promise<void>;
  /** This node is out of its cluster from now on (or in it again). */
  setRemoved(isRemoved: boolean): void;
}

/** What is watched. */
export type LeadershipSource = Pick<
  ConsensusThread,
  "configuration" | "latest" | "onRole" | "identity"
>;

/**
 * Starts to watch.
 *
 * `confirm` resolves when this node, as the leader, has applied everything that was acknowledged
 * before its term; `onChange` is told in words when role or leader change.
 */
export function watchLeadership(options: {
  consensus: LeadershipSource;
  confirm: () => Promise<unknown>;
  onChange: (text: string) => void;
}): Leadership {
  return new WatchedLeadership(options);
}

class WatchedLeadership implements Leadership {
  readonly #options: Parameters<typeof watchLeadership>[0];
  #term: Term = 0;
  #ready: Promise<void> | undefined;
  #isReady = false;
  #isRemoved = false;
  #leaderlessSince: Ms | undefined = performance.now();
  #waiting: (() => void)[] = [];

  constructor(options: Parameters<typeof watchLeadership>[0]) {
    this.#options = options;
    options.consensus.onRole((status) => {
      const who = status.leader === 0 ? "nobody" : `member ${status.leader}`;
      options.onChange(`${status.role} in term ${status.term}, led by ${who}`);
      if (status.leader !== 0) this.#leaderlessSince = undefined;
      else this.#leaderlessSince ??= performance.now();
      if (status.role !== "leader") {
        this.#ready = undefined;
        this.#isReady = false;
      } else if (this.#ready === undefined || this.#term !== status.term) this.#lead(status.term);
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  leader(): Member | undefined {
    if (this.#isRemoved) return undefined;
    const { latest, configuration } = this.#options.consensus;
    const number = latest?.leader ?? 0;
    return configuration?.members.find((member) => member.number === number);
  }

  isLeader(): boolean {
    return this.leadingTerm() !== 0;
  }

  leadingTerm(): Term {
    const { latest } = this.#options.consensus;
    return latest?.role === "leader" ? latest.term : 0;
  }

  isReady(): boolean {
    return this.isLeader() && this.#isReady;
  }

  ready(): Promise<void> {
    return this.#ready ?? Promise.resolve();
  }

  isVoter(): boolean {
    const { configuration, identity } = this.#options.consensus;
    const own = configuration?.members.find(({ id }) => id === identity.nodeId);
    if (own === undefined || configuration === undefined) return false;
    const { voters, outgoing } = configuration.sets;
    return voters.includes(own.number) || outgoing.includes(own.number);
  }

  leaderlessMs(): Ms {
    return this.#leaderlessSince === undefined ? 0 : performance.now() - this.#leaderlessSince;
  }

  change(limitMs: Ms): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((other) => other !== wake);
        resolve();
      }, limitMs);
      this.#waiting.push(wake);
    });
  }

  setRemoved(isRemoved: boolean): void {
    this.#isRemoved = isRemoved;
  }

  #lead(ownTerm: Term): void {
    const { confirm, onChange } = this.#options;
    const isStillLeading = (): boolean => this.#term === ownTerm && this.#ready !== undefined;
    this.#term = ownTerm;
    this.#isReady = false;
    this.#ready = confirm().then(() => {
      if (isStillLeading()) this.#isReady = true;
    });
    // Whoever waits for it sees the error; without a waiter it means only that leadership was
    // short, or that it could not be confirmed yet: then it is tried again.
    this.#ready.catch((error: unknown) => {
      onChange(`leadership of term ${ownTerm} is not confirmed: ${errorText(error)}`);
      if (!isCairnError(error, "REPLICA_READ_FAILED")) return;
      setTimeout(() => isStillLeading() && this.#lead(ownTerm), RETRY_MS).unref();
    });
  }
}
