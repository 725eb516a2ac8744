/**
 * Mistakes in who takes part: configurations, quorums, sessions, leaving and joining.
 *
 * Chapter: 11-simulation.
 */
import type { Mutant } from "./types.ts";

export const MEMBERS: readonly Mutant[] = [
  {
    number: 17,
    name: "a joint commit needs the new voters only",
    patches: [
      {
        file: "quorum.ts",
        from: "return Math.min(reached, quorumValue(before));",
        to: "return reached;",
      },
    ],
    expected: ["G6", "G10"],
    search: { tier: "standard", seeds: 100 },
    directed: ["M03"],
  },
  {
    number: 18,
    name: "a second change is taken before the first is committed",
    patches: [
      {
        file: "membership.ts",
        from: 'if (index > state.commitIndex || isJoint(sets)) return "change-in-progress";',
        to: "",
      },
    ],
    expected: ["L11", "G10"],
    search: { tier: "standard", seeds: 100 },
    directed: ["M05"],
  },
  {
    number: 19,
    name: "a change is taken before the leader has committed in its term",
    patches: [
      {
        file: "membership.ts",
        from: 'if (!hasCommittedInTerm(state)) return "own-term-pending";',
        to: "",
      },
    ],
    expected: [],
    directed: ["M04"],
  },
  {
    number: 20,
    name: "a configuration stays in force when its entry is cut",
    patches: [{ file: "commit.ts", from: "cutConfigurations(state, from);", to: "" }],
    expected: ["L11"],
    search: { tier: "standard", seeds: 300 },
    directed: ["M13"],
  },
  {
    number: 26,
    name: "an answer to an earlier membership is believed",
    patches: [
      {
        file: "replication.ts",
        from: "|| message.session !== progress.session) return;",
        to: ") return;",
      },
    ],
    expected: ["L9", "V2", "L14"],
    search: { tier: "standard", seeds: 300 },
    directed: ["M12", "L9"],
  },
  {
    number: 101,
    name: "a joint election needs the new voters only",
    patches: [
      {
        file: "quorum.ts",
        from: "return sets.outgoing.length === 0 || isMajority(sets.outgoing, grants);",
        to: "return true;",
      },
    ],
    expected: [],
    directed: ["M03"],
  },
  {
    number: 102,
    name: "learners count for a commit",
    patches: [
      {
        file: "quorum.ts",
        from: "progress) if (peer.inVoters) values.push(figureOf(peer, figure));",
        to: "progress) values.push(figureOf(peer, figure));",
      },
    ],
    expected: ["G6"],
    search: { tier: "standard", seeds: 30 },
    directed: ["M13"],
  },
  {
    number: 106,
    name: "who is in no set any more does not see its own removal through",
    patches: [
      {
        file: "election.ts",
        from: "return lastVotedIn(state) >= committedConfiguration(state).index;",
        to: "return lastVotedIn(state) === state.configuration.index;",
      },
    ],
    expected: [],
    directed: ["M10"],
  },
  {
    number: 107,
    name: "a removed node is listened to",
    patches: [
      {
        file: "election.ts",
        from: "if (isEmpty(sets) || isVoter(sets, from)) return true;",
        to: "if (sets.voters.length > 0) return true;",
      },
    ],
    expected: [],
    directed: ["M09"],
  },
  {
    number: 108,
    name: "a voter is added that never caught up",
    patches: [
      {
        file: "membership.ts",
        from: "if (!isMember || !isCaughtUp(progress, state.now, electionTimeoutMs)) return",
        to: "if (!isMember) return",
      },
    ],
    expected: [],
    directed: ["M06"],
  },
  {
    number: 109,
    name: "a removed leader counts itself",
    patches: [
      {
        file: "quorum.ts",
        from: "const values: number[] = isInVoters ? [own] : [];",
        to: "const values: number[] = [own];",
      },
    ],
    expected: ["G6"],
    search: { tier: "standard", seeds: 100 },
    directed: ["M08", "G6"],
  },
  {
    number: 110,
    name: "a leader that is dismissed does not go",
    patches: [{ file: "core.ts", from: "if (isDismissed(state)) handOver(state);", to: "" }],
    expected: ["L12"],
    search: { tier: "standard", seeds: 50 },
    directed: ["M08"],
  },
  {
    number: 111,
    name: "a joint configuration is never left",
    patches: [
      {
        file: "membership.ts",
        from: "if (!isJoint(sets) || index > state.commitIndex",
        to: "if (index >= 0 || index > state.commitIndex",
      },
    ],
    expected: ["V2"],
    search: { tier: "standard", seeds: 30 },
    directed: ["M01"],
  },
  {
    number: 121,
    name: "a transfer waits for its target for ever",
    patches: [
      {
        file: "transfer.ts",
        from: "now >= transfer.startedAt + options.electionTimeoutMs",
        to: "now >= transfer.startedAt + 1e12",
      },
    ],
    expected: ["L13"],
    search: { tier: "standard", seeds: 50 },
    directed: ["T03"],
  },
  {
    number: 122,
    name: "a target is told to campaign before it has everything",
    patches: [
      {
        file: "transfer.ts",
        from: "target.match === state.log.lastIndex",
        to: "target.match >= 0",
      },
    ],
    expected: [],
    directed: ["T01"],
  },
];
