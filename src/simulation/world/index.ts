/**
 * The simulated world: a plan from a seed, and a run from a plan.
 *
 * Reading order: types.ts; draws.ts, draw-options.ts, draw-faults.ts, draw-operations.ts, plan.ts;
 * event-queue.ts, host.ts, network.ts, injector.ts; operator.ts, workload.ts, client.ts;
 * trace-text.ts, trace.ts, world.ts, liveness.ts, run.ts.
 */
export type { RunRequest } from "./draw-options.ts";
export { createEventQueue } from "./event-queue.ts";
export { linksOf } from "./injector.ts";
export { drawPlan, parsePlan } from "./plan.ts";
export { type EndedRun, type RunReport, runPlan } from "./run.ts";
export type * from "./types.ts";
export type { RunParts, World } from "./world.ts";
