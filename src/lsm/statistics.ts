/**
 * What the engine has done so far, and what it has cost.
 *
 * Amplification: bytes written for a byte given, blocks read for a lookup, bytes kept for a byte
 * that counts. Invariant: counters only grow.
 * Chapter: 04-lsm, "The three amplifications"
 */
import type { TableReads } from "#sstable/types";
import type { Version } from "./parts.ts";
import type { EngineStats, LevelStats } from "./types.ts";

/** Counters since opening. */
export interface Counters {
  batches: number;
  operations: number;
  userBytes: number;
  logBytes: number;
  flushBytes: number;
  compactionBytes: number;
  compactionBytesRead: number;
  lookups: number;
  tablesAsked: number;
  flushes: number;
  compactions: number;
  moves: number;
  failures: number;
}

/** All zero. */
export function createCounters(): Counters {
  return {
    batches: 0,
    operations: 0,
    userBytes: 0,
    logBytes: 0,
    flushBytes: 0,
    compactionBytes: 0,
    compactionBytesRead: 0,
    lookups: 0,
    tablesAsked: 0,
    flushes: 0,
    compactions: 0,
    moves: 0,
    failures: 0,
  };
}

/** The state that goes into the statistics beside the counters. */
export interface StatsInput
  extends Pick<
    EngineStats,
    | "sequence"
    | "memtableBytes"
    | "frozenMemtables"
    | "logBytes"
    | "snapshots"
    | "iterators"
    | "stalls"
    | "cache"
  > {
  readonly counters: Counters;
  readonly version: Version;
  /** Of all tables that this engine ever had open for reading. */
  readonly reads: TableReads;
  readonly failure: string | null;
}

/** Puts the statistics together. */
export function describeStats(input: StatsInput): EngineStats {
  const { counters, version, reads, failure, ...state } = input;
  const { userBytes, logBytes, flushBytes, compactionBytes, lookups } = counters;
  const written = logBytes + flushBytes + compactionBytes;
  return {
    ...state,
    levels: levelsOf(version),
    written: {
      batches: counters.batches,
      operations: counters.operations,
      userBytes,
      logBytes,
      flushBytes,
      compactionBytes,
    },
    read: {
      lookups,
      tables: counters.tablesAsked,
      blocks: reads.blocks,
      blockBytes: reads.bytes,
      filtered: reads.filtered,
      compactionBytes: counters.compactionBytesRead,
    },
    writeAmplification: ratio(written, userBytes),
    readAmplification: ratio(reads.blocks + state.cache.hits, lookups),
    spaceAmplification: spaceAmplificationOf(version),
    background: {
      flushes: counters.flushes,
      compactions: counters.compactions,
      moves: counters.moves,
      failures: counters.failures,
      failure,
    },
  };
}

function levelsOf(version: Version): LevelStats[] {
  const levels = new Map<number, { -readonly [Name in keyof LevelStats]: LevelStats[Name] }>();
  for (const { level, tables } of version.runs) {
    let stats = levels.get(level);
    if (stats === undefined) {
      stats = { level, runs: 0, tables: 0, bytes: 0, entries: 0, deletions: 0 };
      levels.set(level, stats);
    }
    stats.runs += 1;
    stats.tables += tables.length;
    for (const table of tables) {
      stats.bytes += table.bytes;
      stats.entries += table.entries;
      stats.deletions += table.deletions;
    }
  }
  return [...levels.values()].sort((a, b) => a.level - b.level);
}

function spaceAmplificationOf({ runs }: Version): number {
  let bytes = 0;
  let bytesOfRun = 0;
  for (const { tables } of runs) {
    bytesOfRun = 0;
    for (const table of tables) bytesOfRun += table.bytes;
    bytes += bytesOfRun;
  }
  return ratio(bytes, bytesOfRun);
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
