/**
 * `cairn sim --tier real`: one seed with nodes as they ship, and what it came to.
 *
 * Invariant: loaded only when this tier is asked for; the others need no SQLite.
 */
import * as replica from "#replica";
import { describeRealFailure, drawRealPlan, type RealParts, runRealPlan } from "#simulation";
import * as sqlite from "#sqlite";

/** The modules as they ship. */
export const realParts: RealParts = { replica, sqlite };

/** Runs one seed. @param steps - last events that a failure shows. */
export async function runRealSeed(request: {
  readonly seed: number;
  readonly nodes: number | undefined;
  readonly steps: number;
}): Promise<{ readonly holds: boolean; readonly text: string }> {
  const { seed, nodes, steps } = request;
  const plan = drawRealPlan(nodes === undefined ? { seed } : { seed, nodes });
  const ended = await runRealPlan(plan, realParts);
  const { report } = ended;
  if (report.broken !== undefined) {
    return { holds: false, text: describeRealFailure(plan, ended, steps) };
  }
  const { ok, failed, unknown } = report.operations;
  const did = Object.entries(report.operator).map(([kind, count]) => `${count} ${kind}`);
  const text =
    `seed ${seed} holds: ${report.steps} steps, ${report.packets} frames, ` +
    `${report.committed} entries in ${report.terms} terms, ${report.virtualMs} virtual ms; ` +
    `operations: ${ok} ok, ${failed} failed, ${unknown} unknown; ` +
    `what happened: ${did.join(", ")}; trace ${report.hash.toString(16).padStart(8, "0")}`;
  return { holds: true, text };
}
