/**
 * How a mistake of this chapter is written down: a patch on a file of the chapter's solution.
 */
import type { StepMistake } from "../../support/four-way.ts";

/** File, text that occurs in it once, text in its place. */
type Patched = readonly [file: string, from: string, to: string];

/** Makes a mistake. */
export const one = (
  step: string,
  rule: string,
  name: string,
  caughtBy: string,
  ...patches: readonly Patched[]
): StepMistake => ({
  step,
  rule,
  name,
  caughtBy,
  patches: patches.map(([file, from, to]) => ({ file, from, to })),
});

/** A mistake that published code has made: see the chapter's `bugs`. */
export const ofTrap = (trap: string, mistake: StepMistake): StepMistake => ({ ...mistake, trap });
