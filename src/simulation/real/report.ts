/**
 * A failed run of the real tier for a person: what was broken, the faults of the plan, the last
 * events, each node, and the command that shows it again.
 *
 * Chapter: 11-simulation.
 */
import { setsText } from "../invariants/index.ts";
import type { EndedRealRun, NodeFacts } from "./run-plan.ts";
import type { RealFault, RealPlan } from "./types.ts";

const STEPS_SHOWN = 60;

/** Describes a run that failed. @param steps - last events that are shown. */
export function describeRealFailure(
  { options, faults }: RealPlan,
  { report, cluster, nodes }: EndedRealRun,
  steps: number = STEPS_SHOWN,
): string {
  const { seed } = options;
  if (report.broken === undefined) return `seed ${seed} holds`;
  return [
    `seed ${seed} breaks ${report.broken.message}`,
    "",
    `options: ${JSON.stringify(options)}`,
    `trace ${report.hash.toString(16).padStart(8, "0")} after ${report.virtualMs} virtual ms`,
    "",
    "Faults, from when the bad times begin:",
    ...faults.map(faultLine),
    "",
    "Last events:",
    ...cluster.trace.last.slice(steps === 0 ? cluster.trace.last.length : -steps),
    "",
    ...nodeTable(nodes),
    "",
    `Replay: npx cairn sim --seed ${seed} --tier real --nodes ${options.nodes} --replay`,
  ].join("\n");
}

function faultLine({ kind, at, target, forMs, amount }: RealFault): string {
  const whom = target === "leader" ? "leader" : `place ${target}`;
  return `  at ${at} ms: ${kind}, ${whom}, for ${forMs} ms, amount ${amount}`;
}

function nodeTable(nodes: readonly NodeFacts[]): string[] {
  const heads = ["node", "state", "role", "term", "commit", "applied", "durable", "log", "members"];
  const rows = nodes.map(({ number, state, status }) => {
    if (status === undefined) return [`${number}`, state, ...heads.slice(2).map(() => "-")];
    const { index, sets } = status.configuration;
    return [
      ...[`${number}`, state, status.role, `${status.term}`, `${status.commitIndex}`],
      ...[`${status.appliedIndex}`, `${status.durableIndex}`],
      ...[`${status.firstIndex}..${status.lastIndex}`, `${index}: ${setsText(sets)}`],
    ];
  });
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]!.length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd();
  return [line(heads), ...rows.map(line)];
}
