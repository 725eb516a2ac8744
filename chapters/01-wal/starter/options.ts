/**
 * Defaults of a log, and the one error that a damaged log ends in. Given: nothing to write here.
 */
import { CairnError } from "#base";
import type { Disk } from "#platform/types";
import type { WalOptions } from "#wal/types";

const MIB = 1024 * 1024;
const SEGMENT_BYTES_MAX_DEFAULT = 16 * MIB;
const PAYLOAD_BYTES_MAX_DEFAULT = 128 * MIB;
/** A header and an empty frame: a smaller segment could hold nothing. */
const SEGMENT_BYTES_MIN = 57;

/** The options with every default filled in. */
export interface Settings {
  readonly disk: Disk;
  readonly dir: string;
  readonly segmentBytesMax: number;
  readonly payloadBytesMax: number;
}

/** Fills in defaults. @throws RangeError for a value outside its range, naming it. */
export function checkOptions(options: WalOptions): Settings {
  const { disk, dir } = options;
  const segmentBytesMax = options.segmentBytesMax ?? SEGMENT_BYTES_MAX_DEFAULT;
  const payloadBytesMax = options.payloadBytesMax ?? PAYLOAD_BYTES_MAX_DEFAULT;
  if (!Number.isSafeInteger(segmentBytesMax) || segmentBytesMax < SEGMENT_BYTES_MIN) {
    throw new RangeError(`wal: segmentBytesMax: ${segmentBytesMax}`);
  }
  return { disk, dir, segmentBytesMax, payloadBytesMax };
}

/** Makes a `WAL_CORRUPT` error. @param place - `offset`: the first byte that cannot be right. */
export function walCorrupt(
  place: { readonly path: string; readonly number: number; readonly offset: number },
  problem: string,
): CairnError {
  const { path, number, offset } = place;
  const error = new CairnError("WAL_CORRUPT", `wal: ${path} at byte ${offset}: ${problem}`, {
    details: { file: path, segment: number, offset },
  });
  // Its place is where somebody judged, and not here.
  Error.captureStackTrace(error, walCorrupt);
  return error;
}
