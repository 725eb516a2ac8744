/**
 * Runs seeds on a mutant until the check that is expected to notice does.
 *
 * Chapter: 11-simulation.
 */
import type { Laboratory } from "./plant.ts";
import type { Mutant, Search } from "./types.ts";

/** How a search went. */
export interface Hunt {
  /** Seeds that were run, the last of them the one that found it; undefined: the budget is gone. */
  readonly seeds: number | undefined;
  /** The check that found it. */
  readonly id: string | undefined;
  /** What other checks noticed before, by id and number of seeds. */
  readonly others: ReadonlyMap<string, number>;
}

/** Searches from a seed on. */
export function hunt(
  { expected }: Pick<Mutant, "expected">,
  { tier, seeds: budget }: Search,
  { createRaftCore, drawPlan, runPlan }: Laboratory,
  from = 1,
): Hunt {
  const others = new Map<string, number>();
  for (let count = 1; count <= budget; count += 1) {
    const plan = drawPlan({ seed: from + count - 1, tier });
    const id = runPlan(plan, { createRaftCore }).report.broken?.id;
    if (id === undefined) continue;
    if (expected.includes(id)) return { seeds: count, id, others };
    others.set(id, (others.get(id) ?? 0) + 1);
  }
  return { seeds: undefined, id: undefined, others };
}
