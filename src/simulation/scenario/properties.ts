/**
 * Properties: statements about many cases at once, which a scenario names with their parameters.
 *
 * Invariant: the same parameters give the same lines. Chapter: 11-simulation.
 */
import type { Arguments } from "./arguments.ts";
import type { Context } from "./context.ts";
import { crashPoints } from "./property-crash-points.ts";
import { quorums } from "./property-quorums.ts";
import { figure8, restartStorm } from "./property-storms.ts";
import { electionTimeouts } from "./property-timeouts.ts";

/** Checks a property and says in lines what was seen; fails at the command if it does not hold. */
export type Property = (context: Context, args: Arguments) => string[];

/** By name. */
export const PROPERTIES: Readonly<Record<string, Property>> = {
  "crash-points": crashPoints,
  "election-timeouts": electionTimeouts,
  "figure-8": figure8,
  quorums,
  "restart-storm": restartStorm,
};
