/**
 * The benchmark harness.
 *
 * Reading order: types.ts, series.ts, bench.ts, files.ts, print.ts; for stores: workload.ts,
 * zipf.ts, child.ts, built.ts. Labs of the workbook, which enter by `bench/lab-main.ts`:
 * lab-types.ts, lab-files.ts, lab-child.ts, lab-predict.ts, lab-calibrate.ts, lab-merge.ts,
 * lab-report.ts, lab-text.ts, lab-run.ts; plot-axis.ts, plot-style.ts, plot-strip.ts, plot.ts,
 * plot-page.ts.
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
