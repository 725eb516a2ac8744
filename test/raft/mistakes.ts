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
