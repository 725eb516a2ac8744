/**
 * Finds the benchmark files and runs what they export. The command line and the house tests share
 * it.
 */
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { runBench } from "./bench.ts";
import type { BenchFunction, BenchOptions, BenchReport, BenchSize } from "./types.ts";

const BENCH_DIR = dirname(dirname(fileURLToPath(import.meta.url)));
const SUFFIX = ".bench.ts";

/**
 * Names such as `wal/append`, sorted, of all files that contain one of the texts; all files if
 * there is none.
 */
export function benchFiles(filters: readonly string[] = []): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(BENCH_DIR, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    for (const file of readdirSync(join(BENCH_DIR, entry.name))) {
      if (file.endsWith(SUFFIX)) found.push(`${entry.name}/${file.slice(0, -SUFFIX.length)}`);
    }
  }
  const wanted = (name: string) =>
    filters.length === 0 || filters.some((filter) => name.includes(filter));
  return found.filter(wanted).sort();
}

/**
 * Runs every exported function of one file, in order of export name, and reports each as it ends.
 */
export async function runBenchFile(
  name: string,
  size: BenchSize,
  onReport: (report: BenchReport) => void,
  options: BenchOptions = {},
): Promise<void> {
  const loaded: Record<string, unknown> = await import(
    pathToFileURL(join(BENCH_DIR, name + SUFFIX)).href
  );
  for (const [exported, run] of Object.entries(loaded)) {
    if (typeof run !== "function") continue;
    onReport(await runBench(`${name} ${exported}`, run as BenchFunction, size, options));
  }
}
