/**
 * The history checkers: what clients saw, and whether a correct store could have answered so.
 *
 * Reading order: recorder.ts (collect); register.ts, list.ts (what is right); prepare.ts,
 * events.ts, memo.ts, once.ts, search.ts (the search); evidence.ts, timeline.ts, linearizability.ts
 * (the verdict and its explanation); list-reads.ts, dependencies.ts, cycles.ts, list-append.ts
 * (transactions); bank.ts; oracles.ts (what a simulator can notice at once).
 * Chapter: 11-simulation
 */
export { checkBank } from "./bank.ts";
export { checkLinearizability } from "./linearizability.ts";
export { listModel } from "./list.ts";
export { checkListAppend } from "./list-append.ts";
export { createPredecessorOracle, createPromiseOracle, createReadOracle } from "./oracles.ts";
export { createHistory } from "./recorder.ts";
export { registerModel } from "./register.ts";
export type * from "./types.ts";
