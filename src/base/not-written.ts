/**
 * What a part of the workbook throws that its reader has not written yet.
 *
 * Invariant: it names the step in which the part is written, so that whoever meets it knows where
 * to go on. Nothing in `src` throws it; the starters of the chapters do.
 */

/** A part that waits for its reader. */
export class NotWrittenError extends Error {
  override readonly name = "NotWrittenError";
  /** The step, such as `01.3`. */
  readonly step: string;
  /** The function or method. */
  readonly part: string;

  constructor(step: string, part: string) {
    super(`${part} is written in step ${step}`);
    this.step = step;
    this.part = part;
  }
}

/**
 * Stands where code will be.
 *
 * @param step - such as `01.3`.
 * @param part - the function or method, such as `openWal`.
 * @throws NotWrittenError always.
 */
export function notWritten(step: string, part: string): never {
  throw new NotWrittenError(step, part);
}
