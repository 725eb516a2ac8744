/**
 * How fast is a log read: all of it at recovery, and a few records in the middle?
 *
 * The files are in the page cache, so this is the processor's share: reading, checking, handing
 * out. The peer reads the same files without looking at the bytes. Nothing is synced while the
 * clock runs.
 */
import { closeSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import { createNodeDisk } from "#platform";
import { openWal } from "#wal";
import type { Bench } from "../harness/index.ts";

const SIZES = [200, 1024];
const MB = 1e6;
const CHUNK_BYTES = 1024 * 1024;

export async function recoveryScan(bench: Bench): Promise<void> {
  const logBytes = bench.parameter("logBytes", { small: 2e6, canonical: 1.28e8 });
  const rounds = bench.parameter("rounds", { small: 1, canonical: 5 });
  const disk = createNodeDisk();
  for (const payloadBytes of SIZES) {
    const dir = join(bench.directory(), "log");
    const { wal } = openWal({ disk, dir }, () => {});
    const payload = new Uint8Array(payloadBytes).map((_, i) => i * 31);
    const records = Math.floor(logBytes / payloadBytes);
    for (let i = 0; i < records; i += 1) wal.append(payload);
    wal.sync();
    await wal.close();
    const ours = bench.series(`recovery, ${payloadBytes}-byte payloads`);
    const theirs = bench.series(`reading the files, ${payloadBytes}-byte payloads`);
    let fileBytes = 0;
    for (let round = 0; round < rounds; round += 1) {
      fileBytes = theirs.measure(() => readAll(dir));
      const sum = { records: 0, bytes: 0 };
      const opened = ours.measure(() =>
        openWal({ disk, dir }, (record) => {
          sum.records += 1;
          sum.bytes += record.payload.length;
        }),
      );
      await opened.wal.close();
      if (sum.bytes !== records * payloadBytes) throw new Error("bench: records are missing");
      bench.work(`${sum.records} ${sum.bytes}`);
    }
    const us = ours.microsecondsAt(50);
    bench.figure(`scan of ${payloadBytes}-byte payloads`, fileBytes / us, "MB/s", { atLeast: 300 });
    bench.ratio(`time of a scan, ${payloadBytes}-byte payloads`, {
      subject: us,
      peer: theirs.microsecondsAt(50),
      peerName: "reading without looking",
    });
  }
}

export async function randomReads(bench: Bench): Promise<void> {
  const records = bench.parameter("records", { small: 5000, canonical: 200_000 });
  const reads = bench.parameter("reads", { small: 200, canonical: 20_000 });
  const disk = createNodeDisk();
  const dir = join(bench.directory(), "log");
  const { wal } = openWal({ disk, dir }, () => {});
  bench.defer(() => wal.close());
  const payload = new Uint8Array(SIZES[0]!).fill(3);
  for (let i = 0; i < records; i += 1) wal.append(payload);
  wal.sync();
  const series = bench.series("read of 8 records in the middle");
  let seen = 0;
  for (let i = 0; i < reads; i += 1) {
    // A step that shares no factor with the number of records visits them in no obvious order.
    const from = 1 + ((i * 7919) % (records - 8));
    series.measure(() => {
      wal.read({ from, before: from + 8 }, () => {
        seen += 1;
      });
    });
  }
  bench.work(String(seen));
  bench.figure("log behind the reads", wal.sizeBytes() / MB, "MB");
}

function readAll(dir: string): number {
  const chunk = new Uint8Array(CHUNK_BYTES);
  let bytes = 0;
  for (const name of readdirSync(dir)) {
    const file = openSync(join(dir, name), "r");
    for (let count = 1; count > 0; bytes += count)
      count = readSync(file, chunk, 0, CHUNK_BYTES, null);
    closeSync(file);
  }
  return bytes;
}
