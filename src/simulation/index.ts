/**
 * simulation: what a cluster did, judged from outside.
 *
 * Reading order: process/ (one node on a model disk); invariants/ (what must hold at every step);
 * history/ (what clients saw, and whether a correct store could have answered so); scenario/ (texts
 * that say what happens, and what comes of it); world/ (whole runs from seeds); search/ (many
 * seeds, reports of failures, smaller plans that fail the same); real/ (nodes as they ship, whole).
 * Chapter: 11-simulation
 */
export {
  checkBank,
  checkLinearizability,
  checkListAppend,
  createHistory,
  createPredecessorOracle,
  createPromiseOracle,
  createReadOracle,
  listModel,
  registerModel,
} from "./history/index.ts";
export {
  type BrokenInvariant,
  createInvariants,
  type Invariants,
  type InvariantsOptions,
  isBrokenInvariant,
  isQuorum,
  type Ledger,
} from "./invariants/index.ts";
export type * from "./process/index.ts";
export { createModelNode, entriesOfTerms, makeEntry } from "./process/index.ts";
export * from "./real/index.ts";
export {
  runScenario,
  SCENARIO_VERBS,
  type ScenarioFailure,
  type ScenarioOptions,
  type ScenarioReport,
} from "./scenario/index.ts";
export {
  addRun,
  describeFailure,
  isSameFailure,
  NO_TOTALS,
  type RealSeedSearch,
  type ReportOptions,
  replayCommand,
  type SeedResult,
  type SeedSearch,
  type SeedTotals,
  type ShrinkOptions,
  type ShrunkPlan,
  searchRealSeeds,
  searchSeeds,
  shrinkPlan,
} from "./search/index.ts";
export type * from "./types.ts";
export type * from "./world/index.ts";
export { createEventQueue, drawPlan, linksOf, parsePlan, runPlan } from "./world/index.ts";
