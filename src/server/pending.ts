/**
 * Proposals of this node that wait for their result, each with a limit on its patience.
 *
 * Invariant: every promise settles: with the result, with a definite failure, or with
 * `REPLICA_TIMEOUT` when its time is over and nobody can say whether it will be applied.
 */
import { type Bytes, CairnError, type Ms } from "#base";
import type { Term } from "#raft/types";
import type { ProposalFailure } from "#replica/types";

/**
 * How often deadlines are looked at: coarse, so that a waiting proposal costs no timer of its own.
 */
const SWEEP_MS = 100;

const DRAIN_POLL_MS = 10;

interface Pending {
  readonly resolve: (outcome: AppliedResult) => void;
  readonly reject: (error: Error) => void;
  /** In which this node took it as the leader; 0: in none. */
  readonly term: Term;
  deadline: Ms;
}

/** What a proposal came to. */
export interface AppliedResult {
  readonly result: Bytes;
  readonly index: number;
}

/** See the file's header. */
export interface PendingProposals {
  /** Opens a place. @returns its number and the promise of its result. @throws `REPLICA_STOPPED` */
  open(patienceMs: Ms): { id: number; outcome: Promise<AppliedResult> };
  /** Settles with a result; nothing if it has settled before. */
  succeed(id: number, outcome: AppliedResult): void;
  /** Settles with a definite failure; nothing if it has settled before. */
  fail(id: number, failure: ProposalFailure): void;
  /** Resolves when nothing waits any more, or after `limitMs`. */
  drain(limitMs: Ms): Promise<void>;
  /** Ends all, as unknown: the node stops. */
  close(): void;
}

const FAILURES: Readonly<Record<ProposalFailure, () => CairnError>> = {
  "not-leader": () => new CairnError("REPLICA_NOT_LEADER", "not leader"),
  busy: () =>
    new CairnError("REPLICA_BUSY", "server: too many bytes wait to be replicated, try again later"),
  transferring: () =>
    new CairnError("REPLICA_TRANSFERRING", "server: leadership is being handed over, try again"),
  "leadership-lost": () =>
    new CairnError("REPLICA_LEADERSHIP_LOST", "leadership lost while committing log"),
};

/**
 * Makes the table of one node.
 *
 * @param leadingTerm - the term in which this node leads; 0 while it does not. As long as it leads
 * in the term in which it took a proposal, that is applied sooner or later, and waiting longer is
 * not in vain. After another leader nobody may ever say what became of it.
 */
export function createPendingProposals(leadingTerm: () => Term): PendingProposals {
  const pending = new Map<number, Pending>();
  let nextId = 1;
  let isClosed = false;
  const sweep = setInterval(() => {
    const now = performance.now();
    const term = leadingTerm();
    for (const [id, entry] of pending) {
      if (entry.deadline > now) continue;
      if (term !== 0 && entry.term === term) {
        entry.deadline = now + SWEEP_MS;
        continue;
      }
      pending.delete(id);
      entry.reject(
        new CairnError(
          "REPLICA_TIMEOUT",
          "timed out waiting for the log entry to be applied, its outcome is unknown",
        ),
      );
    }
  }, SWEEP_MS);
  sweep.unref();
  const take = (id: number): Pending | undefined => {
    const entry = pending.get(id);
    pending.delete(id);
    return entry;
  };
  return {
    open: (patienceMs) => {
      if (isClosed) throw new CairnError("REPLICA_STOPPED", "server: the node is stopping");
      const id = nextId;
      nextId += 1;
      const outcome = new Promise<AppliedResult>((resolve, reject) => {
        const deadline = performance.now() + patienceMs;
        pending.set(id, { resolve, reject, term: leadingTerm(), deadline });
      });
      return { id, outcome };
    },
    succeed: (id, outcome) => take(id)?.resolve(outcome),
    fail: (id, failure) => take(id)?.reject(FAILURES[failure]()),
    drain: async (limitMs) => {
      const deadline = performance.now() + limitMs;
      while (pending.size > 0 && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
      }
    },
    close: () => {
      isClosed = true;
      clearInterval(sweep);
      for (const entry of pending.values()) {
        entry.reject(
          new CairnError(
            "REPLICA_TIMEOUT",
            "the node stopped, the outcome of the write is unknown",
          ),
        );
      }
      pending.clear();
    },
  };
}
