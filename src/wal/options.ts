/**
 * Defaults and limits of a log, checked once at the gate.
 * Chapter: 01-wal
 */
import type { Disk } from "#platform/types";
import { FRAME_HEADER_BYTES } from "./record.ts";
import { SEGMENT_HEADER_BYTES } from "./segment-header.ts";
import type { WalOptions } from "./types.ts";

const MIB = 1024 * 1024;
const SEGMENT_BYTES_MAX_DEFAULT = 16 * MIB;
const PREALLOCATE_BYTES_DEFAULT = MIB;
const PAYLOAD_BYTES_MAX_DEFAULT = 128 * MIB;
/** The header of the log and of one frame: a smaller segment could hold nothing. */
const SEGMENT_BYTES_MIN = SEGMENT_HEADER_BYTES + FRAME_HEADER_BYTES;
/** The length field is a u32, and an array of the runtime holds no more. */
const PAYLOAD_BYTES_LIMIT = 2 ** 32 - 1 - FRAME_HEADER_BYTES;

/** Read at a time by recovery: large enough that system calls do not count. */
export const SCAN_CHUNK_BYTES: number = MIB;
/** Read at a time by `read`: a follower usually wants a few records. */
export const READ_CHUNK_BYTES: number = 64 * 1024;

/** The options with every default filled in. */
export interface WalSettings {
  readonly disk: Disk;
  readonly dir: string;
  readonly segmentBytesMax: number;
  readonly preallocateBytes: number;
  readonly payloadBytesMax: number;
}

/** Fills in defaults. @throws RangeError for a value outside its range, naming it. */
export function checkOptions(options: WalOptions): WalSettings {
  const settings = {
    disk: options.disk,
    dir: options.dir,
    segmentBytesMax: options.segmentBytesMax ?? SEGMENT_BYTES_MAX_DEFAULT,
    preallocateBytes: options.preallocateBytes ?? PREALLOCATE_BYTES_DEFAULT,
    payloadBytesMax: options.payloadBytesMax ?? PAYLOAD_BYTES_MAX_DEFAULT,
  };
  if (settings.dir === "") throw new RangeError("wal: dir: empty");
  checkRange("segmentBytesMax", settings.segmentBytesMax, SEGMENT_BYTES_MIN);
  checkRange("preallocateBytes", settings.preallocateBytes, 0);
  checkRange("payloadBytesMax", settings.payloadBytesMax, 0);
  if (settings.payloadBytesMax > PAYLOAD_BYTES_LIMIT) {
    throw new RangeError(`wal: payloadBytesMax: ${settings.payloadBytesMax} is above 4 GiB`);
  }
  return settings;
}

function checkRange(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`wal: ${name}: ${value} is not a whole number from ${least}`);
  }
}
