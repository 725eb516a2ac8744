/**
 * Mistakes in elections: votes, terms, timers, who may campaign.
 *
 * Chapter: 11-simulation.
 */
import type { Mutant } from "./types.ts";

export const ELECTIONS: readonly Mutant[] = [
  {
    number: 1,
    name: "a vote leaves before it is on disk",
    patches: [
      {
        file: "state.ts",
        from: "after: Math.max(after, state.hardStateSeq)",
        to: 'after: message.kind === "voteReply" ? 0 : Math.max(after, state.hardStateSeq)',
      },
    ],
    expected: ["L3", "G1"],
    search: { tier: "micro", seeds: 20 },
    directed: ["E06", "L3"],
  },
  {
    number: 2,
    name: "stepping down within a term clears the vote",
    patches: [
      {
        file: "election.ts",
        from: "if (term > state.term) setHardState(state, term, NOBODY);",
        to: "if (term > state.term || state.vote !== NOBODY) setHardState(state, term, NOBODY);",
      },
    ],
    expected: ["L2", "G1"],
    search: { tier: "micro", seeds: 50 },
    directed: ["E08"],
  },
  {
    number: 4,
    name: "the longer log wins, whatever its last term",
    patches: [
      {
        file: "election.ts",
        from: "if (message.lastTerm !== lastTerm) return message.lastTerm > lastTerm;",
        to: "if (message.lastIndex !== lastIndex) return message.lastIndex > lastIndex;",
      },
    ],
    expected: ["G3"],
    search: { tier: "micro", seeds: 500 },
    directed: ["E05"],
  },
  {
    number: 29,
    name: "a pre-vote is granted although the leader lives, and sets the voter's timer",
    patches: [
      {
        file: "election.ts",
        from: "export function isSticky(state: RaftState): boolean {\n",
        to: "export function isSticky(state: RaftState): boolean {\n  if (state.term >= 0) return false;\n",
      },
      { file: "election.ts", from: "if (granted && !message.pre) {", to: "if (granted) {" },
      {
        file: "election.ts",
        from: "if (state.vote === NOBODY) setHardState(state, state.term, from);",
        to: "if (state.vote === NOBODY && !message.pre) setHardState(state, state.term, from);",
      },
    ],
    expected: ["V3", "V1"],
    search: { tier: "micro", seeds: 20 },
    directed: ["V03"],
  },
  {
    number: 30,
    name: "a leader ignores a higher term in a reply",
    patches: [
      {
        file: "dispatch.ts",
        from: "if (isMember(state.configuration.sets, from)) stepDown(state, message.term);",
        to: "",
      },
    ],
    expected: ["V1", "V2", "V3"],
    search: { tier: "micro", seeds: 1500 },
    directed: ["E18"],
  },
  {
    number: 31,
    name: "a leader whose disk is dead leads on",
    patches: [
      {
        file: "election.ts",
        from: "Math.min(quorumHeardAt, diskHeardAt)",
        to: "Math.min(quorumHeardAt, Math.max(diskHeardAt, state.now))",
      },
      {
        file: "transfer.ts",
        from: "if (pending.length === 0 || transfer !== undefined) return;",
        to: "if (pending.length >= 0) return;",
      },
    ],
    expected: ["V5"],
    search: { tier: "micro", seeds: 50 },
    directed: ["K12"],
  },
  {
    number: 33,
    name: "the election timer is not set again after a pre-vote",
    patches: [
      {
        file: "election.ts",
        from: "startPreVote(state: RaftState): void {\n  restartCampaignTimer(state);",
        to: "startPreVote(state: RaftState): void {\n  state.electionAt = Infinity;",
      },
    ],
    expected: ["L13", "V1"],
    search: { tier: "micro", seeds: 20 },
    directed: ["V01"],
  },
  {
    number: 34,
    name: "after a stall a node campaigns before it reads what has arrived",
    patches: [{ file: "dispatch.ts", from: "      forgetSilence(state);\n", to: "" }],
    expected: ["V3"],
    search: { tier: "standard", seeds: 150 },
    directed: ["V12"],
  },
  {
    number: 113,
    name: "anybody may ask a node to campaign at once",
    patches: [
      {
        file: "election.ts",
        from: 'state.role !== "follower" || state.leader !== from || ',
        to: 'state.role !== "follower" || ',
      },
    ],
    expected: [],
    directed: ["T07"],
  },
  {
    number: 114,
    name: "grants of an older question count",
    patches: [
      {
        file: "election.ts",
        from: "message.attempt !== state.attempt || !message.granted) return;\n  if (message.term",
        to: "!message.granted) return;\n  if (message.term",
      },
    ],
    expected: [],
    directed: ["V11"],
  },
  {
    number: 115,
    name: "a candidate's own vote counts before it is on disk",
    patches: [
      {
        file: "election.ts",
        from: "state.grants = [];\n  setHardState(state, state.term + 1",
        to: "state.grants = [state.options.self];\n  setHardState(state, state.term + 1",
      },
    ],
    expected: [],
    directed: ["E11"],
  },
  {
    number: 116,
    name: "terms go on to where numbers are not exact",
    patches: [
      {
        file: "election.ts",
        from: "Number.MAX_SAFE_INTEGER - 1",
        to: "Number.MAX_SAFE_INTEGER + 1",
      },
    ],
    expected: [],
    directed: ["E17"],
  },
  {
    number: 117,
    name: "a leader that hears nobody leads on",
    patches: [
      {
        file: "election.ts",
        from: "return Math.min(quorumHeardAt, diskHeardAt)",
        to: "return diskHeardAt",
      },
    ],
    expected: [],
    directed: ["V06"],
  },
];
