/**
 * What a mutant is: a copy of the sources with one planted mistake, and who has to notice.
 *
 * Invariant: a mistake is a change of text that fits exactly once; nothing in the real sources
 * knows of it. Chapter: 11-simulation.
 */
import type { Tier } from "#simulation";
import type { Patch } from "../../support/plant.ts";
import type { RealCheck } from "./real-parts.ts";

/** A search through seeds, from 1 on. */
export interface Search {
  readonly tier: Tier;
  /** So many seeds at most, from any start. */
  readonly seeds: number;
}

/** A script under `test/raft/scenarios`, and the invariant that breaks in it, if one does. */
export type Directed = readonly [id: string, invariant?: string];

/** See the file's header. */
export interface Mutant {
  /** Up to 35: the number in the list of planted bugs. From 101 on: our own. */
  readonly number: number;
  /** What is wrong, as a sentence. */
  readonly name: string;
  /** Where the mistake is. Default: `raft`, the core. `simulation`: the driver of its model. */
  readonly module?: "raft" | "simulation" | "replica" | "wal" | "sqlite";
  readonly patches: readonly Patch[];
  /** The checks that may notice it; another one that does so first is not enough. */
  readonly expected: readonly string[];
  /** Absent where chance does not find it in reasonable time: then a script does. */
  readonly search?: Search;
  readonly directed?: Directed;
  /** A check of real-parts.ts that notices it. */
  readonly real?: RealCheck;
}
