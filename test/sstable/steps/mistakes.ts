/**
 * What readers get wrong in chapter 03, as patches on the chapter's solution, in the order of the
 * steps.
 */
import type { StepMistake } from "../../support/four-way.ts";
import { blockMistakes } from "./block-mistakes.ts";
import { damageMistakes } from "./damage-mistakes.ts";
import { tableMistakes } from "./table-mistakes.ts";

export const mistakes: readonly StepMistake[] = [
  ...blockMistakes,
  ...tableMistakes,
  ...damageMistakes,
].sort((a, b) => a.step.localeCompare(b.step));
