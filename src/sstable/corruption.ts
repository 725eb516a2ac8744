/**
 * The one error that a damaged table ends in. It always says which file and which byte.
 * Chapter: 03-sstable
 */
import { CairnError } from "#base";

/** Where in which file. */
export interface FilePlace {
  readonly path: string;
  readonly offset: number;
}

/** Makes an `SSTABLE_CORRUPT` error. @param place - of the first byte that cannot be right. */
export function sstableCorrupt(place: FilePlace, problem: string): CairnError {
  return new CairnError(
    "SSTABLE_CORRUPT",
    `sstable: ${place.path} at byte ${place.offset}: ${problem}`,
    { details: { file: place.path, offset: place.offset } },
  );
}

/** Hands on what was decoded; a text is what was wrong. @throws `SSTABLE_CORRUPT` */
export function soundOr<T extends object | number>(place: FilePlace, decoded: T | string): T {
  if (typeof decoded === "string") throw sstableCorrupt(place, decoded);
  return decoded;
}
