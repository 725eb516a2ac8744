/**
 * Who leads, as far as this node knows, and whether it may serve reads as the leader.
 *
 * A node that has just won holds every acknowledged write in its log, but its database may still
 * lag behind. A read that it served at once could miss a write that a client was told of a second
 * ago. So a new leader first applies an entry of its own term; then everything before it is in the
 * database.
 * Source: Ongaro (2014), section 6.4, step 1. Taught in 08-replica.
 */
import { errorText, isCairnError, type Ms } from "#base";
import type { Term } from "#raft/types";
import type { ConsensusThread } from "#replica";
import type { Member } from "#replica/types";

/** Between two tries of a barrier for which there was no room. */
const RETRY_MS: Ms = 100;

/** See the file's header. */
export interface Leadership {
  /** The leader as far as this node knows. */
  leader(): Member | undefined;
  isLeader(): boolean;
  /** True once this node leads and has applied an entry of its own term. */
  isReady(): boolean;
  /** Resolves when ready; rejects as the barrier does. Only the leader may ask. */
  ready(): Promise<void>;
}

/** What is watched. */
export type LeadershipSource = Pick<ConsensusThread, "configuration" | "latest" | "onRole">;

/**
 * Starts to watch.
 *
 * `applyBarrier` proposes an empty command and resolves when it is applied here; `onChange` is told
 * in words when role or leader change.
 */
export function watchLeadership(options: {
  consensus: LeadershipSource;
  applyBarrier: () => Promise<unknown>;
  onChange: (text: string) => void;
}): Leadership {
  const { consensus, applyBarrier, onChange } = options;
  let term = 0;
  let ready: Promise<void> | undefined;
  let isReady = false;

  const lead = (ownTerm: Term): void => {
    const isStillLeading = (): boolean => term === ownTerm && ready !== undefined;
    term = ownTerm;
    isReady = false;
    ready = applyBarrier().then(() => {
      if (isStillLeading()) isReady = true;
    });
    // Whoever waits for it sees the error; without a waiter it means only that leadership was
    // short, or that too much waits already: then there is room later.
    ready.catch((error: unknown) => {
      onChange(`barrier of term ${ownTerm} failed: ${errorText(error)}`);
      if (!isCairnError(error, "REPLICA_BUSY")) return;
      setTimeout(() => isStillLeading() && lead(ownTerm), RETRY_MS).unref();
    });
  };

  consensus.onRole((status) => {
    const who = status.leader === 0 ? "nobody" : `member ${status.leader}`;
    onChange(`${status.role} in term ${status.term}, led by ${who}`);
    if (status.role !== "leader") {
      ready = undefined;
      isReady = false;
    } else if (ready === undefined || term !== status.term) lead(status.term);
  });

  const isLeader = (): boolean => consensus.latest?.role === "leader";
  return {
    leader: () => {
      const number = consensus.latest?.leader ?? 0;
      return consensus.configuration?.members.find((member) => member.number === number);
    },
    isLeader,
    isReady: () => isLeader() && isReady,
    ready: () => ready ?? Promise.resolve(),
  };
}
