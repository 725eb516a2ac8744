/**
 * Runs a test body over many seeds, and says how to replay the one that failed.
 *
 * CAIRN_SCALE multiplies the number of seeds (a nightly run may say 20, a quick one 0.1);
 * CAIRN_SEED runs that seed alone.
 */

import { expect } from "vitest";
import { errorText } from "#base";
import { type Random, seededRandom } from "#platform";

/** The factor that CAIRN_SCALE gives. Default 1. */
export const SCALE: number = readScale();

/** What to run. */
export interface SeedRun {
  /** Seeds at CAIRN_SCALE 1; at least one is run at any scale. */
  readonly count: number;
  /** The test's name: it finds the test again in a replay. */
  readonly name: string;
}

/** A number of repetitions, times CAIRN_SCALE; at least 1. */
export function scaled(count: number): number {
  return Math.max(1, Math.round(count * SCALE));
}

/** As {@link runSeeds}, in the test that is running; for bodies that are not asynchronous. */
export function forEachSeed(count: number, body: (seed: number, random: Random) => void): void {
  runSeeds({ count, name: expect.getState().currentTestName ?? "" }, body);
}

/**
 * Calls `body` with seeds 1, 2, 3 and so on, each with its own source of chance.
 *
 * Returns a promise if, and only if, the body does.
 *
 * @throws an error that names the seed and the command to replay it; `cause` is the original.
 */
export function runSeeds(
  run: SeedRun,
  body: (seed: number, random: Random) => Promise<void>,
): Promise<void>;
export function runSeeds(run: SeedRun, body: (seed: number, random: Random) => void): void;
export function runSeeds(
  run: SeedRun,
  body: (seed: number, random: Random) => void | Promise<void>,
): void | Promise<void> {
  const seeds = seedsOf(run.count);
  for (const [position, seed] of seeds.entries()) {
    try {
      const result = body(seed, seededRandom(seed));
      if (result instanceof Promise) return rest(run, body, { seeds, position, first: result });
    } catch (error) {
      throw failure(run, seed, error);
    }
  }
}

async function rest(
  run: SeedRun,
  body: (seed: number, random: Random) => void | Promise<void>,
  state: {
    readonly seeds: readonly number[];
    readonly position: number;
    readonly first: Promise<void>;
  },
): Promise<void> {
  for (const [position, seed] of state.seeds.entries()) {
    if (position < state.position) continue;
    try {
      if (position === state.position) await state.first;
      else await body(seed, seededRandom(seed));
    } catch (error) {
      throw failure(run, seed, error);
    }
  }
}

function readScale(): number {
  const text = process.env["CAIRN_SCALE"] ?? "";
  const scale = text === "" ? 1 : Number(text);
  if (!(scale > 0)) throw new RangeError(`CAIRN_SCALE is ${text}`);
  return scale;
}

function seedsOf(count: number): readonly number[] {
  const only = process.env["CAIRN_SEED"];
  if (only === undefined || only === "") {
    return Array.from({ length: scaled(count) }, (_, index) => index + 1);
  }
  const seed = Number(only);
  if (!Number.isSafeInteger(seed)) throw new RangeError(`CAIRN_SEED is ${only}`);
  return [seed];
}

function failure(run: SeedRun, seed: number, error: unknown): Error {
  // Vitest joins the names of groups with " > ", but looks for them joined with a space.
  const name = run.name.replaceAll('"', "").replaceAll(" > ", " ");
  return new Error(
    `${run.name}: seed ${seed}: ${errorText(error)}\n` +
      `replay with: CAIRN_SEED=${seed} npx vitest run -t "${name}"`,
    { cause: error },
  );
}
