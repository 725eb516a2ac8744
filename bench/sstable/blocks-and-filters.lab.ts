/**
 * Lab 03.blocks-and-filters: what does a lookup read, and what do a filter and the size of blocks
 * do about it?
 *
 * Tables of the same rows, with filters of 0 to 16 bits per key and blocks of three sizes. Counted
 * are the bytes that the table asks of the disk, so that the numbers are the same on every machine.
 * Not measured: time, caches, scans.
 */
import { join } from "node:path";
import { createNodeDisk } from "#platform";
import type { Disk, FileHandle } from "#platform/types";
import { createTableWriter, openTable, type Table } from "#sstable";
import type { Bench } from "../harness/index.ts";
import type { Lab, LabResult, LabSeries } from "../harness/lab-types.ts";
import { ID, keyOf, missingKeyOf, sampleValue } from "./sample.ts";

const BLOCK_SIZES = [512, 4096, 32_768];
const BITS = [0, 2, 4, 5, 6, 8, 10, 12, 14, 16];
/** Of the prediction. */
const BITS_ASKED = 10;
const BLOCK_ASKED = 4096;
/** Without a filter every miss reads: a few of them tell as much as many. */
const MISSES_WITHOUT_FILTER = 500;
const HITS = 500;
/** Lookups jump over the table. A prime, so that they meet every block. */
const STRIDE = 7919;
/** The least that is drawn: a logarithm has no place for nothing. */
const BYTES_MIN = 0.1;
/** How far from the formula, besides what chance does. */
const TOLERANCE = 0.3;
const DEVIATIONS = 3;

/** What was asked of the disk. */
interface Meter {
  bytes: number;
}

/** A disk that counts what is read from it. */
function meteredDisk(meter: Meter): Disk {
  const disk = createNodeDisk();
  const metered = (handle: FileHandle): FileHandle => ({
    size: () => handle.size(),
    read: (offset, target) => {
      meter.bytes += target.length;
      return handle.read(offset, target);
    },
    write: (offset, bytes) => handle.write(offset, bytes),
    truncate: (bytes) => handle.truncate(bytes),
    sync: () => handle.sync(),
    syncAsync: () => handle.syncAsync(),
    close: () => handle.close(),
  });
  return {
    open: (path, mode) => metered(disk.open(path, mode)),
    rename: (from, to) => disk.rename(from, to),
    unlink: (path) => disk.unlink(path),
    removeDir: (path) => disk.removeDir(path),
    list: (dir) => disk.list(dir),
    exists: (path) => disk.exists(path),
    makeDir: (path) => disk.makeDir(path),
    syncDir: (dir) => disk.syncDir(dir),
    lock: (path) => disk.lock(path),
  };
}

/** One table, and what lookups in it have read. */
interface Cell {
  readonly blockBytes: number;
  readonly bits: number;
  /** Bytes read by a lookup that finds its key. */
  readonly hit: number;
  /** Bytes read by a lookup that does not. */
  readonly miss: number;
  /** The share of misses that read anything. */
  readonly rate: number;
  readonly misses: number;
  readonly memoryBytes: number;
}

/** The share of maybes for keys that are not there. */
function predictedRate(bits: number): number {
  if (bits === 0) return 1;
  const probes = Math.max(1, Math.round(bits * Math.LN2));
  return (1 - Math.exp(-probes / bits)) ** probes;
}

function measureCell(
  bench: Bench,
  count: number,
  shape: { blockBytes: number; bits: number },
): Cell {
  const { blockBytes, bits } = shape;
  const meter: Meter = { bytes: 0 };
  const disk = meteredDisk(meter);
  const path = join(bench.directory(), "7.sst");
  const options = { disk, path, id: ID, blockBytes, filterBitsPerKey: bits };
  const writer = createTableWriter(options);
  for (let i = 0; i < count; i += 1) writer.add(keyOf(i), sampleValue(i), i + 1);
  writer.finish();
  const table = openTable({ disk, path, id: ID });
  const hits = bytesOfHits(table, count, meter);
  const misses = bits === 0 ? MISSES_WITHOUT_FILTER : count - 1;
  meter.bytes = 0;
  let read = 0;
  for (let i = 0; i < misses; i += 1) {
    const before = meter.bytes;
    // The last one would lie beyond the bounds.
    if (table.get(missingKeyOf((i * STRIDE) % (count - 1))).kind !== "absent") {
      throw new Error("bench: a key that nobody added was found");
    }
    if (meter.bytes > before) read += 1;
  }
  const { memoryBytes } = table;
  table.close();
  const bytes = { hit: hits / HITS, miss: meter.bytes / misses };
  return { blockBytes, bits, ...bytes, rate: read / misses, misses, memoryBytes };
}

