/**
 * The manifest against power cuts and failing disks: every crash point of short histories, crashes
 * inside of recovery, each operation failing. The judge is the sentence in manifest-lab.ts.
 */
import { afterAll, describe, expect, test } from "vitest";
import { openManifest } from "#lsm";
import { SCALE } from "../support/seeds.ts";
import { manifestFaults, manifestPowerCuts } from "./manifest-checks.ts";
import { manifestHistories } from "./manifest-lab.ts";

const subject = { openManifest };
const TIMEOUT_MS = 120_000;
/** A crash test that no longer runs passes as well. */
const RUNS_LEAST = 2_000;
let runs = 0;

afterAll(() => console.log(`manifest: ${runs} crash runs; a violation fails its test`));

describe("the state is the one before an edit or after it", { timeout: TIMEOUT_MS }, () => {
  test.each(manifestHistories)(
    "04.4 a power cut at every crash point of: $name",
    async (history) => {
      runs += await manifestPowerCuts(subject, history, 10);
    },
  );

  test.each(manifestHistories)(
    "04.4 each operation failing, then tried again, then a power cut, in: $name",
    async (history) => {
      runs += await manifestFaults(subject, history, 4);
    },
  );
});

test("the crash tests really run", () => {
  expect(runs).toBeGreaterThanOrEqual(RUNS_LEAST * Math.min(1, SCALE));
});
