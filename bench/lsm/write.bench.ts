/**
 * What does a write cost: alone, in batches, and safe from power loss?
 *
 * Single writes and batches are handed to the system before they are answered, not synced; their
 * peer is handing the system the same bytes with one `write` call each 256. Synced writes have the
 * disk's own speed as their limit: the same bytes written into a file that does not grow, and
 * synced. Not measured: writes while compaction cannot keep up (load.bench.ts).
 */
import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createWriteBatch, openEngine } from "#lsm";
import type { Engine } from "#lsm/types";
import {
  type Bench,
  KEY_BYTES,
  keyOf,
  randomNumbers,
  VALUE_BYTES,
  valueFor,
} from "../harness/index.ts";

const IN_FLIGHT = 256;
const BATCH = 1000;
const WARM_UP = 20;
const RAW_FILE_BYTES = 16 * 1024 * 1024;
const RECORD_BYTES = KEY_BYTES + VALUE_BYTES;
const NANOSECONDS_PER_MICROSECOND = 1000;

export async function singleWrites(bench: Bench): Promise<void> {
  const writes = bench.parameter("writes", { small: 5000, canonical: 1_000_000 });
  const dir = bench.directory();
  const engine = openIn(bench, dir);
  const raw = openSync(join(dir, "raw"), "w");
  bench.defer(() => closeSync(raw));
  const ours = bench.series(`${IN_FLIGHT} puts in flight`);
  const theirs = bench.series(`write of ${IN_FLIGHT} records`);
  const bytes = new Uint8Array(IN_FLIGHT * RECORD_BYTES).fill(7);
  const random = randomNumbers(1);
  let rawOffset = 0;
  const start = bench.now();
  let rawNs = 0;
  for (let from = 0; from < writes; from += IN_FLIGHT) {
    await ours.measureAsync(() => {
      const answers: Promise<void>[] = [];
      for (let at = 0; at < IN_FLIGHT; at += 1) {
        const number = random(writes);
        answers.push(engine.put(keyOf(number), valueFor(number, from)));
      }
      return Promise.all(answers);
    });
    const begun = bench.now();
    theirs.measure(() => writeSync(raw, bytes, 0, bytes.length, rawOffset));
    rawNs += bench.now() - begun;
    rawOffset = (rawOffset + bytes.length) % RAW_FILE_BYTES;
  }
  const ns = bench.now() - start - rawNs;
  bench.work(`${engine.stats().written.operations}`);
  bench.figure("single put", ns / writes / NANOSECONDS_PER_MICROSECOND, "µs");
  bench.ratio(
    `${IN_FLIGHT} puts at p50`,
    {
      subject: ours.microsecondsAt(50),
      peer: theirs.microsecondsAt(50),
      peerName: "one write call of the same bytes",
    },
    { atMost: 20 },
  );
}

export async function batches(bench: Bench): Promise<void> {
  const writes = bench.parameter("writes", { small: 10_000, canonical: 2_000_000 });
  const engine = openIn(bench, bench.directory());
  const batch = createWriteBatch();
  const random = randomNumbers(2);
  const series = bench.series(`batch of ${BATCH}`);
  const start = bench.now();
  for (let from = 0; from < writes; from += BATCH) {
    await series.measureAsync(() => {
      batch.clear();
      for (let at = 0; at < BATCH; at += 1) {
        const number = random(writes);
        batch.put(keyOf(number), valueFor(number, from));
      }
      return engine.write(batch);
    });
  }
  const ns = bench.now() - start;
  bench.work(`${engine.stats().written.operations}`);
  bench.figure("put in a batch", ns / writes / NANOSECONDS_PER_MICROSECOND, "µs");
  bench.figure("throughput", (writes * RECORD_BYTES) / (ns / NANOSECONDS_PER_MICROSECOND), "MB/s");
}

export async function syncedWrites(bench: Bench): Promise<void> {
  const writes = bench.parameter("writes", { small: 30, canonical: 2000 });
  const dir = bench.directory();
  const engine = openIn(bench, dir);
  const raw = openSync(join(dir, "raw"), "w");
  bench.defer(() => closeSync(raw));
  writeSync(raw, new Uint8Array(RAW_FILE_BYTES));
  fsyncSync(raw);
  const bytes = new Uint8Array(RECORD_BYTES).fill(7);
  const ours = bench.series("put + sync");
  const theirs = bench.series("raw write + fdatasync");
  for (let at = -WARM_UP; at < writes; at += 1) {
    const put = () => engine.put(keyOf(at + WARM_UP), valueFor(at + WARM_UP, 0), { sync: true });
    const rawWrite = () => {
      writeSync(raw, bytes, 0, RECORD_BYTES, (at + WARM_UP) * RECORD_BYTES);
      fdatasyncSync(raw);
    };
    if (at < 0) {
      await put();
      rawWrite();
    } else if (at % 2 === 0) {
      await ours.measureAsync(put);
      theirs.measure(rawWrite);
    } else {
      theirs.measure(rawWrite);
      await ours.measureAsync(put);
    }
  }
  bench.work(`${engine.stats().written.operations}`);
  const at = (percentile: number) => ({
    subject: ours.microsecondsAt(percentile),
    peer: theirs.microsecondsAt(percentile),
    peerName: theirs.name,
  });
  bench.ratio("synced put at p50", at(50), { atMost: 1.5 });
  bench.ratio("synced put at p99", at(99));
}

function openIn(bench: Bench, dir: string): Engine {
  const engine = openEngine({ dir: join(dir, "store") });
  bench.defer(() => engine.close());
  return engine;
}
