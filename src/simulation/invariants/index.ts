/**
 * The invariants L1 to L14 and G1 to G12, checked at every step; G13 to G15 are checked on what
 * clients saw.
 *
 * Reading order: broken.ts, quorums.ts, ledger.ts, views.ts, speech.ts, leadership.ts,
 * progress-checks.ts, invariants.ts.
 */
export { type BrokenInvariant, brokenInvariant, isBrokenInvariant } from "./broken.ts";
export { createInvariants, type Invariants, type InvariantsOptions } from "./invariants.ts";
export type { Ledger } from "./ledger.ts";
export { intersect, isQuorum, sameSets, setsText } from "./quorums.ts";
