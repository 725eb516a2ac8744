/**
 * What readers get wrong in chapter 02, as patches on the chapter's solution.
 */
import type { StepMistake } from "../../support/four-way.ts";
import { lookupMistakes } from "./mistakes-lookup.ts";

export const mistakes: readonly StepMistake[] = [...lookupMistakes];
