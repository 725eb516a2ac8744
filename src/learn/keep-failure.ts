/**
 * A failure on its way into the progress and back: bytes become hexadecimal digits.
 */
import type { KeptFailure, Progress } from "./progress.ts";
import type { Failure } from "./types.ts";

/** The part of the progress that holds a failure. */
export function keepFailure(failure: Failure): Pick<Progress, "lastFailure"> {
  const { bytes: excerpt, ...lesson } = failure.lesson;
  if (excerpt === undefined) return { lastFailure: { ...failure, lesson } };
  const { bytes, ...rest } = excerpt;
  const kept = { ...rest, hex: Buffer.from(bytes).toString("hex") };
  return { lastFailure: { ...failure, lesson: { ...lesson, bytes: kept } } };
}

/** The failure that was kept. */
export function keptFailure(kept: KeptFailure): Failure {
  const { bytes: excerpt, ...lesson } = kept.lesson;
  if (excerpt === undefined) return { ...kept, lesson };
  const { hex, ...rest } = excerpt;
  const bytes = { ...rest, bytes: new Uint8Array(Buffer.from(hex, "hex")) };
  return { ...kept, lesson: { ...lesson, bytes } };
}
