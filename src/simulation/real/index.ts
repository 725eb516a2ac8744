/**
 * The real tier: whole nodes as they ship, on simulated disks, net and clock, on one thread.
 *
 * Reading order: types.ts, draw-plan.ts (a seed's plan); gate.ts, node.ts (one node), trace.ts,
 * ledger.ts, cluster.ts (the world); commands.ts, records.ts, clients.ts (what is asked and
 * answered); injector.ts (what goes wrong); run-plan.ts, report.ts.
 * Chapter: 11-simulation
 */
export { drawRealPlan } from "./draw-plan.ts";
export { describeRealFailure } from "./report.ts";
export { type EndedRealRun, type NodeFacts, runRealPlan } from "./run-plan.ts";
export type * from "./types.ts";
