/**
 * Histories for the crash tests: short ones whose every crash point is tried, and random ones.
 *
 * Limits are tiny, so that a dozen writes fill a memtable and a few flushes fill a level. Keys are
 * few and overwritten often, so that a lost or risen version shows. Values straddle the 512-byte
 * sectors of the simulated disk, so that writes are torn.
 */
import type { Bytes } from "#base";
import type { EngineOptions } from "#lsm/types";
import { seededRandom } from "#platform";
import type { Random } from "#platform/types";
import { type KeySpace, keySpace } from "./oracle.ts";

/** A value of so many bytes, or a deletion. */
export interface PlannedChange {
  readonly key: number;
  readonly bytes: number | null;
}

/** One call that writes. A single change is a `put` or a `delete` unless it is `blocking`. */
export interface WriteStep {
  readonly do: "write";
  readonly changes: readonly PlannedChange[];
  readonly sync: boolean;
  /** By `writeSync`. */
  readonly blocking: boolean;
}

/** One call on the engine. Those on snapshots and iterators do nothing where there is none. */
export type Step =
  | WriteStep
  /** Calls that do not wait for each other. */
  | { readonly do: "together"; readonly writes: readonly WriteStep[] }
  | { readonly do: "flush" | "read" | "reopen" | "idle" }
  | { readonly do: "compact"; readonly from: number | null; readonly before: number | null }
  | { readonly do: "step"; readonly times: number }
  | { readonly do: "snapshot" | "closeSnapshot" | "closeIterator" }
  | { readonly do: "iterate"; readonly reverse: boolean; readonly from: number | null }
  | { readonly do: "advance"; readonly times: number };

/** Options that a history may choose. */
export type HistoryOptions = Omit<EngineOptions, "disk" | "dir" | "background" | "clock">;

/** A sequence of calls and the options of the engine. */
export interface History {
  readonly name: string;
  readonly options: HistoryOptions;
  readonly steps: readonly Step[];
}

const text = (key: string): Bytes => Buffer.from(key, "latin1");

/** Few, short and long, with shared beginnings, an empty one, and both ends of the byte range. */
export const KEYS: KeySpace = keySpace([
  ...["", "\0", "\0\0", "a", "aa", "aaa", "ab", "b", "ba", "bb", "c", "cab", "d", "da"].map(text),
  ...["e", "f", "fa", "g", "h", "i", "\xfe\xff", "\xff", "\xff\xff"].map(text),
  text(`long/${"x".repeat(70)}`),
  text(`long/${"x".repeat(70)}/1`),
]);

const TINY: HistoryOptions = {
  memtableBytesMax: 2048,
  tableBytesMax: 1400,
  blockBytes: 256,
  levelZeroCompactRuns: 2,
  levelRatio: 2,
  cacheBytesMax: 8192,
  logBytesPerSync: 0,
};

const put = (key: number, bytes: number, sync = false): WriteStep => ({
  do: "write",
  changes: [{ key, bytes }],
  sync,
  blocking: false,
});
const remove = (key: number, sync = false): WriteStep => ({
  do: "write",
  changes: [{ key, bytes: null }],
  sync,
  blocking: false,
});
const batch = (
  keys: readonly number[],
  { bytes, sync = false, blocking = false }: WriteShape,
): WriteStep => ({ do: "write", changes: keys.map((key) => ({ key, bytes })), sync, blocking });

interface WriteShape {
  readonly bytes: number | null;
  readonly sync?: boolean;
  readonly blocking?: boolean;
}

const flush: Step = { do: "flush" };
const reopen: Step = { do: "reopen" };
const read: Step = { do: "read" };
const all: Step = { do: "compact", from: null, before: null };
const step = (times: number): Step => ({ do: "step", times });

