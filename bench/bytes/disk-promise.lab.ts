/**
 * Lab 00.disk-promise: what does your disk promise, and what does it take for it?
 *
 * Small writes with and without a sync, into a file that grows and one that has its size already;
 * a directory sync; `replaceFile` of `#bytes`. All in turns, so that all see the same disk. Not
 * measured: several writers, reads, a disk that is busy with something else.
 */
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { replaceFile } from "#bytes";
import { createNodeDisk } from "#platform";
import type { Bench, Series } from "../harness/index.ts";
import type { Lab, LabResult, LabSeries } from "../harness/lab-types.ts";

const SMALL_BYTES = 128;
const PAGE_BYTES = 4096;
const PREALLOCATED_BYTES = 4 * 1024 * 1024;
const WARM_UP = 10;
/** A slow disk gets fewer rounds, and no longer wait. */
const SECONDS_MAX = 20;
const NANOSECONDS = 1e9;
const PERCENTILES = [1, 10, 25, 50, 75, 90, 95, 99, 100];
/** What statfs calls a file system in memory, on Linux. */
const TMPFS_TYPE = 0x0102_1994;
/** Two medians that differ by less than a third are one: other work on the machine does that. */
const NOISE = 0.67;

/** One thing that is timed. */
interface Subject {
  readonly series: Series;
  once(round: number): void;
}

const NAMES = {
  write: "write 128 B, no sync",
  fdatasync: "write 128 B + fdatasync",
  growing: "append 128 B + fdatasync",
  fsync: "append 128 B + fsync",
  page: "write 4 KiB + fdatasync",
  directory: "make a name + sync directory",
  replace: "replaceFile, 128 B",
} as const;

/** Opens a file in the bench's directory; closed at the end. */
function fileIn(bench: Bench, dir: string, options: { name: string; bytes: number }): number {
  const file = openSync(join(dir, options.name), "w");
  bench.defer(() => closeSync(file));
  if (options.bytes > 0) writeSync(file, new Uint8Array(options.bytes));
  fsyncSync(file);
  return file;
}

function subjectsIn(bench: Bench, dir: string): Subject[] {
  const small = new Uint8Array(SMALL_BYTES).fill(1);
  const page = new Uint8Array(PAGE_BYTES).fill(2);
  const file = (name: string, bytes = 0) => fileIn(bench, dir, { name, bytes });
  const [cached, fixed] = [file("cached"), file("fixed", PREALLOCATED_BYTES)];
  const [growing, growingToo] = [file("growing"), file("growing-too")];
  const pages = file("pages", PREALLOCATED_BYTES);
  const disk = createNodeDisk();
  const add = (name: string, once: (round: number) => void): Subject => ({
    series: bench.series(name),
    once,
  });
  const place = (round: number, bytes: number) => (round * bytes) % PREALLOCATED_BYTES;
  return [
    add(NAMES.write, (round) => {
      writeSync(cached, small, 0, SMALL_BYTES, place(round, SMALL_BYTES));
    }),
    add(NAMES.fdatasync, (round) => {
      writeSync(fixed, small, 0, SMALL_BYTES, place(round, SMALL_BYTES));
      fdatasyncSync(fixed);
    }),
    add(NAMES.growing, (round) => {
      writeSync(growing, small, 0, SMALL_BYTES, round * SMALL_BYTES);
      fdatasyncSync(growing);
    }),
    add(NAMES.fsync, (round) => {
      writeSync(growingToo, small, 0, SMALL_BYTES, round * SMALL_BYTES);
      fsyncSync(growingToo);
    }),
    add(NAMES.page, (round) => {
      writeSync(pages, page, 0, PAGE_BYTES, place(round, PAGE_BYTES));
      fdatasyncSync(pages);
    }),
    add(NAMES.directory, (round) => {
      const path = join(dir, `name-${round}`);
      closeSync(openSync(path, "w"));
      disk.syncDir(dir);
      unlinkSync(path);
    }),
    add(NAMES.replace, () => replaceFile(disk, join(dir, "settings"), small)),
  ];
}

function measure(bench: Bench): LabResult {
  const rounds = bench.parameter("rounds", { small: 20, canonical: 1000 });
  const dir = bench.directory();
  const subjects = subjectsIn(bench, dir);
  const end = bench.now() + SECONDS_MAX * NANOSECONDS;
  let done = 0;
  for (; done < rounds + WARM_UP && bench.now() < end; done += 1) {
    // Another one begins each round: whoever comes first after a pause must not always be the same.
    for (let turn = 0; turn < subjects.length; turn += 1) {
      const { series, once } = subjects[(done + turn) % subjects.length]!;
      if (done < WARM_UP) once(done);
      else series.measure(() => once(done));
    }
  }
  bench.work(`${subjects.length} kinds of writes, ${SMALL_BYTES} and ${PAGE_BYTES} bytes`);
  const median = (name: string) => bench.series(name).microsecondsAt(50);
  const synced = median(NAMES.fdatasync);
  return {
    series: subjects.map(({ series }) => distributionOf(series)),
    answer: synced,
    shape: [
      {
        claim: "the files are on a disk, and not in memory (tmpfs)",
        holds: statfsSync(dir).type !== TMPFS_TYPE,
      },
      {
        claim:
          "a write without a sync takes less than a tenth of one with fdatasync, at the median",
        holds: median(NAMES.write) * 10 < synced,
      },
      {
        claim:
          "appending costs no less, give or take a third, than writing into a file of full size",
        holds: median(NAMES.growing) > NOISE * synced,
      },
      {
        claim: "4 KiB with a sync cost less than 32 times 128 B with a sync, at the median",
        holds: median(NAMES.page) < (PAGE_BYTES / SMALL_BYTES) * synced,
      },
      {
        claim:
          "replaceFile costs more than one sync: it makes two, of the file and of the directory",
        holds: median(NAMES.replace) > synced,
      },
    ],
  };
}

/** Which time so many of the calls did not exceed. */
function distributionOf(series: Series): LabSeries {
  return {
    name: series.name,
    points: PERCENTILES.map((percentile) => ({
      x: percentile,
      y: series.microsecondsAt(percentile),
    })),
  };
}

export const lab: Lab = {
  id: "00.disk-promise",
  title: "What does your disk promise?",
  question: "How long does it take until a small write is on disk, and what does that depend on?",
  about:
    "Varied: with a sync or without, fdatasync or fsync, a file that grows or one that has its size, " +
    "128 bytes or 4 KiB, a directory, replaceFile. Held: one thread, one write at a time, all in " +
    "turns on one disk. Not measured: several writers at once, a disk that others use.",
  x: { label: "of the calls, the quickest", unit: "%", scale: "linear" },
  y: { label: "time until the call returned", unit: "µs", scale: "log" },
  prediction: {
    ask: "How many microseconds does a write of 128 bytes with fdatasync take, at the median?",
    unit: "µs",
  },
  measure,
};
