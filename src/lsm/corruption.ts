/**
 * The one error for an engine's directory whose parts are damaged or do not fit together. It always
 * says which file and which byte. Chapter: 04-lsm
 */
import { CairnError } from "#base";

/** Makes an `LSM_CORRUPT` error. @param offset - the first byte that cannot be right. */
export function lsmCorrupt(
  place: { readonly file: string; readonly offset: number },
  problem: string,
  cause?: unknown,
): CairnError {
  const { file, offset } = place;
  return new CairnError("LSM_CORRUPT", `lsm: ${file} at byte ${offset}: ${problem}`, {
    details: { file, offset },
    cause,
  });
}
