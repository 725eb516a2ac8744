/**
 * Defaults and limits of an engine, checked once at the gate.
 *
 * Invariant: behind this file every setting is present and inside its range.
 * Chapter: 04-lsm
 */
import type { Clock, Disk } from "#platform/types";
import type { Picker, TableShape } from "./parts.ts";
import type { EngineOptions } from "./types.ts";

const KIB = 1024;
const MIB = 1024 * KIB;

const MEMTABLE_BYTES_MAX_DEFAULT = 16 * MIB;
const FROZEN_MEMTABLES_MAX_DEFAULT = 2;
const CACHE_BYTES_MAX_DEFAULT = 32 * MIB;
const OPEN_TABLES_MAX_DEFAULT = 1000;
const TABLE_BYTES_MAX_DEFAULT = 8 * MIB;
const BLOCK_BYTES_DEFAULT = 4 * KIB;
const FILTER_BITS_PER_KEY_DEFAULT = 10;
const LEVEL_ZERO_COMPACT_RUNS_DEFAULT = 4;
const LEVEL_ZERO_SLOWDOWN_RUNS_DEFAULT = 12;
const LEVEL_ZERO_STOP_RUNS_DEFAULT = 20;
const LOG_BYTES_PER_SYNC_DEFAULT = MIB;
const BYTE_MAX = 255;
/** One run of a level against the next; what a level of a tiered engine collects. */
const LEVEL_RATIO_DEFAULT = { leveled: 10, tiered: 4 } as const;

/** A group of writes is closed at this size: one record, one turn of the thread. */
export const GROUP_BYTES_MAX: number = 4 * MIB;
/** As above, in operations: 16,384 are about 25 ms of this thread. */
export const GROUP_OPERATIONS_MAX: number = 16 * KIB;
/** A larger batch is refused: it must fit into one record of the log, and into memory twice. */
export const BATCH_BYTES_MAX: number = 64 * MIB;
/** Writes that wait while they are held back take no more memory than this. */
export const WAITING_BYTES_MAX: number = 256 * MIB;

/** The options with every default filled in, but for the disk and the clock of this machine. */
export interface EngineSettings extends TableShape {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly dir: string;
  readonly createIfMissing: boolean;
  readonly errorIfExists: boolean;
  readonly isThreaded: boolean;
  readonly memtableBytesMax: number;
  readonly memtableStructure: EngineOptions["memtableStructure"];
  readonly frozenMemtablesMax: number;
  readonly cacheBytesMax: number;
  readonly openTablesMax: number;
  readonly picker: "leveled" | "tiered" | Picker;
  readonly levelRatio: number;
  readonly levelZeroCompactRuns: number;
  readonly levelZeroSlowdownRuns: number;
  readonly levelZeroStopRuns: number;
  readonly logBytesPerSync: number;
  readonly timestampedKeys: { readonly firstByte: number } | undefined;
}

/** Where disk and clock come from if the options name none. */
export interface Machine {
  disk(): Disk;
  clock(): Clock;
}

/**
 * Fills in defaults.
 *
 * @throws RangeError for a value outside its range, naming it; TypeError for a disk of the caller's
 * own in thread mode, where the worker would write to another one.
 */
export function checkOptions(options: EngineOptions, machine: Machine): EngineSettings {
  const { dir, background = "thread", picker = "leveled" } = options;
  if (typeof dir !== "string" || dir === "") throw new RangeError("lsm: dir: empty");
  if (background !== "thread" && background !== "step") {
    throw new RangeError(`lsm: background: ${String(background)} is neither thread nor step`);
  }
  const isThreaded = background === "thread";
  if (isThreaded && options.disk !== undefined) {
    throw new TypeError(
      'lsm: disk: background "thread" works on the disk of this machine; leave it out, or "step"',
    );
  }
  const limits = checkLimits(options);
  const isTiered = picker === "tiered";
  return {
    ...limits,
    disk: options.disk ?? machine.disk(),
    clock: options.clock ?? machine.clock(),
    dir,
    createIfMissing: options.createIfMissing ?? true,
    errorIfExists: options.errorIfExists ?? false,
    isThreaded,
    memtableStructure: options.memtableStructure,
    compression: options.compression ?? "none",
    timestampedKeys: checkTimestampedKeys(options),
    picker,
    levelRatio: whole(
      "levelRatio",
      options.levelRatio ?? (isTiered ? LEVEL_RATIO_DEFAULT.tiered : LEVEL_RATIO_DEFAULT.leveled),
      2,
    ),
  };
}

