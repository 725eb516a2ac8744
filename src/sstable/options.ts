/**
 * The limits of a table, and how a writer's options are checked and completed.
 *
 * Invariant: what a writer accepts, every reader accepts.
 * Chapter: 03-sstable
 */
import type { Bytes, Sequence } from "#base";
import type { BlockCompression, TableWriterOptions } from "./types.ts";

/** A page of most file systems and of memory: a block is then read with one transfer. */
const BLOCK_BYTES_DEFAULT = 4096;
/** Room for one entry of a few bytes beside the restart array and the trailer. */
const BLOCK_BYTES_MIN = 64;
/** Beyond this a lookup reads more than any disk hands over at once. */
const BLOCK_BYTES_MAX = 16 * 1024 * 1024;
/** As in LevelDB: a key is found after eight steps on average, and most prefixes are saved. */
const RESTART_INTERVAL_DEFAULT = 16;
const RESTART_INTERVAL_MAX = 65_536;
const FILTER_BITS_DEFAULT = 10;
/** One false positive in two million; more bits only cost memory. */
const FILTER_BITS_MAX = 30;
/** Key and value of one version. Its block then stays below 2^31, so that offsets fit 32 bits. */
const ENTRY_BYTES_MAX = 1024 * 1024 * 1024;

/** Options with every default filled in. */
export interface WriterSettings {
  readonly blockBytes: number;
  readonly restartInterval: number;
  readonly filterBitsPerKey: number;
  readonly compression: BlockCompression;
}

/** Fills in defaults. @throws RangeError for a value outside its range. */
export function checkWriterOptions(options: TableWriterOptions): WriterSettings {
  const {
    id,
    blockBytes = BLOCK_BYTES_DEFAULT,
    restartInterval = RESTART_INTERVAL_DEFAULT,
    filterBitsPerKey = FILTER_BITS_DEFAULT,
    compression = "none",
  } = options;
  checkId(id);
  checkWhole("blockBytes", blockBytes, BLOCK_BYTES_MIN, BLOCK_BYTES_MAX);
  checkWhole("restartInterval", restartInterval, 1, RESTART_INTERVAL_MAX);
  if (!(filterBitsPerKey >= 0 && filterBitsPerKey <= FILTER_BITS_MAX)) {
    throw new RangeError(
      `sstable: filterBitsPerKey ${filterBitsPerKey} is not 0 to ${FILTER_BITS_MAX}`,
    );
  }
  if (compression !== "none" && compression !== "deflate") {
    throw new RangeError(`sstable: compression ${String(compression)} is unknown`);
  }
  return { blockBytes, restartInterval, filterBitsPerKey, compression };
}

/** Throws a RangeError unless the number can be a table's. */
export function checkId(id: number): void {
  checkWhole("id", id, 1, Number.MAX_SAFE_INTEGER);
}

/** Throws a RangeError unless these can be a version. */
export function checkVersion(key: Bytes, value: Bytes | null, sequence: Sequence): void {
  if (!(Number.isSafeInteger(sequence) && sequence >= 1)) {
    throw new RangeError(`sstable: sequence ${sequence} is not from 1 to 2^53 - 1`);
  }
  const bytes = key.length + (value === null ? 0 : value.length);
  if (bytes > ENTRY_BYTES_MAX) {
    throw new RangeError(`sstable: a version of ${bytes} bytes, at most ${ENTRY_BYTES_MAX}`);
  }
}

function checkWhole(name: string, value: number, min: number, max: number): void {
  if (!(Number.isSafeInteger(value) && value >= min && value <= max)) {
    throw new RangeError(`sstable: ${name} ${value} is not a whole number from ${min} to ${max}`);
  }
}
