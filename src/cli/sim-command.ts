/**
 * The flags of `cairn sim`.
 *
 * Invariant: nothing of the simulator is loaded before the command runs.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import { isCairnError } from "#base";
import type { SimFlags } from "./sim.ts";

/** More threads than this help nobody. */
const JOBS_MAX = 64;
const NODES_MAX = 7;
const SEEDS_DEFAULT = 100;
const STEPS_DEFAULT = 60;
const STEPS_MAX = 500;
/** No plan, no scenario, or nonsense in it. */
const WRONG_USAGE = 2;

function whole(from: number, to: number) {
  return (text: string): number => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= from && value <= to) return value;
    throw new InvalidArgumentError(`Not a whole number from ${from} to ${to}.`);
  };
}

/** Adds the command. */
export function addSim(cairn: Command): void {
  const any = whole(0, Number.MAX_SAFE_INTEGER);
  cairn
    .command("sim")
    .description("Run simulated clusters in a bad world, and check every promise at every step.")
    .addOption(
      new Option("--seeds <count>", "how many runs") //
        .argParser(whole(1, Number.MAX_SAFE_INTEGER))
        .default(SEEDS_DEFAULT),
    )
    .addOption(new Option("--from <seed>", "the first seed").argParser(any).default(1))
    .addOption(new Option("--seed <seed>", "run this seed alone").argParser(any))
    .option("--replay", "with --seed or --plan: run it once, and show what breaks", false)
    .option("--shrink", "make a failing plan as small as it gets, and write it to a file", false)
    .option("--plan <file>", "run a plan that --shrink has written")
    .option("--scenario <file>", "run a scenario text")
    .addOption(
      new Option("--tier <tier>", "how much is simulated") //
        .choices(["micro", "standard", "real"])
        .default("standard"),
    )
    .addOption(
      new Option("--nodes <count>", "voters at the start; from the seed if not given") //
        .argParser(whole(1, NODES_MAX)),
    )
    .addOption(
      new Option("--jobs <count>", "threads") //
        .argParser(whole(1, JOBS_MAX))
        .default(1),
    )
    .addOption(
      new Option("--steps <count>", "lines of the trace that a failure shows") //
        .argParser(whole(0, STEPS_MAX))
        .default(STEPS_DEFAULT),
    )
    .option("--out <file>", "where the plan of --shrink goes")
    .addHelpText("after", "\nExit code: 0 everything holds, 1 a promise is broken, 2 wrong usage.")
    .action(run);
}

async function run(flags: SimFlags): Promise<void> {
  const { runSim, simProblem } = await import("./sim.ts");
  const { createScreen } = await import("./screen.ts");
  const { createNodeDisk } = await import("#platform");
  const { takeStopSignals } = await import("./stop-signal.ts");
  const signals = takeStopSignals();
  const screen = createScreen(process.stdout, process.env);
  try {
    process.exitCode = await runSim(flags, {
      screen,
      disk: createNodeDisk(),
      now: () => performance.now(),
      isStopped: () => signals.stop.aborted,
    });
  } catch (error) {
    if (!isCairnError(error) && !(error instanceof RangeError)) throw error;
    process.stderr.write(`${simProblem(error)}\n`);
    process.exitCode = WRONG_USAGE;
  } finally {
    screen.end();
    signals.release();
  }
}
