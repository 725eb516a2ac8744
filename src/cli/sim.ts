/**
 * `cairn sim`: runs whole clusters in a simulated world, looks for a broken promise, and shows it.
 *
 * Invariant: what a failure prints is enough to see it again: a seed or a plan, and the command.
 */
import { errorText } from "#base";
import { replaceFile } from "#bytes";
import type { Disk } from "#platform/types";
import { createRaftCore } from "#raft";
import {
  describeFailure,
  drawPlan,
  type Plan,
  parsePlan,
  runPlan,
  runScenario,
  type SeedTotals,
  shrinkPlan,
  type Tier,
} from "#simulation";
import type { Screen } from "./screen.ts";
import { searchWithJobs } from "./sim-search.ts";

const HOUR_SECONDS = 3600;
const BAR_COLUMNS = 30;
/** The bar is drawn again after so long. */
const SHOW_EVERY_MS = 100;
/** Without a terminal, a line now and then. */
const SAY_EVERY_MS = 30_000;

/** What the command line says. */
export interface SimFlags {
  readonly seeds: number;
  readonly from: number;
  /** One seed alone. */
  readonly seed?: number;
  readonly replay: boolean;
  /** Of a failing plan; not in the tier `real`, whose plans are their seeds. */
  readonly shrink: boolean;
  /** A plan, as `--shrink` writes it. */
  readonly plan?: string;
  readonly scenario?: string;
  readonly tier: Tier | "real";
  readonly nodes?: number;
  readonly jobs: number;
  /** Lines of the trace that a failure shows. */
  readonly steps: number;
  /** Where a shrunk plan goes. */
  readonly out?: string;
}

/** What the command needs. */
export interface SimSurroundings {
  readonly screen: Screen;
  readonly disk: Disk;
  /** Milliseconds of real time, for rates. */
  readonly now: () => number;
  /** Becomes true when the user wants to stop. */
  readonly isStopped: () => boolean;
}

/** Runs the command. @returns the exit code: 1 at a violation. */
export async function runSim(flags: SimFlags, around: SimSurroundings): Promise<0 | 1> {
  if (flags.scenario !== undefined) return runScenarioFile(flags.scenario, around);
  if (flags.plan !== undefined) {
    return runOne(parsePlan(readText(around.disk, flags.plan)), flags, around);
  }
  if (flags.seed !== undefined) return runSeed(flags.seed, flags, around);
  return runMany(flags, around);
}

async function runSeed(seed: number, flags: SimFlags, around: SimSurroundings): Promise<0 | 1> {
  const { tier, nodes, steps } = flags;
  if (tier === "real") {
    const { runRealSeed } = await import("./sim-real.ts");
    const { holds, text } = await runRealSeed({ seed, nodes, steps });
    around.screen.say(text);
    return holds ? 0 : 1;
  }
  const plan = drawPlan({ seed, tier, ...(nodes === undefined ? {} : { nodes }) });
  return runOne(plan, flags, around);
}

function readText(disk: Disk, path: string): string {
  const file = disk.open(path, "read");
  try {
    const bytes = new Uint8Array(file.size());
    file.read(0, bytes);
    return new TextDecoder().decode(bytes);
  } finally {
    file.close();
  }
}

async function runScenarioFile(path: string, { disk, screen }: SimSurroundings): Promise<0 | 1> {
  const report = await runScenario(readText(disk, path));
  if (report.failure === undefined) {
    screen.say(`${path}: ${report.title}: holds, ${report.commands} commands`);
    return 0;
  }
  const { line, column, message } = report.failure;
  screen.say(`${path}:${line}:${column}: ${message}`);
  screen.say(`What came, up to there:\n${report.text}`);
  return 1;
}

async function runOne(plan: Plan, flags: SimFlags, around: SimSurroundings): Promise<0 | 1> {
  const { screen } = around;
  const { report } = runPlan(plan, { createRaftCore });
  if (report.broken === undefined) {
    const { ok, failed, unknown } = report.operations;
    screen.say(
      `seed ${report.seed} holds: ${report.steps} steps, ${report.packets} packets, ` +
        `${report.committed} entries in ${report.terms} terms, ${report.virtualMs} virtual ms; ` +
        `operations: ${ok} ok, ${failed} failed, ${unknown} unknown; ` +
        `trace ${report.hash.toString(16).padStart(8, "0")}`,
    );
    return 0;
  }
  const { plan: file, steps } = flags;
  const command = file === undefined ? {} : { command: `npx cairn sim --plan ${file} --replay` };
  screen.say(describeFailure(plan, report, { createRaftCore, steps, ...command }));
  if (flags.shrink) shrink(plan, flags, around);
  return 1;
}

