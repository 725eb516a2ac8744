/**
 * A failed run for a person: what was broken, what was wrong at that time, the last steps, each
 * node, and the command that shows it again.
 *
 * The words come from a second run of the same plan; it must break the same, or that is the report.
 * Chapter: 11-simulation.
 */
import type { RaftModule } from "#raft/types";
import { setsText } from "../invariants/index.ts";
import { type EndedRun, type Plan, type RunReport, runPlan } from "../world/index.ts";

/** Steps that a report shows unless more are asked for. */
const STEPS_SHOWN = 60;

/** How much a report says. */
export interface ReportOptions {
  /** The core under test. */
  readonly createRaftCore: RaftModule["createRaftCore"];
  /** Last lines of the trace. Default 60, at most 500. */
  readonly steps?: number;
  /** The command that runs the plan again. Default: by its seed. */
  readonly command?: string;
}

/** Describes a plan that fails, or says that it does not. */
export function describeFailure(plan: Plan, first: RunReport, options: ReportOptions): string {
  const ended = runPlan(plan, { createRaftCore: options.createRaftCore, withWords: true });
  const { report } = ended;
  if (first.broken === undefined) return `seed ${first.seed} holds`;
  const lines = [`seed ${first.seed} breaks ${first.broken.message}`, ""];
  if (report.hash !== first.hash || report.broken?.message !== first.broken.message) {
    lines.push(
      `A second run was different: ${report.broken?.message ?? "it holds"}. ` +
        `Hash ${hex(first.hash)}, then ${hex(report.hash)}: something is not deterministic.`,
      "",
    );
  }
  lines.push(...optionLines(plan), "", ...faultLines(ended), "");
  lines.push("Last steps:", ...ended.world.trace.last.slice(-(options.steps ?? STEPS_SHOWN)), "");
  lines.push(...nodeTable(ended), "", `Replay: ${options.command ?? replayCommand(plan)}`);
  return lines.join("\n");
}

/** The command for a plan that is its seed's. */
export function replayCommand({ options }: Plan): string {
  return (
    `npx cairn sim --seed ${options.seed} --tier ${options.tier} ` +
    `--nodes ${options.nodes} --replay`
  );
}

function hex(hash: number): string {
  return hash.toString(16).padStart(8, "0");
}

function optionLines({ options, faults, operations }: Plan): string[] {
  const { core, net } = options;
  return [
    `${options.nodes} voters, ${options.spares} spares, ${options.clients} clients, tier ` +
      `${options.tier}; ${faults.length} faults and ${operations.length} operations planned`,
    `cores: ${JSON.stringify(core)}`,
    `network: ${JSON.stringify(net)}`,
  ];
}

function faultLines({ world }: EndedRun): string[] {
  const inForce = [...world.injector.inForce];
  if (inForce.length === 0) return ["No fault was in force."];
  return ["Faults in force:", ...inForce.map((fault) => `  ${JSON.stringify(fault)}`)];
}

function nodeTable({ world }: EndedRun): string[] {
  const heads = ["node", "state", "role", "term", "commit", "applied", "log", "durable", "members"];
  const rows = [...world.hosts.values()].map((host) => {
    const { node } = host;
    const { core, log, disk, machine } = node;
    const state = host.isGone ? "gone" : core === undefined ? "down" : "up";
    return [
      `${host.id}`,
      host.isPaused ? "paused" : state,
      core?.role ?? "-",
      `${core?.term ?? disk.hardState.term}`,
      `${core?.commitIndex ?? "-"}`,
      `${machine.index}`,
      `${log.base.index + 1}..${log.lastIndex}`,
      `..${disk.log.lastIndex}`,
      `${log.configuration.index}: ${setsText(log.configuration.sets)}`,
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
