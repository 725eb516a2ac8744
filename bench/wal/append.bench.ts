/**
 * What does a durable append cost, above what the disk asks for anyway?
 *
 * Every operation here is synced with fdatasync. The peer is the least that could be done: writing
 * the same bytes into a preallocated file and syncing it. Not measured: recovery (scan.bench.ts),
 * and appends without a sync, which only measure the processor.
 */
import { closeSync, fdatasyncSync, fsyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createNodeDisk } from "#platform";
import { openWal } from "#wal";
import type { Wal } from "#wal/types";
import type { Bench } from "../harness/index.ts";

const PAYLOAD_BYTES = 200;
const WARM_UP = 20;
const RAW_FILE_BYTES = 16 * 1024 * 1024;

export async function appendAndSync(bench: Bench): Promise<void> {
  const appends = bench.parameter("appends", { small: 60, canonical: 4000 });
  const dir = bench.directory();
  const wal = openIn(bench, join(dir, "log"));
  const raw = openSync(join(dir, "raw"), "w");
  bench.defer(() => closeSync(raw));
  writeSync(raw, new Uint8Array(RAW_FILE_BYTES));
  fsyncSync(raw);
  const ours = bench.series("cairn append + sync");
  const theirs = bench.series("raw write + fdatasync");
  const payload = new Uint8Array(PAYLOAD_BYTES).fill(7);
  let offset = 0;
  for (let i = -WARM_UP; i < appends; i += 1) {
    const one = () => {
      wal.append(payload);
      wal.sync();
    };
    const other = () => {
      writeSync(raw, payload, 0, PAYLOAD_BYTES, offset % (RAW_FILE_BYTES / 2));
      fdatasyncSync(raw);
    };
    offset += PAYLOAD_BYTES;
    if (i < 0) {
      one();
      other();
    } else if (i % 2 === 0) {
      ours.measure(one);
      theirs.measure(other);
    } else {
      theirs.measure(other);
      ours.measure(one);
    }
  }
  bench.work(`${appends} x ${PAYLOAD_BYTES}, next ${wal.nextLsn}`);
  const at = (percentile: number) => ({
    subject: ours.microsecondsAt(percentile),
    peer: theirs.microsecondsAt(percentile),
    peerName: theirs.name,
  });
  bench.ratio("durable append at p50", at(50), { atMost: 1.3 });
  bench.ratio("durable append at p99", at(99));
}

export async function groupCommit(bench: Bench): Promise<void> {
  const rounds = bench.parameter("rounds", { small: 1, canonical: 5 });
  const alone = bench.parameter("commitsAlone", { small: 60, canonical: 1500 });
  const together = bench.parameter("commitsTogether", { small: 1000, canonical: 60_000 });
  const callers = bench.parameter("callers", { small: 64, canonical: 64 });
  const wal = openIn(bench, join(bench.directory(), "log"));
  await commitAll(bench, wal, { callers, commits: callers * WARM_UP, series: "warm-up" });
  let [aloneNs, togetherNs] = [0, 0];
  for (let round = 0; round < rounds; round += 1) {
    aloneNs += await commitAll(bench, wal, { callers: 1, commits: alone, series: "1 caller" });
    const series = `${callers} callers`;
    togetherNs += await commitAll(bench, wal, { callers, commits: together, series });
  }
  const perSecond = (commits: number, nanoseconds: number) =>
    (commits * rounds * 1e9) / nanoseconds;
  const subject = perSecond(together, togetherNs);
  const peer = perSecond(alone, aloneNs);
  bench.work(`${wal.nextLsn}`);
  bench.figure(`${callers} callers`, subject, "commits/s");
  bench.figure("1 caller", peer, "commits/s");
  bench.ratio(
    "throughput of group commit",
    { subject, peer, peerName: "1 caller" },
    { atLeast: 20 },
  );
}

/** Commits from several callers at once, each waiting for its own. @returns nanoseconds in all. */
async function commitAll(
  bench: Bench,
  wal: Wal,
  run: { readonly callers: number; readonly commits: number; readonly series: string },
): Promise<number> {
  const payload = new Uint8Array(PAYLOAD_BYTES).fill(7);
  const series = bench.series(run.series);
  const start = bench.now();
  let left = run.commits;
  const caller = async () => {
    while (left > 0) {
      left -= 1;
      const began = bench.now();
      await wal.commit(payload);
      series.record(bench.now() - began);
    }
  };
  await Promise.all(Array.from({ length: run.callers }, caller));
  return bench.now() - start;
}

function openIn(bench: Bench, dir: string): Wal {
  const { wal } = openWal({ disk: createNodeDisk(), dir }, () => {});
  bench.defer(() => wal.close());
  return wal;
}
