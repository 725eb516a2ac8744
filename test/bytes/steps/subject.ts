/**
 * What the checks of chapter 00 are given: the module's contract, and the parts that only the
 * exercises have.
 */
import type { Bytes } from "#base";
import type { BytesModule } from "#bytes/types";
import type { Disk } from "#platform/types";
import * as solution from "../../../chapters/00-bytes/solution/index.ts";

export type { Outcome, Prediction } from "../../../chapters/00-bytes/solution/index.ts";

type Prediction = solution.Prediction;

/** A reader's module, or the reference with the exercises of the solution. */
export interface BytesSubject extends BytesModule {
  saveNote(disk: Disk, path: string, content: Bytes): void;
  readonly overwritten: Prediction;
  readonly renamed: Prediction;
}

/** Adds what the reference lacks: step 00.1 and step 00.5 are exercises only. */
export function subjectOf(module: object): BytesSubject {
  const { saveNote, overwritten, renamed } = solution;
  return { saveNote, overwritten, renamed, ...module } as BytesSubject;
}
