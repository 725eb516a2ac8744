/**
 * Lab 04.amplifications: what does each way of compacting pay, and for what?
 *
 * Stores of the same keys, overwritten again and again and looked up meanwhile, with leveled and
 * tiered compaction at four ratios. Counted are bytes written for one byte of the user's, tables
 * asked for one lookup, and bytes of all tables for one byte of live data, on average.
 * The engine is the reference's, the pickers are those of `#lsm`. Background work runs by `step`
 * between batches, so that the figures depend on the seed alone. Not measured: time; nothing is
 * synced.
 */
import { join } from "node:path";
import { createLeveledPicker, createTieredPicker, createWriteBatch, openEngine } from "#lsm";
import type { Engine } from "#lsm/types";
import { createNodeDisk } from "#platform";
import type { Disk, FileHandle } from "#platform/types";
import { type Bench, keyOf, randomNumbers, valueFor, zipfNumbers } from "../harness/index.ts";
import type { Lab, LabResult, LabSeries } from "../harness/lab-types.ts";

const KIB = 1024;
const BATCH = 100;
const SEED = 4;
const RATIOS = [2, 4, 8, 10];
const PICKERS = ["leveled", "tiered"] as const;
/** Of the prediction. */
const RATIO_ASKED = 4;

/** Runs in level 0 that start a compaction: of every cell. */
const COMPACT_RUNS = 4;

/** The disk of this machine, without syncs: they take all the time, and change no count. */
function unsyncedDisk(): Disk {
  const disk = createNodeDisk();
  const handleOf = (handle: FileHandle): FileHandle => ({
    size: () => handle.size(),
    read: (offset, target) => handle.read(offset, target),
    write: (offset, bytes) => handle.write(offset, bytes),
    truncate: (bytes) => handle.truncate(bytes),
    sync: () => {},
    syncAsync: async () => {},
    close: () => handle.close(),
  });
  return {
    open: (path, mode) => handleOf(disk.open(path, mode)),
    rename: (from, to) => disk.rename(from, to),
    unlink: (path) => disk.unlink(path),
    removeDir: (path) => disk.removeDir(path),
    list: (dir) => disk.list(dir),
    exists: (path) => disk.exists(path),
    makeDir: (path) => disk.makeDir(path),
    syncDir: () => {},
    lock: (path) => disk.lock(path),
  };
}

/** One store, measured. */
interface Cell {
  readonly picker: (typeof PICKERS)[number];
  readonly ratio: number;
  readonly write: number;
  /** Tables asked for one lookup, filters included. */
  readonly read: number;
  /** Bytes of tables for one byte of live data: after each batch, on average. */
  readonly space: number;
}

interface Load {
  readonly keys: number;
  readonly passes: number;
  readonly lookups: number;
  readonly memtableKib: number;
  readonly isSkewed: boolean;
}

async function measureCell(
  bench: Bench,
  of: Pick<Cell, "picker" | "ratio">,
  load: Load,
): Promise<Cell> {
  const { picker, ratio } = of;
  const memtableBytesMax = load.memtableKib * KIB;
  const shape = { levelRatio: ratio, levelZeroCompactRuns: COMPACT_RUNS };
  const levelBytesBase = COMPACT_RUNS * memtableBytesMax;
  const engine = openEngine({
    disk: unsyncedDisk(),
    dir: join(bench.directory(), "store"),
    background: "step",
    memtableBytesMax,
    tableBytesMax: memtableBytesMax / 2,
    logBytesPerSync: 0,
    picker:
      picker === "tiered"
        ? createTieredPicker(shape)
        : createLeveledPicker({ ...shape, levelBytesBase }),
  });
  try {
    const random = randomNumbers(SEED);
    const draw = load.isSkewed ? zipfNumbers(load.keys, SEED) : () => random(load.keys);
    for (let at = 0; at < load.keys; at += BATCH) await fill(engine, at, (number) => number);
    const writes = load.keys * (load.passes - 1);
    const batches = Math.ceil(writes / BATCH);
    const reading = randomNumbers(SEED + 1);
    let found = 0;
    let space = 0;
    // Every key is there from the first pass on. The engine itself can only guess: it takes the
    // oldest run for the live data, and is far off while a new level has just begun.
    const liveBytes = load.keys * (keyOf(0).length + valueFor(0, 0).length);
    // Lookups all along: how many runs there are changes with every flush.
    const each = Math.ceil(load.lookups / batches);
    for (let at = 0; at < writes; at += BATCH) {
      await fill(engine, at, draw);
      const tableBytes = engine.stats().levels.reduce((sum, { bytes }) => sum + bytes, 0);
      space += tableBytes / liveBytes / batches;
      for (let lookup = 0; lookup < each; lookup += 1) {
        if (engine.get(keyOf(reading(load.keys))) !== undefined) found += 1;
      }
    }
    const { read, written, writeAmplification } = engine.stats();
    bench.work(`${picker} ${ratio} ${load.isSkewed} ${found} ${written.compactionBytes}`);
    const asked = read.tables / Math.max(1, read.lookups);
    return { ...of, write: writeAmplification, read: asked, space };
  } finally {
    await engine.close();
  }
}

