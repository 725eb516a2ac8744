/**
 * The benchmark harness.
 *
 * Reading order: types.ts, series.ts, bench.ts, files.ts, print.ts; for stores: workload.ts, zipf.ts,
 * child.ts, built.ts.
 */
export { runBench } from "./bench.ts";
export { builtIsCurrent } from "./built.ts";
export { ask, endChild, forkModule, serveParent } from "./child.ts";
export { benchFiles, runBenchFile } from "./files.ts";
export { environmentLine, formatReport, meetsGoal } from "./print.ts";
export type {
  Bench,
  BenchFunction,
  BenchOptions,
  BenchReport,
  BenchSize,
  Figure,
  Goal,
  Series,
} from "./types.ts";
export { KEY_BYTES, keyOf, randomNumbers, VALUE_BYTES, valueFor } from "./workload.ts";
export { zipfNumbers } from "./zipf.ts";
