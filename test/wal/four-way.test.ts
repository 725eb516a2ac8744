/**
 * Chapter 01 four ways: starter, reference, planted mistakes, another design. And what the chapter
 * claims besides: logs go from one design to the other, the crash lab finds what it says, and
 * killing a process does not.
 */
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { LessonFailure } from "#learn";
import { createSimulatedDisk } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import * as reference from "#wal";
import type { WalModule } from "#wal/types";
import { loadSolution } from "../support/four-way.ts";
import { plantIn } from "../support/plant.ts";
import { registerFourWay } from "../support/register-steps.ts";
import { recycledSegment, rotBelowTheWatermark } from "./crash-checks.ts";
import { chapter } from "./steps/index.ts";
import { killMany } from "./steps/kill9.ts";
import { mistakes } from "./steps/mistakes.ts";
import type { WalSubject } from "./steps/subject.ts";

const failures = fileURLToPath(new URL("./steps/failures.txt", import.meta.url));
const SOLUTION = "chapters/01-wal/solution";

registerFourWay({ chapter, reference, mistakes }, failures);

describe("one format, two designs", () => {
  const sizes = [3, 0, 700, 512, 90, 2000, 33];
  const options = { dir: "log", segmentBytesMax: 1500 };

  async function writeWith({ openWal }: WalModule): Promise<SimulatedDisk> {
    const disk = createSimulatedDisk();
    const { wal } = openWal({ ...options, disk }, () => {});
    for (const bytes of sizes) await wal.commit(new Uint8Array(bytes).fill(bytes));
    wal.truncateAfter(6);
    wal.truncateBefore(2);
    await wal.close();
    return disk;
  }

  function readWith({ openWal }: WalModule, disk: SimulatedDisk): number[] {
    const lengths: number[] = [];
    openWal({ ...options, disk }, ({ payload }) => void lengths.push(payload.length));
    return lengths;
  }

  test("the reference opens the solution's log, and the other way round", async () => {
    const solution = (await loadSolution(chapter)) as WalModule;
    const byReference = await writeWith(reference);
    const bySolution = await writeWith(solution);
    const kept = readWith(reference, byReference);
    expect(kept.at(-1)).toBe(2000);
    expect(readWith(solution, byReference)).toEqual(kept);
    expect(readWith(reference, bySolution)).toEqual(readWith(solution, bySolution));
  });

  test("the solution stands the checks of damage that the reference stands", async () => {
    const solution = (await loadSolution(chapter)) as WalModule;
    recycledSegment(solution);
    rotBelowTheWatermark(solution);
  });
});

describe("the crash lab", () => {
  const { crashLab } = chapter;
  if (crashLab === undefined) throw new Error("the chapter has a crash lab");

  async function violations(subject: object, seeds: number): Promise<number> {
    const points = await crashLab!.points(reference as WalSubject);
    let count = 0;
    for (let point = 0; point <= points; point += 1) {
      for (let seed = 1; seed <= seeds; seed += 1) {
        try {
          await crashLab!.run(subject as WalSubject, { point, seed });
        } catch (error) {
          if (!(error instanceof LessonFailure)) throw error;
          count += 1;
        }
      }
    }
    return count;
  }

  test("finds nothing in the reference and in the solution", async () => {
    expect(await violations(reference, 8)).toBe(0);
    expect(await violations(await loadSolution(chapter), 8)).toBe(0);
  });

  test.each([
    "sync does nothing, for the data is in the file already",
    "the directory is not synced",
  ])("finds: %s", async (name) => {
    const mistake = mistakes.find((one) => one.name === name)!;
    expect(await violations(await plantIn(SOLUTION, mistake.patches), 4)).toBeGreaterThan(20);
  });
});

test("a killed process loses nothing, although its log never syncs", async () => {
  const kills = await killMany({ kills: 2, budgetMs: 0 });
  expect(kills.length).toBe(2);
  for (const { acked, found } of kills) expect(found).toBeGreaterThanOrEqual(acked);
});
