/**
 * raft: the pure core of consensus. Chapter 07.
 *
 * Reading order: types.ts, messages.ts, options.ts, log.ts, progress.ts, quorum.ts, config.ts,
 * state.ts, lease.ts, commit.ts, reads.ts, transfer.ts, election.ts, snapshot-send.ts,
 * replication.ts, snapshot-receive.ts, membership.ts, dispatch.ts, core.ts, invariants.ts.
 */
export { createRaftCore } from "./core.ts";
export type * from "./types.ts";
