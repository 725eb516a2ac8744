/**
 * raft: the pure core of consensus. Chapter 07.
 *
 * Reading order: types.ts, messages.ts, log.ts, quorum.ts, progress.ts, state.ts, commit.ts, election.ts,
 * replication.ts, core.ts, invariants.ts.
 */
export { createRaftCore } from "./core.ts";
export type * from "./types.ts";
