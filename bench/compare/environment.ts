/**
 * What machine this was: without it, no number in the report means anything.
 */
import { closeSync, fdatasyncSync, openSync, rmSync, statfsSync, writeSync } from "node:fs";
import { arch, cpus, loadavg, platform, release, totalmem } from "node:os";
import { join } from "node:path";
import { median } from "./statistics.ts";
import type { Environment } from "./types.ts";

const PAGE_BYTES = 4096;
const PROBE_PAGES = 64;
const PROBES = 100;
/** From statfs(2); others are shown as numbers. */
const FILESYSTEMS: Readonly<Record<number, string>> = {
  61267: "ext4",
  1481003842: "xfs",
  2435016766: "btrfs",
  16914836: "tmpfs",
  2035054128: "overlayfs",
};

/**
 * Looks at the machine.
 *
 * @returns a function to call at the end, for what can only be known then.
 */
export function observeEnvironment(dir: string): () => Environment {
  const start = performance.now();
  const started = new Date().toISOString();
  const loadAtStart = loadavg()[0]!;
  const fdatasyncMicroseconds = probeSync(dir);
  return () => {
    const processors = cpus();
    const type = statfsSync(dir).type;
    return {
      processor: processors[0]?.model.trim() ?? "unknown",
      processors: processors.length,
      memoryBytes: totalmem(),
      kernel: `${platform()} ${release()} ${arch()}`,
      node: process.versions.node,
      filesystem: FILESYSTEMS[type] ?? `type ${type}`,
      fdatasyncMicroseconds,
      loadAverage: [loadAtStart, loadavg()[0]!],
      started,
      seconds: (performance.now() - start) / 1000,
    };
  };
}

/** Median microseconds of one page written and synced, in a file that does not grow. */
function probeSync(dir: string): number {
  const path = join(dir, "probe");
  const file = openSync(path, "w");
  try {
    const page = new Uint8Array(PAGE_BYTES).fill(1);
    for (let at = 0; at < PROBE_PAGES; at += 1) writeSync(file, page, 0, PAGE_BYTES);
    fdatasyncSync(file);
    const times: number[] = [];
    for (let probe = 0; probe < PROBES; probe += 1) {
      const begun = performance.now();
      writeSync(file, page, 0, PAGE_BYTES, (probe % PROBE_PAGES) * PAGE_BYTES);
      fdatasyncSync(file);
      times.push((performance.now() - begun) * 1000);
    }
    return median(times);
  } finally {
    closeSync(file);
    rmSync(path, { force: true });
  }
}