/** Histories that are tried at every crash point. */
export const shortHistories: readonly History[] = [
  {
    name: "one flush",
    options: TINY,
    steps: [
      ...[put(1, 300, true), put(2, 600), remove(1), batch([3, 4, 5], { bytes: 200, sync: true })],
      ...[put(6, 20), flush, put(1, 40, true), remove(3), read],
    ],
  },
  {
    name: "flushes, then compactions",
    options: TINY,
    steps: [
      ...[put(1, 500, true), put(9, 500), flush, remove(1), put(4, 700), flush, step(3)],
      ...[put(2, 500), batch([1, 2, 3], { bytes: 300, sync: true }), flush, remove(2, true)],
      ...[remove(4), flush, step(6), put(12, 90), read],
    ],
  },
  {
    name: "memtables fill up by themselves",
    options: { ...TINY, memtableBytesMax: 1500, picker: "tiered", levelRatio: 2 },
    steps: [0, 3, 6, 9, 12, 15].flatMap((key) => [
      put(key, 600),
      batch([key, key + 1, key + 2], { bytes: 250, blocking: true }),
      put(key + 3, 500, true),
      step(2),
    ]),
  },
  {
    name: "everything is deleted",
    options: TINY,
    steps: [
      ...[batch([1, 2, 3, 4, 5], { bytes: 250 }), flush, all],
      ...[batch([1, 2, 3, 4, 5], { bytes: null, sync: true }), flush, step(2), all, read],
    ],
  },
  {
    name: "closing and opening",
    options: TINY,
    steps: [
      ...[put(1, 600, true), put(2, 30), reopen, remove(1), put(3, 900, true), reopen, reopen],
      ...[flush, put(4, 300), remove(2), reopen, put(1, 70), all, reopen, put(5, 500)],
    ],
  },
  {
    name: "writes that share a sync",
    options: { ...TINY, logBytesPerSync: 512 },
    steps: [
      { do: "together", writes: [put(1, 200, true), put(2, 700), put(1, 300, true), remove(2)] },
      { do: "together", writes: [batch([1, 2], { bytes: 300, sync: true }), put(7, 900)] },
      ...[put(8, 10), put(3, 800), put(8, 20, true), flush, step(1)],
      { do: "together", writes: [put(8, 100), put(9, 100, true), remove(8), put(9, 30)] },
    ],
  },
  {
    name: "readers held while tables go",
    options: TINY,
    steps: [
      ...[batch([1, 2, 3, 8, 9], { bytes: 250, sync: true }), flush, { do: "snapshot" } as const],
      ...[remove(2), put(3, 400), flush, { do: "iterate", reverse: false, from: null } as const],
      ...[batch([1, 8], { bytes: 300 }), put(20, 400, true), flush, step(4)],
      ...[{ do: "advance", times: 2 } as const, all, { do: "advance", times: 9 } as const, read],
      ...[{ do: "closeIterator" } as const, { do: "closeSnapshot" } as const, step(3), reopen],
    ],
  },
];

/** For disks that fail: keys that are written again and again, and nobody who asks for a flush. */
export const overwriting: History = {
  name: "overwriting while the disk fails",
  options: TINY,
  steps: [
    ...[put(1, 200, true), put(1, 300), put(2, 200), remove(1), put(1, 250, true), step(1)],
    ...[put(2, 20), remove(3), put(1, 90), put(2, 600, true), step(1), put(1, 40), step(1), read],
    ...[step(1), put(1, 200, true), step(1), put(2, 100), put(1, 700), put(1, 10, true), step(2)],
  ],
};

/** A random history with random options. */
export function randomHistory(seed: number, stepCount: number): History {
  const random = seededRandom(seed);
  return {
    name: `random history ${seed}`,
    options: randomOptions(random),
    steps: Array.from({ length: stepCount }, () => randomStep(random)),
  };
}

/** Random options, all of them tiny. */
export function randomOptions(random: Random): HistoryOptions {
  const pick = picker(random);
  return {
    memtableBytesMax: pick([1500, 2500, 4000]),
    memtableStructure: pick(["btree", "skiplist", "map", "array"]),
    frozenMemtablesMax: pick([1, 2, 3]),
    cacheBytesMax: pick([0, 2000, 100_000]),
    openTablesMax: pick([1, 2, 4, 100]),
    tableBytesMax: pick([600, 1500, 3000]),
    blockBytes: pick([100, 256, 700]),
    filterBitsPerKey: pick([0, 10]),
    compression: pick(["none", "none", "none", "deflate"]),
    picker: pick(["leveled", "leveled", "tiered"]),
    levelRatio: pick([2, 3, 4]),
    levelZeroCompactRuns: pick([2, 2, 3]),
    logBytesPerSync: pick([0, 0, 700]),
  };
}

/** Draws one of several choices. */
function picker(random: Random): <T>(choices: readonly T[]) => T {
  return (choices) => choices[random.below(choices.length)]!;
}

/** A random call. Writes are most of them. */
export function randomStep(random: Random): Step {
  const dice = random.below(100);
  const key = (): number | null => (random.below(3) === 0 ? null : random.below(KEYS.length));
  if (dice < 58) return randomWrite(random);
  if (dice < 63) {
    const writes = Array.from({ length: 2 + random.below(4) }, () => randomWrite(random));
    return { do: "together", writes: writes.map((write) => ({ ...write, blocking: false })) };
  }
  if (dice < 68) return { do: "flush" };
  if (dice < 70) return { do: "compact", from: key(), before: key() };
  if (dice < 81) return { do: "step", times: 1 + random.below(3) };
  if (dice < 83) return { do: "read" };
  if (dice < 85) return { do: "reopen" };
  if (dice < 86) return { do: "idle" };
  if (dice < 89) return { do: "snapshot" };
  if (dice < 91) return { do: "closeSnapshot" };
  if (dice < 94) return { do: "iterate", reverse: random.below(2) === 0, from: key() };
  if (dice < 98) return { do: "advance", times: 1 + random.below(8) };
  return { do: "closeIterator" };
}

function randomWrite(random: Random): WriteStep {
  const pick = picker(random);
  const count = random.below(10) < 7 ? 1 : 2 + random.below(5);
  const bytes = (): number | null =>
    random.below(4) === 0 ? null : random.below(pick([1, 40, 300, 300, 800]));
  return {
    do: "write",
    changes: Array.from({ length: count }, () => ({
      key: random.below(KEYS.length),
      bytes: bytes(),
    })),
    sync: random.below(3) === 0,
    blocking: random.below(4) === 0,
  };
}
