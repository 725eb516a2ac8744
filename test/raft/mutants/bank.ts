/**
 * All mutants, by number.
 *
 * Chapter: 11-simulation.
 */
import { DRIVERS, REAL_PARTS } from "./drivers.ts";
import { ELECTIONS } from "./elections.ts";
import { LOGS } from "./logs.ts";
import { MEMBERS } from "./members.ts";
import { READS } from "./reads.ts";
import { SNAPSHOTS } from "./snapshots.ts";
import type { Mutant } from "./types.ts";

export const MUTANTS: readonly Mutant[] = [
  ...ELECTIONS,
  ...LOGS,
  ...MEMBERS,
  ...READS,
  ...SNAPSHOTS,
  ...DRIVERS,
  ...REAL_PARTS,
].sort((a, b) => a.number - b.number);
