/**
 * The crash tests as functions of the engine under test, so that the planted mistakes face the same
 * ones.
 *
 * Each returns how many crash runs it made and throws an `OracleViolation` at the first violation.
 */
import { seededRandom } from "#platform";
import { crashAt, crashPoints, crashSeeds, killAt } from "./crash-lab.ts";
import { type History, randomHistory } from "./histories.ts";
import type { Subject } from "./player.ts";

/** Cuts the power at every crash point of a history, or at every `stride`th. */
export async function powerCuts(
  subject: Subject,
  history: History,
  effort: { readonly seeds: number; readonly stride?: number },
): Promise<number> {
  const points = await crashPoints(subject, history);
  let runs = 0;
  for (let point = 0; point <= points; point += effort.stride ?? 1) {
    runs += await crashAt(subject, history, { point, seeds: crashSeeds(effort.seeds) });
  }
  return runs;
}

/** Cuts the power at random crash points of many random histories. */
export async function powerCutsInRandomHistories(
  subject: Subject,
  effort: {
    readonly histories: readonly number[];
    readonly steps: number;
    readonly points: number;
    readonly seeds: number;
  },
): Promise<number> {
  let runs = 0;
  for (const seed of effort.histories) {
    const random = seededRandom(seed);
    const history = randomHistory(seed, effort.steps / 2 + random.below(effort.steps));
    const points = await crashPoints(subject, history);
    for (let i = 0; i < effort.points; i += 1) {
      const point = random.below(points + 1);
      const seeds = Array.from({ length: effort.seeds }, (_, at) => seed * 1000 + at);
      runs += await crashAt(subject, history, { point, seeds });
    }
  }
  return runs;
}

/** Kills the process at every `stride`th crash point: nothing acknowledged may be lost. */
export async function kills(
  subject: Subject,
  history: History,
  effort: { readonly seeds: number; readonly stride: number },
): Promise<number> {
  const points = await crashPoints(subject, history);
  let runs = 0;
  for (let point = 0; point <= points; point += effort.stride) {
    runs += await killAt(subject, history, { point, seeds: crashSeeds(effort.seeds) });
  }
  return runs;
}
