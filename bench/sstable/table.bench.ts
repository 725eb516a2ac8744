/**
 * How fast is one table: building it, looking keys up, scanning it?
 *
 * The file is in the page cache, so this is the processor's share and the system calls'. The peer
 * of a cold lookup is a read of as many bytes at the same places without a look at them. Building
 * ends with one sync of the file and one of its directory; nothing else is synced.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Bytes } from "#base";
import { createNodeDisk } from "#platform";
import { createBlockCache, createTableWriter, openTable, type Table } from "#sstable";
import type { Bench } from "../harness/index.ts";
import { ID, KEY_DIGITS, keyOf, missingKeyOf, sampleValue, VALUE_BYTES } from "./sample.ts";

const MB = 1e6;
const CACHE_BYTES = 256 * 1024 * 1024;
/** Shares no factor with the numbers of keys: visits them in no obvious order. */
const STRIDE = 7919;
/** Lookups timed together: the clock itself costs as much as a lookup. */
const BATCH = 100;

/** Times a batch of calls as one. */
function batches(
  count: number,
  record: (ns: number) => void,
  bench: Bench,
  run: (i: number) => void,
) {
  for (let first = 0; first + BATCH <= count; first += BATCH) {
    const start = bench.now();
    for (let i = first; i < first + BATCH; i += 1) run((i * STRIDE) % count);
    record((bench.now() - start) / BATCH);
  }
}

export function buildLookUpScan(bench: Bench): void {
  const count = bench.parameter("keys", { small: 5000, canonical: 200_000 });
  const rounds = bench.parameter("rounds", { small: 1, canonical: 5 });
  const disk = createNodeDisk();
  const path = join(bench.directory(), "7.sst");
  const keys = Array.from({ length: count }, (_, i) => keyOf(i));
  const missing = Array.from({ length: count }, (_, i) => missingKeyOf(i));
  const values = Array.from({ length: 256 }, (_, i) => sampleValue(i));
  const payload = count * (KEY_DIGITS + VALUE_BYTES);
  for (let round = 0; round < rounds; round += 1) {
    bench.series("build").measure(() => {
      const writer = createTableWriter({ disk, path, id: ID });
      for (let i = 0; i < count; i += 1) writer.add(keys[i]!, values[i & 255]!, i + 1);
      bench.work(String(writer.finish().bytes));
    });
  }
  bench.figure("build", payload / bench.series("build").microsecondsAt(50), "MB/s of payload");

  const cold = openTable({ disk, path, id: ID });
  const cache = createBlockCache(CACHE_BYTES);
  const hot = bench.series("open").measure(() => openTable({ disk, path, id: ID, cache }));
  bench.defer(() => cold.close());
  bench.defer(() => hot.close());
  const find = (table: Table, key: Bytes, kind: string): void => {
    if (table.get(key).kind !== kind) throw new Error("bench: a lookup went wrong");
  };
  for (const key of keys) find(hot, key, "value");
  const file = openSync(path, "r");
  bench.defer(() => closeSync(file));
  const target = new Uint8Array(4096);
  const blockBytes = Math.floor(cold.meta.bytes / target.length);
  for (let round = 0; round < rounds; round += 1) {
    const series = (name: string) => (ns: number) => bench.series(name).record(ns);
    batches(count, series("get, not cached"), bench, (i) => find(cold, keys[i]!, "value"));
    batches(count, series("read of 4 KiB"), bench, (i) => {
      readSync(file, target, 0, target.length, (i % blockBytes) * target.length);
    });
    batches(count, series("get, cached"), bench, (i) => find(hot, keys[i]!, "value"));
    batches(count, series("get, cached, 100 keys"), bench, (i) =>
      find(hot, keys[i % 100]!, "value"),
    );
    batches(count, series("get, missing"), bench, (i) => find(hot, missing[i]!, "absent"));
    scan(bench, cold, count);
  }
  const at = (name: string): number => bench.series(name).microsecondsAt(50);
  for (const name of ["get, cached", "get, cached, 100 keys", "get, missing"]) {
    bench.figure(name, at(name), "µs");
  }
  const peer = { subject: at("get, not cached"), peer: at("read of 4 KiB") };
  bench.ratio("get, not cached", { ...peer, peerName: "readSync of 4 KiB" });
  for (const name of ["forward", "reverse"]) {
    bench.figure(`scan ${name}`, (at(`scan ${name}`) * 1000) / count, "ns per entry");
  }
  bench.figure("file", cold.meta.bytes / MB, "MB");
}

/** Every entry with its key and its value, in both directions. */
function scan(bench: Bench, table: Table, count: number): void {
  const cursor = table.cursor();
  let bytes = 0;
  let entries = 0;
  bench.series("scan forward").measure(() => {
    for (cursor.seekFirst(); cursor.valid; cursor.next()) {
      bytes += cursor.key.length + cursor.value.length;
      entries += 1;
    }
  });
  bench.series("scan reverse").measure(() => {
    for (cursor.seekLast(); cursor.valid; cursor.prev()) {
      bytes += cursor.key.length + cursor.value.length;
      entries += 1;
    }
  });
  cursor.close();
  if (entries !== 2 * count) throw new Error("bench: entries are missing");
  bench.work(`${entries} ${bytes}`);
}
