/**
 * Mistakes in what is appended, acknowledged, committed and applied.
 *
 * Chapter: 11-simulation.
 */
import type { Mutant } from "./types.ts";

export const LOGS: readonly Mutant[] = [
  {
    number: 5,
    name: "a leader commits entries of older terms by counting",
    patches: [
      {
        file: "commit.ts",
        from: "if (state.log.termAt(onQuorum) !== state.term) return;",
        to: "",
      },
    ],
    expected: ["G7", "G5"],
    search: { tier: "micro", seeds: 50 },
    directed: ["C01", "G7"],
  },
  {
    number: 6,
    name: "a leader counts its own copy before it is on disk",
    patches: [
      {
        file: "commit.ts",
        from: 'reachedByQuorum(state, "match", state.stableIndex)',
        to: 'reachedByQuorum(state, "match", state.log.lastIndex)',
      },
    ],
    expected: ["G6"],
    search: { tier: "micro", seeds: 20 },
    directed: ["E01", "G6"],
  },
  {
    number: 7,
    name: "a follower acknowledges before its disk has the entries",
    patches: [
      {
        file: "replication.ts",
        from: "send(state, from, appendOk(state, { match, session, round }), seqCovering(state, match));",
        to: "send(state, from, appendOk(state, { match, session, round }));",
      },
    ],
    expected: ["L3", "G6"],
    search: { tier: "micro", seeds: 20 },
    directed: ["R06", "L3"],
  },
  {
    number: 8,
    name: "a follower commits up to its own last entry",
    patches: [
      {
        file: "commit.ts",
        from: "Math.min(commit, verified)",
        to: "Math.min(commit, state.log.lastIndex)",
      },
    ],
    expected: ["G5"],
    search: { tier: "micro", seeds: 100 },
    directed: ["R09"],
  },
  {
    number: 9,
    name: "every append cuts the log behind it",
    patches: [
      {
        file: "replication.ts",
        from: "const mismatch = log.firstMismatch(verifiedFrom, last, message.runs);",
        to: "const mismatch = last >= verifiedFrom ? verifiedFrom : undefined;",
      },
    ],
    expected: ["L6", "G5"],
    search: { tier: "micro", seeds: 50 },
    directed: ["R09"],
  },
  {
    number: 10,
    name: "a contradicting suffix is never cut",
    patches: [
      {
        file: "replication.ts",
        from: "const mismatch = log.firstMismatch(verifiedFrom, last, message.runs);",
        to: "const mismatch =\n    last > log.lastIndex ? Math.max(verifiedFrom, log.lastIndex + 1) : undefined;",
      },
    ],
    expected: ["G2"],
    search: { tier: "micro", seeds: 100 },
    directed: ["B06", "G2"],
  },
  {
    number: 11,
    name: "a late reply lowers what a peer is known to have",
    patches: [
      {
        file: "progress.ts",
        from: "if (match > progress.match) progress.match = match;",
        to: "progress.match = match;",
      },
    ],
    expected: ["L8", "V2"],
    search: { tier: "micro", seeds: 50 },
    directed: ["R11", "L8"],
  },
  {
    number: 25,
    name: "writes under way keep their promises when the log is cut",
    patches: [
      {
        file: "commit.ts",
        from: "for (const pending of state.pending) pending.last = Math.min(pending.last, from - 1);",
        to: "",
      },
    ],
    expected: ["L3"],
    search: { tier: "micro", seeds: 50 },
    directed: ["B07"],
  },
  {
    number: 118,
    name: "the window of appends has no end",
    patches: [
      {
        file: "progress.ts",
        from: "if (inFlight >= limits.inFlightMax) return false;",
        to: "",
      },
    ],
    expected: ["L8"],
    search: { tier: "micro", seeds: 30 },
    directed: ["F01"],
  },
  {
    number: 119,
    name: "the commit index waits for the next heartbeat",
    patches: [
      {
        file: "replication.ts",
        from: "progress.heartbeatDue || newCommit",
        to: "progress.heartbeatDue",
      },
    ],
    expected: [],
    directed: ["R06"],
  },
  {
    number: 120,
    name: "entries are handed out to be applied all at once",
    patches: [
      {
        file: "commit.ts",
        from: "if (log.bytesOf(appliedIndex + 1, upTo) <= applyAheadBytesMax) return upTo;",
        to: "if (log !== undefined) return upTo;",
      },
    ],
    expected: [],
    directed: ["F04"],
  },
];
