/**
 * Two words for damage. Given.
 *
 * A decoder sees bytes, and says `malformed`. It knows neither the file nor the offset; whoever
 * called it does, and says `soundAt`.
 *
 * Invariant: whatever a decoder stumbles over, callers of the table see SSTABLE_CORRUPT with `file`
 * and `offset`.
 * Chapter: 03-sstable
 */
import { CairnError, errorText, isCairnError } from "#base";

/** What is wrong with some bytes. @throws BYTES_MALFORMED always. */
export function malformed(problem: string): never {
  throw new CairnError("BYTES_MALFORMED", `sstable: ${problem}`);
}

/** Where in which file. */
export interface FilePlace {
  readonly file: string;
  readonly offset: number;
}

/** Says that a file is damaged. @throws SSTABLE_CORRUPT always. */
export function corrupt({ file, offset }: FilePlace, problem: string): never {
  const message = `sstable: ${file} at byte ${offset}: ${problem}`;
  throw new CairnError("SSTABLE_CORRUPT", message, { details: { file, offset } });
}

/** Runs a decoder on bytes of a file. @throws SSTABLE_CORRUPT if it finds them malformed. */
export function soundAt<T>(place: FilePlace, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (!isCairnError(error, "BYTES_MALFORMED")) throw error;
    return corrupt(place, errorText(error));
  }
}
