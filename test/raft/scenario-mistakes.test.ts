/**
 * Would the scenarios notice? Method: known mistakes are planted in a copy of the core, one at a
 * time, and the scenario that is written beside it has to fail: by the invariant that is named, or
 * by an expectation or an outcome that does not hold.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { RaftModule } from "#raft/types";
import { runScenario, type ScenarioReport } from "#simulation";
import { plantMistake } from "../support/plant.ts";
import { MISTAKES, plant } from "./mistakes.ts";

const DIRECTORY = join(import.meta.dirname, "scenarios");
const FILES = readdirSync(DIRECTORY);

/** By number of the mistake: the scenario, and the invariant that it breaks there, if it does. */
const CAUGHT_BY: Readonly<Record<number, readonly [id: string, invariant?: string]>> = {
  1: ["E06", "L3"],
  2: ["E08"],
  4: ["E05"],
  5: ["C01", "G7"],
  6: ["E01", "G6"],
  7: ["R06", "L3"],
  8: ["R09"],
  9: ["R09"],
  10: ["B06"],
  11: ["R11", "L8"],
  12: ["D02"],
  13: ["D03"],
  15: ["D10"],
  17: ["M03"],
  18: ["M05"],
  19: ["M04"],
  20: ["M13"],
  21: ["S11", "G9"],
  22: ["S06", "G5"],
  25: ["B07"],
  26: ["M12", "L9"],
  29: ["V03"],
  30: ["E18"],
  31: ["K12"],
  33: ["V01"],
  101: ["M03"],
  102: ["M13"],
  103: ["D10"],
  104: ["S07", "L10"],
  105: ["S06"],
  106: ["M10"],
  107: ["M09"],
  108: ["M06"],
  109: ["M08", "G6"],
  110: ["M08"],
  111: ["M01"],
  112: ["S01", "L3"],
};

/** Mistakes that only scenarios know. */
const MORE: readonly {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly caughtBy: readonly [id: string, invariant?: string];
}[] = [
  {
    name: "anybody may ask a node to campaign at once",
    file: "election.ts",
    from: 'state.role !== "follower" || state.leader !== from || ',
    to: 'state.role !== "follower" || ',
    caughtBy: ["T07"],
  },
  {
    name: "grants of an older question count",
    file: "election.ts",
    from: "message.attempt !== state.attempt || !message.granted) return;\n  if (message.term",
    to: "!message.granted) return;\n  if (message.term",
    caughtBy: ["V11"],
  },
  {
    name: "a candidate's own vote counts before it is on disk",
    file: "election.ts",
    from: "state.grants = [];\n  setHardState(state, state.term + 1",
    to: "state.grants = [state.options.self];\n  setHardState(state, state.term + 1",
    caughtBy: ["E11"],
  },
  {
    name: "terms go on to where numbers are not exact",
    file: "election.ts",
    from: "Number.MAX_SAFE_INTEGER - 1",
    to: "Number.MAX_SAFE_INTEGER + 1",
    caughtBy: ["E17"],
  },
  {
    name: "a leader that hears nobody leads on",
    file: "election.ts",
    from: "return Math.min(quorumHeardAt, diskHeardAt)",
    to: "return diskHeardAt",
    caughtBy: ["V06"],
  },
  {
    name: "a transfer waits for its target for ever",
    file: "transfer.ts",
    from: "now >= transfer.startedAt + options.electionTimeoutMs",
    to: "now >= transfer.startedAt + 1e12",
    caughtBy: ["T03"],
  },
  {
    name: "a target is told to campaign before it has everything",
    file: "transfer.ts",
    from: "target.match === state.log.lastIndex",
    to: "target.match >= 0",
    caughtBy: ["T01"],
  },
  {
    name: "an old lease is good again after a transfer that failed",
    file: "transfer.ts",
    from: "  revokeLease(state);\n  state.transfer",
    to: "  state.transfer",
    caughtBy: ["T08"],
  },
  {
    name: "any answer of the leader answers a follower's read",
    file: "reads.ts",
    from: " || message.request !== asked.request",
    to: "",
    caughtBy: ["D04"],
  },
  {
    name: "the window of appends has no end",
    file: "progress.ts",
    from: "if (inFlight >= limits.inFlightMax) return false;",
    to: "",
    caughtBy: ["F01"],
  },
  {
    name: "the commit index waits for the next heartbeat",
    file: "replication.ts",
    from: "progress.heartbeatDue || newCommit",
    to: "progress.heartbeatDue",
    caughtBy: ["R06"],
  },
  {
    name: "a peer whose entries are gone is probed for ever",
    file: "replication.ts",
    from: 'if (behind && isWanted && progress.state === "probe") startCopy(state, progress);',
    to: "",
    caughtBy: ["S10"],
  },
  {
    name: "chunks that are lost are not sent again",
    file: "snapshot-send.ts",
    from: "if (state.now - copy.movedAt >= electionTimeoutMs / 2)",
    to: "if (state.now < 0)",
    caughtBy: ["S13"],
  },
  {
    name: "entries are handed out to be applied all at once",
    file: "commit.ts",
    from: "if (log.bytesOf(appliedIndex + 1, upTo) <= applyAheadBytesMax) return upTo;",
    to: "if (log !== undefined) return upTo;",
    caughtBy: ["F04"],
  },
];

async function run(
  id: string,
  createRaftCore: RaftModule["createRaftCore"],
): Promise<ScenarioReport> {
  const file = FILES.find((name) => name.startsWith(`${id}-`)) ?? `${id} is no scenario`;
  return runScenario(readFileSync(join(DIRECTORY, file), "utf8"), { createRaftCore });
}

test("every planted mistake of the core has a scenario that catches it", () => {
  expect(Object.keys(CAUGHT_BY).map(Number)).toEqual(
    MISTAKES.map(({ number }) => number).sort((a, b) => a - b),
  );
});

test.each(MISTAKES)("$number: $name", async (mistake) => {
  const [id, invariant] = CAUGHT_BY[mistake.number]!;
  const report = await run(id, await plant(mistake));
  expect(report.passed, `${id} has not noticed`).toBe(false);
  expect(report.failure?.invariant).toBe(invariant);
});

test.each(MORE)("$name", async ({ file, from, to, caughtBy: [id, invariant] }) => {
  const { createRaftCore } = await plantMistake<RaftModule>("raft", [{ file, from, to }]);
  const report = await run(id, createRaftCore);
  expect(report.passed, `${id} has not noticed`).toBe(false);
  expect(report.failure?.invariant).toBe(invariant);
});
