/**
 * What the disk and the machine are like, before a lab measures anything on them.
 *
 * A lab's numbers are promises of this disk; they are kept together with what the disk does when
 * nothing of ours is in the way: one page written and synced, and a long file written in one go.
 */
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  writeSync,
} from "node:fs";
import { arch, cpus, platform, release } from "node:os";
import { join } from "node:path";
import { createSeries } from "./series.ts";
import type { BenchSize } from "./types.ts";

/** Where the labs write as well. */
const SCRATCH = "data/bench";
const PAGE_BYTES = 4096;
const FILE_PAGES = 64;
const CHUNK_BYTES = 1024 * 1024;
/** From statfs(2); others are shown as numbers. */
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  61267: "ext4",
  1481003842: "xfs",
  2435016766: "btrfs",
  16914836: "tmpfs",
  2240043254: "ramfs",
  2035054128: "overlayfs",
  801189825: "zfs",
  26985: "nfs",
};

/** The disk and the machine. */
export interface Calibration {
  readonly fdatasyncMicroseconds: { readonly p50: number; readonly p99: number };
  readonly sequentialMegabytesPerSecond: number;
  readonly fileSystem: string;
  readonly node: string;
  readonly processor: string;
  readonly processors: number;
  readonly system: string;
  /** What makes the numbers worth less than they look. */
  readonly warnings: readonly string[];
}

/** Measures the disk that the labs use. Takes about a second. */
export function calibrate(size: BenchSize): Calibration {
  mkdirSync(SCRATCH, { recursive: true });
  const dir = mkdtempSync(join(SCRATCH, "calibrate-"));
  try {
    const fileSystem = fileSystemOf(dir);
    const processors = cpus();
    return {
      fdatasyncMicroseconds: probeSync(join(dir, "probe"), size === "small" ? 50 : 1000),
      sequentialMegabytesPerSecond: probeWrite(join(dir, "long"), size === "small" ? 4 : 128),
      fileSystem,
      node: process.versions.node,
      processor: processors[0]?.model.trim() ?? "unknown",
      processors: processors.length,
      system: `${platform()} ${release()} ${arch()}`,
      warnings: warningsFor(fileSystem),
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The calibration as lines for people. */
export function calibrationLines(one: Calibration): string[] {
  const { p50, p99 } = one.fdatasyncMicroseconds;
  const rate = Math.round(one.sequentialMegabytesPerSecond).toLocaleString("en-US");
  return [
    `This disk: one page and fdatasync ${Math.round(p50)} µs at p50, ` +
      `${Math.round(p99)} µs at p99; long writes ${rate} MB/s; ${one.fileSystem}`,
    `This machine: ${one.processors} × ${one.processor}, Node ${one.node}, ${one.system}`,
    ...one.warnings.map((text) => `Warning: ${text}`),
  ];
}

function fileSystemOf(dir: string): string {
  try {
    const { type } = statfsSync(dir);
    return FILE_SYSTEMS[type >>> 0] ?? `file system ${type}`;
  } catch {
    return "file system unknown";
  }
}

function warningsFor(fileSystem: string): string[] {
  if (fileSystem !== "tmpfs" && fileSystem !== "ramfs") return [];
  return [
    `${fileSystem} is memory: a sync does nothing there, and every number about one is meaningless. ` +
      "Move the repository to a real disk.",
  ];
}

/** One page written and synced, in a file that does not grow. */
function probeSync(path: string, probes: number): { p50: number; p99: number } {
  const file = openSync(path, "w");
  try {
    const page = new Uint8Array(PAGE_BYTES).fill(1);
    for (let at = 0; at < FILE_PAGES; at += 1) writeSync(file, page, 0, PAGE_BYTES);
    fsyncSync(file);
    const series = createSeries("page and fdatasync");
    for (let probe = 0; probe < probes; probe += 1) {
      series.measure(() => {
        writeSync(file, page, 0, PAGE_BYTES, (probe % FILE_PAGES) * PAGE_BYTES);
        fdatasyncSync(file);
      });
    }
    return { p50: series.microsecondsAt(50), p99: series.microsecondsAt(99) };
  } finally {
    closeSync(file);
  }
}

/** Megabytes per second of a file written in one go and synced at its end. */
function probeWrite(path: string, chunks: number): number {
  const file = openSync(path, "w");
  try {
    const chunk = new Uint8Array(CHUNK_BYTES).fill(1);
    const start = performance.now();
    for (let at = 0; at < chunks; at += 1) writeSync(file, chunk, 0, CHUNK_BYTES);
    fsyncSync(file);
    const seconds = (performance.now() - start) / 1000;
    return (chunks * CHUNK_BYTES) / 1e6 / seconds;
  } finally {
    closeSync(file);
  }
}
