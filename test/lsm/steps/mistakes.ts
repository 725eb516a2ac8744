/**
 * What readers get wrong in chapter 04, as patches on the solution.
 */
import type { StepMistake } from "../../support/four-way.ts";
import { compactionMistakes } from "./mistakes/compaction.ts";
import { durabilityMistakes } from "./mistakes/durability.ts";
import { readingMistakes } from "./mistakes/reading.ts";

/** In the order of the steps. */
export const mistakes: readonly StepMistake[] = [
  ...readingMistakes,
  ...durabilityMistakes,
  ...compactionMistakes,
];