function shrink(plan: Plan, flags: SimFlags, { screen, disk, now }: SimSurroundings): void {
  let shownAt = now();
  const small = shrinkPlan(plan, {
    createRaftCore,
    onProgress: (runs, { faults, operations }) => {
      if (now() - shownAt < SHOW_EVERY_MS) return;
      shownAt = now();
      const left = `${faults.length} faults, ${operations.length} operations left`;
      screen.show([`shrinking: ${runs} runs, ${left}`]);
    },
  });
  const { options } = small.plan;
  const path = flags.out ?? `sim-${options.tier}-${options.seed}.json`;
  replaceFile(
    disk,
    path,
    new TextEncoder().encode(`${JSON.stringify(small.plan, undefined, 1)}\n`),
  );
  screen.show([]);
  screen.say("");
  screen.say(
    `Shrunk in ${small.runs} runs to ${small.plan.faults.length} faults and ` +
      `${small.plan.operations.length} operations, in ${path}:`,
  );
  screen.say("");
  const command = `npx cairn sim --plan ${path} --replay`;
  const { steps } = flags;
  screen.say(describeFailure(small.plan, small.report, { createRaftCore, steps, command }));
}

async function runMany(flags: SimFlags, around: SimSurroundings): Promise<0 | 1> {
  const { screen, now, isStopped } = around;
  const { tier, nodes, from, seeds, jobs } = flags;
  const startedAt = now();
  let shownAt = startedAt;
  let saidAt = startedAt;
  const { totals, failed } = await searchWithJobs({ tier, nodes, from, seeds, jobs }, (sofar) => {
    const time = now();
    const text = progressText(sofar, flags, (time - startedAt) / 1000);
    if (screen.live && time - shownAt > SHOW_EVERY_MS) {
      screen.show([text]);
      shownAt = time;
    } else if (!screen.live && time - saidAt > SAY_EVERY_MS) {
      screen.say(text);
      saidAt = time;
    }
    return !isStopped();
  });
  screen.show([]);
  screen.say(summaryText(totals, flags, (now() - startedAt) / 1000));
  if (failed === undefined) return 0;
  screen.say("");
  return runSeed(failed, flags, around);
}

/** The bar: what is done, and how fast. */
export function progressText(totals: SeedTotals, flags: SimFlags, seconds: number): string {
  const filled = Math.round((BAR_COLUMNS * totals.runs) / flags.seeds);
  const bar = "#".repeat(filled).padEnd(BAR_COLUMNS, "-");
  const done = `${totals.runs}/${flags.seeds} seeds`;
  return `sim ${flags.tier} [${bar}] ${done}  ${rateText(totals, seconds)}`;
}

function rateText(totals: SeedTotals, seconds: number): string {
  const rate = Math.round((totals.runs / Math.max(seconds, 1e-3)) * HOUR_SECONDS);
  return `${rate.toLocaleString("en")} seeds/h`;
}

function summaryText(totals: SeedTotals, flags: SimFlags, seconds: number): string {
  const words = [
    `${totals.runs} ${flags.tier} seeds from ${flags.from}`,
    `${totals.steps.toLocaleString("en")} steps`,
    `${Math.round(totals.virtualMs / 1000).toLocaleString("en")} virtual seconds`,
    `${totals.operations.toLocaleString("en")} client operations`,
    `${totals.committed.toLocaleString("en")} entries`,
    `${seconds.toFixed(1)} s on ${flags.jobs} ${flags.jobs === 1 ? "thread" : "threads"}`,
    rateText(totals, seconds),
  ];
  return words.join(", ");
}

/** What went wrong before anything ran: an unreadable plan, say. */
export function simProblem(error: unknown): string {
  return `cairn sim: ${errorText(error)}`;
}
