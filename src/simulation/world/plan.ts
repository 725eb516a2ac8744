/**
 * From a seed to a plan, and back from JSON.
 *
 * Chapter: 11-simulation.
 */
import { drawFaults } from "./draw-faults.ts";
import { drawOperations } from "./draw-operations.ts";
import { drawOptions, type RunRequest } from "./draw-options.ts";
import { Draws } from "./draws.ts";
import type { Plan } from "./types.ts";

/** Decides everything that a seed stands for. */
export function drawPlan(request: RunRequest): Plan {
  const draws = new Draws(request.seed);
  const options = drawOptions(request, draws);
  return {
    options,
    faults: drawFaults(options, draws),
    operations: drawOperations(options, draws),
  };
}

/** Reads a plan that was written as JSON. @throws RangeError if it is none. */
export function parsePlan(text: string): Plan {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RangeError(`simulation: the plan is no JSON: ${String(error)}`);
  }
  if (!isPlan(value)) {
    throw new RangeError("simulation: a plan has options, faults and operations");
  }
  return value;
}

function isPlan(value: unknown): value is Plan {
  if (typeof value !== "object" || value === null) return false;
  const { options, faults, operations } = value as Partial<Record<keyof Plan, unknown>>;
  const hasOptions = typeof options === "object" && options !== null && "seed" in options;
  return hasOptions && Array.isArray(faults) && Array.isArray(operations);
}
