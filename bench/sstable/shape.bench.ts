/**
 * Which block size, how many bits per key, and is compression worth it?
 *
 * For each block size: bytes read by a lookup that finds its key, size of the index in memory, size
 * of the file. For each number of bits: the share of lookups of missing keys that read a block, and
 * the share that the formula predicts. The file is in the page cache; nothing is synced while the
 * clock runs.
 */
import { join } from "node:path";
import type { Bytes } from "#base";
import { createNodeDisk } from "#platform";
import { createTableWriter, openTable, type Table, type TableWriterOptions } from "#sstable";
import type { Bench } from "../harness/index.ts";
import { ID, keyOf, missingKeyOf, sampleValue } from "./sample.ts";

const BLOCK_SIZES = [512, 1024, 4096, 16_384, 65_536];
const BITS = [0, 2, 4, 6, 8, 10, 12, 16];
const LOOKUPS = 1000;
const STRIDE = 7919;

type Shape = Pick<TableWriterOptions, "blockBytes" | "filterBitsPerKey" | "compression">;

function build(bench: Bench, count: number, shape: Shape): Table {
  const disk = createNodeDisk();
  const path = join(bench.directory(), "7.sst");
  const writer = createTableWriter({ disk, path, id: ID, ...shape });
  for (let i = 0; i < count; i += 1) writer.add(keyOf(i), sampleValue(i), i + 1);
  writer.finish();
  const table = openTable({ disk, path, id: ID });
  bench.defer(() => table.close());
  return table;
}

function lookUp(bench: Bench, name: string, count: number, table: Table): void {
  const keys = Array.from({ length: LOOKUPS }, (_, i) => keyOf((i * STRIDE) % count));
  const find = (key: Bytes): void => {
    if (table.get(key).kind !== "value") throw new Error("bench: a key is missing");
  };
  for (const key of keys) find(key);
  for (const key of keys) bench.series(name).measure(() => find(key));
}

export function blockSize(bench: Bench): void {
  const count = bench.parameter("keys", { small: 3000, canonical: 100_000 });
  for (const blockBytes of BLOCK_SIZES) {
    const table = build(bench, count, { blockBytes, filterBitsPerKey: 0 });
    const name = `get, blocks of ${blockBytes}`;
    lookUp(bench, name, count, table);
    const { bytes, blocks } = table.reads;
    bench.work(`${bytes} ${table.meta.bytes}`);
    bench.figure(`read by a get, blocks of ${blockBytes}`, bytes / blocks, "bytes");
    bench.figure(`index in memory, blocks of ${blockBytes}`, table.memoryBytes / 1000, "kB");
    bench.figure(name, bench.series(name).microsecondsAt(50), "µs");
  }
}

export function bitsPerKey(bench: Bench): void {
  const count = bench.parameter("keys", { small: 3000, canonical: 100_000 });
  for (const bits of BITS) {
    const table = build(bench, count, { filterBitsPerKey: bits });
    // The last one lies beyond the bounds.
    for (let i = 0; i + 1 < count; i += 1) table.get(missingKeyOf(i));
    const measured = 1 - table.reads.filtered / (count - 1);
    const probes = Math.max(1, Math.round(bits * Math.LN2));
    const predicted = bits === 0 ? 1 : (1 - Math.exp(-probes / bits)) ** probes;
    bench.work(`${bits} ${table.reads.filtered}`);
    bench.figure(`misses that read, ${bits} bits per key`, measured * 100, "%");
    bench.figure(`the formula, ${bits} bits per key`, predicted * 100, "%");
  }
}

export function compression(bench: Bench): void {
  const count = bench.parameter("keys", { small: 2000, canonical: 100_000 });
  const at = (name: string): number => bench.series(name).microsecondsAt(50);
  for (const kind of ["none", "deflate"] as const) {
    const table = bench
      .series(`build, ${kind}`)
      .measure(() => build(bench, count, { compression: kind }));
    lookUp(bench, `get, ${kind}`, count, table);
    bench.work(String(table.meta.entries));
    bench.figure(`file, ${kind}`, table.meta.bytes / 1e6, "MB");
  }
  for (const step of ["build", "get"]) {
    bench.ratio(`${step} deflated`, {
      subject: at(`${step}, deflate`),
      peer: at(`${step}, none`),
      peerName: "without compression",
    });
  }
}
