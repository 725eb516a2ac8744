/**
 * A replica's facts, put together from its parts. Chapter: 08-replica.
 *
 * Invariant: everything in it was true at one moment.
 */
import type { Ms } from "#base";
import type { Index } from "#raft/types";
import type { ReplicaParts } from "./replica-parts.ts";
import type { ReplicaStatus } from "./types.ts";

/** See the file's header. */
export function statusOf(
  { core, feed, log, proposals, sender, receiver, digests }: ReplicaParts,
  { now, durable, epoch }: { now: Ms; durable: Index; epoch: number },
): ReplicaStatus {
  const status = core.status();
  const since = (at: Ms): Ms => (at < 0 ? -1 : now - at);
  return {
    self: status.self,
    role: status.role,
    term: status.term,
    leader: status.leader,
    commitIndex: status.commitIndex,
    appliedIndex: feed.applied,
    durableIndex: durable,
    firstIndex: status.firstIndex,
    lastIndex: status.lastIndex,
    lastTerm: status.lastTerm,
    logBytes: log.sizeBytes,
    leaderSilenceMs: status.role === "leader" ? 0 : since(status.leaderHeardAt),
    peers: status.peers.map((peer) => ({ ...peer, silenceMs: since(peer.lastReplyAt) })),
    epoch,
    configuration: status.configuration,
    committedConfiguration: status.committedConfiguration,
    removed: status.removed,
    transferringTo: status.transferringTo,
    pendingBytes: proposals.bytes,
    uncommittedBytes: status.uncommittedBytes,
    unappliedBytes: status.unappliedBytes,
    pendingReads: status.pendingReads,
    snapshots: [...sender.transfers(), ...receiver.transfers()],
    lastDigest: digests.latest,
  };
}
