/**
 * What holds after every step, checked after every step, in production too.
 *
 * A core that has broken one of these must not go on: it might acknowledge what is not safe.
 * Chapter: 07-raft. The checks inside log.ts, commit.ts and election.ts belong to them.
 */
import { assert, type Ms } from "#base";
import { isCommittedVoter } from "./election.ts";
import { isDismissed } from "./membership.ts";
import type { Progress } from "./progress.ts";
import type { RaftState } from "./state.ts";
import type { Index, Input, NodeId, Term } from "./types.ts";

/** Messages of one step to one peer, beside a full window of appends: a vote or a heartbeat. */
const EXTRA_MESSAGES_MAX = 8;

/** What must never fall, as it was after the step before. */
export interface Watermarks {
  term: Term;
  vote: NodeId;
  commitIndex: Index;
  appliedIndex: Index;
  compactedIndex: Index;
}

export function watermarksOf(state: RaftState): Watermarks {
  const { term, vote, commitIndex, appliedIndex } = state;
  return { term, vote, commitIndex, appliedIndex, compactedIndex: state.log.compactedIndex };
}

/** Checks the state after a step, and remembers it for the next one. */
export function checkInvariants(
  state: RaftState,
  seen: Watermarks,
  input: Input["kind"],
  deadline: Ms,
): void {
  const { log, term, commitIndex, stableIndex, applyingIndex, appliedIndex } = state;
  assert(term >= seen.term, `raft: term fell from ${seen.term} to ${term}`);
  assert(
    term > seen.term || seen.vote === 0 || state.vote === seen.vote,
    `raft: the vote in term ${term} changed from ${seen.vote} to ${state.vote}`,
  );
  assert(commitIndex >= seen.commitIndex, `raft: commit fell to ${commitIndex}`);
  assert(commitIndex <= log.lastIndex, `raft: commit ${commitIndex} behind the log`);
  assert(stableIndex <= log.lastIndex, `raft: stable ${stableIndex} behind the log`);
  assert(log.lastTerm <= term, `raft: the log is of term ${log.lastTerm}, we are in ${term}`);
  assert(appliedIndex >= seen.appliedIndex, `raft: applied fell to ${appliedIndex}`);
  assert(appliedIndex <= applyingIndex, `raft: applied ${appliedIndex} unasked`);
  assert(applyingIndex <= commitIndex, `raft: ${applyingIndex} applied before commit`);
  const isInstalling = state.installing !== undefined;
  assert(
    applyingIndex <= stableIndex || isInstalling,
    `raft: ${applyingIndex} applied before the disk has it`,
  );
  assert(log.compactedIndex >= seen.compactedIndex, "raft: compaction went back");
  assert(log.compactedIndex <= appliedIndex || isInstalling, "raft: compacted before applied");
  assert(
    state.configuration.index <= log.lastIndex,
    `raft: configuration ${state.configuration.index} behind the log`,
  );
  assert(Number.isFinite(deadline), `raft: deadline ${deadline}`);
  // A tick does what is due; if it left any of that, the next one would come at once, for ever.
  assert(input !== "tick" || deadline > state.now, `raft: deadline ${deadline} after its tick`);
  assert(
    (state.role === "leader") === (state.leader === state.options.self),
    `raft: ${state.role} believes in leader ${state.leader}`,
  );
  const peers = Math.max(state.progress.length, state.members.length, 1);
  const sendsMax = peers * (state.options.inFlightMax + EXTRA_MESSAGES_MAX);
  assert(state.sends.length <= sendsMax, `raft: ${state.sends.length} messages in one step`);
  for (const progress of state.progress) checkProgress(state, progress);
  if (state.role !== "follower" || state.configurations.length > 1) checkMembership(state);
  Object.assign(seen, watermarksOf(state));
}

/** Who stands for election, who leads, and that one change follows the other. */
function checkMembership(state: RaftState): void {
  const { role, configurations, commitIndex, ownFirstIndex } = state;
  const isCandidate = role === "candidate" || role === "pre-candidate";
  assert(!isCandidate || isCommittedVoter(state), "raft: a candidate that has no vote");
  if (role !== "leader") return;
  assert(!isDismissed(state), "raft: a leader of a cluster without it");
  const own = configurations.filter(({ index }) => index > commitIndex && index >= ownFirstIndex);
  assert(own.length <= 1, `raft: ${own.length} own configurations are not committed`);
}

function checkProgress(state: RaftState, progress: Progress): void {
  const { peer, match, next, inFlightLasts } = progress;
  assert(match >= 0, `raft: node ${peer}: match ${match}`);
  assert(match < next, `raft: node ${peer}: match ${match}, next ${next}`);
  assert(next <= state.log.lastIndex + 1, `raft: node ${peer}: next ${next} behind the log`);
  assert(inFlightLasts.length <= state.options.inFlightMax, `raft: node ${peer}: window too full`);
  // The last message may go over the limit, and it may be a single large entry.
  const before = progress.inFlightBytes - (progress.inFlightSizes.at(-1) ?? 0);
  assert(
    before < state.options.inFlightBytesMax,
    `raft: node ${peer}: ${progress.inFlightBytes} bytes under way`,
  );
  assert(
    progress.state === "replicate" || inFlightLasts.length === 0,
    `raft: node ${peer}: appends under way while probing`,
  );
  assert(
    (progress.state === "snapshot") === (progress.copy !== undefined),
    `raft: node ${peer}: a copy goes with its own state`,
  );
}
