/**
 * The benchmark harness.
 *
 * Reading order: types.ts, series.ts, bench.ts, files.ts, print.ts.
 */
export { runBench } from "./bench.ts";
export { benchFiles, runBenchFile } from "./files.ts";
export { environmentLine, formatReport, meetsGoal } from "./print.ts";
export type {
  Bench,
  BenchFunction,
  BenchReport,
  BenchSize,
  Figure,
  Goal,
  Series,
} from "./types.ts";
