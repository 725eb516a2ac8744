/**
 * The planted mistakes: each is a change to a copy of the engine, of a module below it, or a disk
 * that forwards wrongly.
 *
 * Production code has no switch for them. A patch names a text that must occur exactly once, so
 * that a change of the source shows here and not as a mistake that is no longer planted.
 */
import { durabilityMistakes } from "./durability.ts";
import type { Mistake } from "./mistake.ts";
import { readingMistakes } from "./reading.ts";

export const mistakes: readonly Mistake[] = [...durabilityMistakes, ...readingMistakes];
