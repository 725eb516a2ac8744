/**
 * Every mistake of chapter 01; the last list for what one call after the other does not show.
 */
import type { StepMistake } from "../../support/four-way.ts";
import { earlyMistakes } from "./mistakes-early.ts";
import { lateMistakes } from "./mistakes-late.ts";
import { tailMistakes } from "./mistakes-tail.ts";
import { unseenMistakes } from "./mistakes-unseen.ts";

export const mistakes: readonly StepMistake[] = [
  ...earlyMistakes,
  ...tailMistakes,
  ...lateMistakes,
  ...unseenMistakes,
];
