/**
 * Every mistake of chapter 01, in the order of the steps.
 */
import type { StepMistake } from "../../support/four-way.ts";
import { earlyMistakes } from "./mistakes-early.ts";
import { lateMistakes } from "./mistakes-late.ts";
import { tailMistakes } from "./mistakes-tail.ts";

export const mistakes: readonly StepMistake[] = [
  ...earlyMistakes,
  ...tailMistakes,
  ...lateMistakes,
];