async function fill(engine: Engine, from: number, numberAt: (at: number) => number): Promise<void> {
  const batch = createWriteBatch();
  for (let at = from; at < from + BATCH; at += 1) {
    const number = numberAt(at);
    batch.put(keyOf(number), valueFor(number, at));
  }
  await engine.write(batch);
  while (engine.step()) {
    // All that is due is done before the next batch.
  }
}

function seriesOf(cells: readonly Cell[], name: string): LabSeries {
  const points = cells.map(({ ratio, write, read }) => {
    return { x: round(write), y: round(read), label: String(ratio) };
  });
  return { name, points };
}

const DECIMALS = 100;

function round(value: number): number {
  return Math.round(value * DECIMALS) / DECIMALS;
}

async function measure(bench: Bench): Promise<LabResult> {
  const load = {
    keys: bench.parameter("keys", { small: 1000, canonical: 8_000 }),
    passes: bench.parameter("passes", { small: 2, canonical: 4 }),
    lookups: bench.parameter("lookups", { small: 200, canonical: 2000 }),
    memtableKib: bench.parameter("memtableKib", { small: 32, canonical: 24 }),
  };
  const measured = async (isSkewed: boolean): Promise<Cell[]> => {
    const cells: Cell[] = [];
    for (const picker of PICKERS) {
      for (const ratio of RATIOS) {
        const cell = await measureCell(bench, { picker, ratio }, { ...load, isSkewed });
        const name = `${picker} ${ratio}${isSkewed ? ", Zipf" : ""}`;
        bench.figure(`${name}: write amplification`, cell.write, "x");
        bench.figure(`${name}: tables asked for a lookup`, cell.read, "");
        bench.figure(`${name}: space amplification`, cell.space, "x");
        cells.push(cell);
      }
    }
    return cells;
  };
  const uniform = await measured(false);
  const skewed = await measured(true);
  const of = (cells: readonly Cell[], picker: Cell["picker"]) =>
    cells.filter((cell) => cell.picker === picker);
  const at = (cells: readonly Cell[], picker: Cell["picker"], ratio = RATIO_ASKED) =>
    of(cells, picker).find((cell) => cell.ratio === ratio)!;
  const mean = (cells: readonly Cell[], value: (cell: Cell) => number) =>
    cells.reduce((sum, cell) => sum + value(cell), 0) / cells.length;
  return {
    series: [
      seriesOf(of(uniform, "leveled"), "leveled, uniform"),
      seriesOf(of(uniform, "tiered"), "tiered, uniform"),
      seriesOf(of(skewed, "leveled"), "leveled, Zipf"),
      seriesOf(of(skewed, "tiered"), "tiered, Zipf"),
    ],
    figures: [...uniform, ...skewed].map(({ picker, ratio, space }, index) => ({
      kind: "space amplification",
      name: `${picker}, ${index < uniform.length ? "uniform" : "Zipf"}, ratio ${ratio}`,
      value: round(space),
      unit: "x",
    })),
    answer: round(at(uniform, "leveled").write),
    shape: [
      {
        claim: `at ratio ${RATIO_ASKED}, tiered writes less than leveled`,
        holds: at(uniform, "tiered").write < at(uniform, "leveled").write,
      },
      {
        claim: "over all ratios, tiered asks more tables for a lookup",
        holds:
          mean(of(uniform, "tiered"), ({ read }) => read) >
          mean(of(uniform, "leveled"), ({ read }) => read),
      },
      {
        claim: "keys that are often overwritten make leveled compaction write less",
        holds:
          mean(of(skewed, "leveled"), ({ write }) => write) <
          mean(of(uniform, "leveled"), ({ write }) => write),
      },
    ],
  };
}

/** The lab. */
export const lab: Lab = {
  id: "04.amplifications",
  title: "The three amplifications",
  question: "What does a store pay for each byte that you write, and what does it get for that?",
  about:
    "Leveled against tiered compaction, at ratios 2, 4, 8 and 10; keys drawn evenly, and by Zipf's law. Each store is filled, and then overwritten three times, with lookups in between. Held: keys of 16 bytes, values of 100, small memtables, so that several levels form. Counted, not timed: the figures are the same on every machine.",
  x: { label: "bytes written for one byte of yours", unit: "x", scale: "linear" },
  y: { label: "tables asked for a lookup", unit: "tables", scale: "linear" },
  pointLabel: "ratio",
  prediction: {
    ask: "Leveled compaction at ratio 4, keys drawn evenly: how many bytes are written to log and tables for one byte of yours?",
    unit: "x",
  },
  measure,
};
