/**
 * Looking for failures: many seeds, a report of the first that fails, and a smaller plan that
 * fails the same.
 *
 * Reading order: seeds.ts, report.ts, shrink.ts.
 */
export { describeFailure, type ReportOptions, replayCommand } from "./report.ts";
export {
  addRun,
  NO_TOTALS,
  type RealSeedSearch,
  type SeedResult,
  type SeedSearch,
  type SeedTotals,
  searchRealSeeds,
  searchSeeds,
} from "./seeds.ts";
export { isSameFailure, type ShrinkOptions, type ShrunkPlan, shrinkPlan } from "./shrink.ts";
