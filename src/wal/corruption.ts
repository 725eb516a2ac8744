/**
 * The one error that a damaged log ends in. It always says which file, which segment and which
 * byte. Chapter: 01-wal
 */
import { CairnError } from "#base";

/** Makes a `WAL_CORRUPT` error. @param offset - the first byte that cannot be right. */
export function walCorrupt(
  place: { readonly path: string; readonly number: number; readonly offset: number },
  problem: string,
): CairnError {
  return new CairnError("WAL_CORRUPT", `wal: ${place.path} at byte ${place.offset}: ${problem}`, {
    details: { file: place.path, segment: place.number, offset: place.offset },
  });
}
