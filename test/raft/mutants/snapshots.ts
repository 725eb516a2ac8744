/**
 * Mistakes in copies of the state machine: made, sent, taken in, put in the log's place.
 *
 * Chapter: 11-simulation.
 */
import type { Mutant } from "./types.ts";

export const SNAPSHOTS: readonly Mutant[] = [
  {
    number: 21,
    name: "a snapshot carries a configuration that is not committed",
    patches: [
      {
        file: "snapshot-send.ts",
        from: "copy.configuration = configurationAt(state, index);",
        to: "copy.configuration = state.configuration;",
      },
    ],
    expected: ["G9"],
    search: { tier: "standard", seeds: 150 },
    directed: ["S11", "G9"],
  },
  {
    number: 22,
    name: "a snapshot leaves a contradicting tail where it is",
    patches: [
      {
        file: "snapshot-receive.ts",
        from: "if (state.log.termAt(index) !== indexTerm) return false;",
        to: "if (index > state.log.lastIndex) return false;",
      },
    ],
    expected: ["G5", "G4", "G2"],
    search: { tier: "micro", seeds: 1000 },
    directed: ["S06", "G5"],
  },
  {
    number: 32,
    name: "a peer whose entries are gone is probed for ever",
    patches: [
      {
        file: "replication.ts",
        from: 'if (behind && isWanted && progress.state === "probe") startCopy(state, progress);',
        to: "",
      },
    ],
    expected: ["V2"],
    search: { tier: "micro", seeds: 50 },
    directed: ["S10"],
  },
  {
    number: 104,
    name: "entries are applied while a snapshot is being installed",
    patches: [
      {
        file: "commit.ts",
        from: "if (upTo <= applyingIndex || installing !== undefined) return applyingIndex;",
        to: "if (upTo <= applyingIndex || installing !== undefined) return upTo;",
      },
    ],
    expected: ["L10", "L4"],
    search: { tier: "micro", seeds: 800 },
    directed: ["S07", "L10"],
  },
  {
    number: 105,
    name: "writes under way keep their promises when a snapshot replaces the log",
    patches: [
      {
        file: "commit.ts",
        from: "for (const pending of state.pending) pending.last = Math.min(pending.last, commitIndex);",
        to: "",
      },
    ],
    expected: [],
    directed: ["S06"],
  },
  {
    number: 112,
    name: "a snapshot is acknowledged before it is on disk",
    patches: [
      { file: "snapshot-receive.ts", from: "    seqCovering(state, index),\n", to: "    0,\n" },
    ],
    expected: ["L3"],
    search: { tier: "micro", seeds: 50 },
    directed: ["S01", "L3"],
  },
  {
    number: 124,
    name: "chunks that are lost are not sent again",
    patches: [
      {
        file: "snapshot-send.ts",
        from: "if (state.now - copy.movedAt >= electionTimeoutMs / 2)",
        to: "if (state.now < 0)",
      },
    ],
    expected: ["V2"],
    search: { tier: "standard", seeds: 200 },
    directed: ["S13"],
  },
];
