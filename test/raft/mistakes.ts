/**
 * Planted mistakes: exact text replacements on a copy of `src/raft`, so that the tests can show
 * that they would notice. Nothing in the real sources knows about them.
 */
import type { createRaftCore } from "#raft";
import type { RaftModule } from "#raft/types";
import { plantMistake } from "../support/plant.ts";

export interface Mistake {
  /** Number in the project's list of planted bugs. */
  readonly number: number;
  readonly name: string;
  readonly file: string;
  readonly right: string;
  readonly wrong: string;
}

export const MISTAKES: readonly Mistake[] = [
  {
    number: 1,
    name: "a vote leaves before it is on disk",
    file: "state.ts",
    right: "after: Math.max(after, state.hardStateSeq)",
    wrong: 'after: message.kind === "voteReply" ? 0 : Math.max(after, state.hardStateSeq)',
  },
  {
    number: 2,
    name: "stepping down within a term clears the vote",
    file: "election.ts",
    right: "if (term > state.term) setHardState(state, term, NOBODY);",
    wrong: "state.vote = NOBODY; if (term > state.term) setHardState(state, term, NOBODY);",
  },
  {
    number: 4,
    name: "the longer log wins, whatever its last term",
    file: "election.ts",
    right: "if (message.lastTerm !== lastTerm) return message.lastTerm > lastTerm;",
    wrong: "if (message.lastIndex !== lastIndex) return message.lastIndex > lastIndex;",
  },
  {
    number: 5,
    name: "a leader commits entries of older terms by counting",
    file: "commit.ts",
    right: "if (state.log.termAt(onQuorum) !== state.term) return;",
    wrong: "",
  },
  {
    number: 6,
    name: "a leader counts its own copy before it is on disk",
    file: "commit.ts",
    right: 'reachedByQuorum(state, "match", state.stableIndex)',
    wrong: 'reachedByQuorum(state, "match", state.log.lastIndex)',
  },
  {
    number: 7,
    name: "a follower acknowledges before its disk has the entries",
    file: "replication.ts",
    right:
      "send(state, from, appendOk(state, { match, session, round }), seqCovering(state, match));",
    wrong: "send(state, from, appendOk(state, { match, session, round }));",
  },
  {
    number: 8,
    name: "a follower commits up to its own last entry",
    file: "commit.ts",
    right: "Math.min(commit, verified)",
    wrong: "Math.min(commit, state.log.lastIndex)",
  },
  {
    number: 9,
    name: "every append cuts the log behind it",
    file: "replication.ts",
    right: "const mismatch = log.firstMismatch(verifiedFrom, last, message.runs);",
    wrong: "const mismatch = last >= verifiedFrom ? verifiedFrom : undefined;",
  },
  {
    number: 10,
    name: "a contradicting suffix is never cut",
    file: "replication.ts",
    right: "if (mismatch <= log.lastIndex) truncateLog(state, mismatch);",
    wrong: "if (mismatch <= log.lastIndex) return;",
  },
  {
    number: 11,
    name: "a late reply lowers what a peer is known to have",
    file: "progress.ts",
    right: "if (match > progress.match) progress.match = match;",
    wrong: "progress.match = match;",
  },
  {
    number: 12,
    name: "a leader answers reads before it has committed in its term",
    file: "reads.ts",
    right: "Math.max(state.commitIndex, state.ownFirstIndex)",
    wrong: "state.commitIndex",
  },
  {
    number: 13,
    name: "a read is confirmed by an answer to what was sent before it",
    file: "reads.ts",
    right: "if (confirmed <= round || commitIndex < index) break;",
    wrong: "if (commitIndex < index) break;",
  },
  {
    number: 15,
    name: "a lease is measured from the commit, not from the append",
    file: "lease.ts",
    right: "state.leaseSince = leaseMarks.shift()!.at;",
    wrong: "leaseMarks.shift(); state.leaseSince = state.now;",
  },
  {
    number: 17,
    name: "a joint commit needs the new voters only",
    file: "quorum.ts",
    right: "return Math.min(reached, quorumValue(before));",
    wrong: "return reached;",
  },
  {
    number: 18,
    name: "a second change is taken before the first is committed",
    file: "membership.ts",
    right: 'if (index > state.commitIndex || isJoint(sets)) return "change-in-progress";',
    wrong: "",
  },
  {
    number: 19,
    name: "a change is taken before the leader has committed in its term",
    file: "membership.ts",
    right: 'if (!hasCommittedInTerm(state)) return "own-term-pending";',
    wrong: "",
  },
  {
    number: 20,
    name: "a configuration stays in force when its entry is cut",
    file: "commit.ts",
    right: "cutConfigurations(state, from);",
    wrong: "",
  },
  {
    number: 21,
    name: "a snapshot carries a configuration that is not committed",
    file: "snapshot-send.ts",
    right: "copy.configuration = configurationAt(state, index);",
    wrong: "copy.configuration = state.configuration;",
  },
  {
    number: 22,
    name: "a snapshot leaves a contradicting tail where it is",
    file: "snapshot-receive.ts",
    right: "if (state.log.termAt(index) !== indexTerm) return false;",
    wrong: "if (index > state.log.lastIndex) return false;",
  },
  {
    number: 26,
    name: "an answer to an earlier membership is believed",
    file: "replication.ts",
    right: "|| message.session !== progress.session) return;",
    wrong: ") return;",
  },
  {
    number: 31,
    name: "a leader whose disk is dead leads on",
    file: "election.ts",
    right: "Math.min(quorumHeardAt, diskHeardAt)",
    wrong: "Math.min(quorumHeardAt, Math.max(diskHeardAt, state.now))",
  },
  // From here on the numbers are ours: what is not in the list.
  {
    number: 101,
    name: "a joint election needs the new voters only",
    file: "quorum.ts",
    right: "return sets.outgoing.length === 0 || isMajority(sets.outgoing, grants);",
    wrong: "return true;",
  },
  {
    number: 102,
    name: "learners count for a commit",
    file: "quorum.ts",
    right: "for (const peer of progress) if (peer.inVoters) values.push(figureOf(peer, figure));",
    wrong: "for (const peer of progress) values.push(figureOf(peer, figure));",
  },
  {
    number: 103,
    name: "a new leader does not wait for the lease of the old one",
    file: "commit.ts",
    right: "if (onQuorum <= state.commitIndex || state.now < state.commitGateAt) return;",
    wrong: "if (onQuorum <= state.commitIndex) return;",
  },
  {
    number: 104,
    name: "entries are applied while a snapshot is being installed",
    file: "commit.ts",
    right: "if (upTo <= applyingIndex || installing !== undefined) return applyingIndex;",
    wrong: "if (upTo <= applyingIndex || installing !== undefined) return upTo;",
  },
  {
    number: 105,
    name: "writes under way keep their promises when a snapshot replaces the log",
    file: "commit.ts",
    right:
      "for (const pending of state.pending) pending.last = Math.min(pending.last, commitIndex);",
    wrong: "",
  },
  {
    number: 106,
    name: "who is in no set any more does not see its own removal through",
    file: "election.ts",
    right: "return lastVotedIn(state) >= committedConfiguration(state).index;",
    wrong: "return lastVotedIn(state) === state.configuration.index;",
  },
  {
    number: 107,
    name: "a removed node is listened to",
    file: "election.ts",
    right: "if (isEmpty(sets) || isVoter(sets, from)) return true;",
    wrong: "if (sets.voters.length > 0) return true;",
  },
  {
    number: 108,
    name: "a voter is added that never caught up",
    file: "membership.ts",
    right: "if (!isMember || !isCaughtUp(progress, state.now, electionTimeoutMs)) return",
    wrong: "if (!isMember) return",
  },
  {
    number: 109,
    name: "a removed leader counts itself",
    file: "quorum.ts",
    right: "const values: number[] = isInVoters ? [own] : [];",
    wrong: "const values: number[] = [own];",
  },
  {
    number: 110,
    name: "a leader that is dismissed does not go",
    file: "core.ts",
    right: "if (isDismissed(state)) handOver(state);",
    wrong: "",
  },
  {
    number: 111,
    name: "a joint configuration is never left",
    file: "membership.ts",
    right: "if (!isJoint(sets) || index > state.commitIndex",
    wrong: "if (index >= 0 || index > state.commitIndex",
  },
  {
    number: 112,
    name: "a snapshot is acknowledged before it is on disk",
    file: "snapshot-receive.ts",
    right: "    seqCovering(state, index),\n",
    wrong: "    0,\n",
  },
  {
    number: 25,
    name: "writes under way keep their promises when the log is cut",
    file: "commit.ts",
    right: "for (const pending of state.pending) pending.last = Math.min(pending.last, from - 1);",
    wrong: "",
  },
  {
    number: 29,
    name: "a pre-vote is granted although the leader lives",
    file: "election.ts",
    right: 'if (state.role === "leader") return true;',
    wrong: "if (state.term >= 0) return false;",
  },
  {
    number: 30,
    name: "a leader ignores a higher term in a reply",
    file: "dispatch.ts",
    right: "if (isMember(state.configuration.sets, from)) stepDown(state, message.term);",
    wrong: "",
  },
  {
    number: 33,
    name: "the election timer is not set again after a pre-vote",
    file: "election.ts",
    right: "export function startPreVote(state: RaftState): void {\n  restartCampaignTimer(state);",
    wrong: "export function startPreVote(state: RaftState): void {\n  state.electionAt = Infinity;",
  },
];

/** Loads a core with the mistake in it. */
export async function plant({ file, right, wrong }: Mistake): Promise<typeof createRaftCore> {
  const patches = [{ file, from: right, to: wrong }];
  return (await plantMistake<RaftModule>("raft", patches)).createRaftCore;
}
