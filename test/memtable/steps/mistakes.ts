/**
 * What readers get wrong in chapter 02, as patches on the chapter's solution.
 */
import type { StepMistake } from "../../support/four-way.ts";
import { durableMistakes } from "./mistakes-durable.ts";
import { lookupMistakes } from "./mistakes-lookup.ts";
import { scanMistakes } from "./mistakes-scan.ts";

export const mistakes: readonly StepMistake[] = [
  ...lookupMistakes,
  ...scanMistakes,
  ...durableMistakes,
];