function checkTimestampedKeys({ timestampedKeys }: EngineOptions) {
  if (timestampedKeys === undefined) return undefined;
  const firstByte = whole("timestampedKeys.firstByte", timestampedKeys.firstByte, 0);
  if (firstByte > BYTE_MAX) {
    throw new RangeError(`lsm: timestampedKeys.firstByte: ${firstByte} is no byte`);
  }
  return { firstByte };
}

function checkLimits(options: EngineOptions) {
  const limits = {
    memtableBytesMax: options.memtableBytesMax ?? MEMTABLE_BYTES_MAX_DEFAULT,
    frozenMemtablesMax: options.frozenMemtablesMax ?? FROZEN_MEMTABLES_MAX_DEFAULT,
    cacheBytesMax: options.cacheBytesMax ?? CACHE_BYTES_MAX_DEFAULT,
    openTablesMax: options.openTablesMax ?? OPEN_TABLES_MAX_DEFAULT,
    tableBytesMax: options.tableBytesMax ?? TABLE_BYTES_MAX_DEFAULT,
    blockBytes: options.blockBytes ?? BLOCK_BYTES_DEFAULT,
    filterBitsPerKey: options.filterBitsPerKey ?? FILTER_BITS_PER_KEY_DEFAULT,
    levelZeroCompactRuns: options.levelZeroCompactRuns ?? LEVEL_ZERO_COMPACT_RUNS_DEFAULT,
    levelZeroSlowdownRuns: options.levelZeroSlowdownRuns ?? LEVEL_ZERO_SLOWDOWN_RUNS_DEFAULT,
    levelZeroStopRuns: options.levelZeroStopRuns ?? LEVEL_ZERO_STOP_RUNS_DEFAULT,
    logBytesPerSync: options.logBytesPerSync ?? LOG_BYTES_PER_SYNC_DEFAULT,
  };
  whole("memtableBytesMax", limits.memtableBytesMax, 1);
  whole("frozenMemtablesMax", limits.frozenMemtablesMax, 1);
  whole("cacheBytesMax", limits.cacheBytesMax, 0);
  whole("openTablesMax", limits.openTablesMax, 1);
  whole("tableBytesMax", limits.tableBytesMax, 1);
  whole("blockBytes", limits.blockBytes, 1);
  whole("filterBitsPerKey", limits.filterBitsPerKey, 0);
  whole("levelZeroCompactRuns", limits.levelZeroCompactRuns, 1);
  whole("levelZeroSlowdownRuns", limits.levelZeroSlowdownRuns, 1);
  whole("levelZeroStopRuns", limits.levelZeroStopRuns, 1);
  whole("logBytesPerSync", limits.logBytesPerSync, 0);
  // Writes that stop before a compaction is due would never go on.
  if (limits.levelZeroStopRuns < limits.levelZeroCompactRuns) {
    const { levelZeroStopRuns: stop, levelZeroCompactRuns: compact } = limits;
    throw new RangeError(
      `lsm: levelZeroStopRuns: ${stop} is below levelZeroCompactRuns ${compact}`,
    );
  }
  return limits;
}

function whole(name: string, value: number, least: number): number {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`lsm: ${name}: ${value} is not a whole number from ${least}`);
  }
  return value;
}