function bytesOfHits(table: Table, count: number, meter: Meter): number {
  meter.bytes = 0;
  for (let i = 0; i < HITS; i += 1) {
    if (table.get(keyOf((i * STRIDE) % count)).kind !== "value") {
      throw new Error("bench: a key is missing");
    }
  }
  return meter.bytes;
}

function isNearFormula({ bits, rate, misses }: Cell): boolean {
  const predicted = predictedRate(bits);
  const noise = DEVIATIONS * Math.sqrt(predicted / misses);
  return Math.abs(rate - predicted) <= predicted * TOLERANCE + noise;
}

/** Measured, by the formula, and for comparison a hit: three lines for a size of blocks. */
function seriesOf(cells: readonly Cell[], blockBytes: number): LabSeries[] {
  const own = cells.filter((cell) => cell.blockBytes === blockBytes);
  const withoutFilter = own[0]!.miss;
  const line = (name: string, y: (cell: Cell) => number): LabSeries => ({
    name: `${name}, blocks of ${blockBytes} B`,
    points: own.map((cell) => ({ x: cell.bits, y: Math.max(BYTES_MIN, y(cell)) })),
  });
  return [
    line("a miss", ({ miss }) => miss),
    line("a miss by the formula", ({ bits }) => predictedRate(bits) * withoutFilter),
    line("a hit", ({ hit }) => hit),
  ];
}

function measure(bench: Bench): LabResult {
  const count = bench.parameter("keys", { small: 400, canonical: 20_000 });
  const cells = BLOCK_SIZES.flatMap((blockBytes) =>
    BITS.map((bits) => measureCell(bench, count, { blockBytes, bits })),
  );
  const at = (blockBytes: number, bits: number): Cell =>
    cells.find((cell) => cell.blockBytes === blockBytes && cell.bits === bits)!;
  for (const { blockBytes, bits, rate, memoryBytes } of cells) {
    bench.work(`${blockBytes} ${bits} ${rate}`);
    if (blockBytes === BLOCK_ASKED) bench.figure(`misses that read, ${bits} bits`, rate * 100, "%");
    if (bits === 0) bench.figure(`index of blocks of ${blockBytes}`, memoryBytes, "bytes");
  }
  const answer = at(BLOCK_ASKED, BITS_ASKED).miss;
  return {
    series: BLOCK_SIZES.flatMap((blockBytes) => seriesOf(cells, blockBytes)),
    answer,
    shape: [
      {
        claim: "false positives are within 30 % of the formula, chance aside, for every filter",
        holds: cells.every(isNearFormula),
      },
      {
        claim: "a hit reads one block, whatever the filter",
        holds: cells.every(({ hit, blockBytes }) => hit > blockBytes / 2 && hit <= blockBytes),
      },
      {
        claim: "a miss without a filter reads as much as a hit",
        holds: BLOCK_SIZES.every((size) => Math.abs(at(size, 0).miss / at(size, 0).hit - 1) < 0.1),
      },
      {
        claim: "5 bits more per key make a miss read five times less, or still less",
        holds: BLOCK_SIZES.every((size) => at(size, 5).miss >= 5 * at(size, BITS_ASKED).miss),
      },
      {
        claim: "blocks of 512 bytes need at least four times the index of blocks of 4096",
        holds: at(512, 0).memoryBytes >= 4 * at(BLOCK_ASKED, 0).memoryBytes,
      },
    ],
  };
}

export const lab: Lab = {
  id: "03.blocks-and-filters",
  title: "Blocks, filters, and what a lookup reads",
  question: "How many bytes does a lookup read that finds nothing, and what does each bit save?",
  about:
    "Tables of 20,000 rows of 116 bytes, with filters of 0 to 16 bits per key and blocks of 512, 4096 and 32,768 bytes. Counted: the bytes that a lookup asks of the disk, for keys that are there and for keys that are not. Not measured: time, caches, scans.",
  x: { label: "bits per key", unit: "bits", scale: "linear" },
  y: { label: "bytes read by a lookup", unit: "bytes", scale: "log" },
  prediction: {
    ask: "How many bytes does a lookup of a missing key read on average, with blocks of 4096 bytes and 10 bits per key?",
    unit: "bytes",
  },
  measure,
};
