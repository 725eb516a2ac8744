/**
 * The commands and flags of `cairn`.
 *
 * Invariant: what a command needs is loaded when the command runs: a reader waits for each of them.
 */
import { Command, InvalidArgumentError, Option } from "commander";
import { isCairnError } from "#base";
import { createNodeDisk } from "#platform";
import type { ClusterOptions } from "./cluster.ts";
import { RAFT_PORT_OFFSET } from "./cluster-plan.ts";
import { addLearnCommands } from "./learn-commands.ts";
import { addSim } from "./sim-command.ts";

/** More nodes make nothing safer here, and the ports of the tenth would meet those of the first. */
const NODES_MAX = 9;
/** Leaves room above for all ports that may be taken instead. */
const PORT_MAX = 65_000;
/** Enough to see how a file begins, on one screen. */
const INSPECT_ROWS = 40;
/** All rows of a list are in memory at once. */
const INSPECT_ROWS_MAX = 1_000_000;
/** Also when a file is not there, or may not be read. */
const INSPECT_UNREADABLE = 2;

interface ClusterFlags {
  readonly nodes?: number;
  readonly dir: string;
  readonly httpPort: number;
  readonly raftPort?: number;
  readonly fresh: boolean;
  readonly sample: boolean;
}

function wholeNumber(limits: { readonly from: number; readonly to: number }) {
  return (text: string): number => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= limits.from && value <= limits.to) return value;
    throw new InvalidArgumentError(`Not a whole number from ${limits.from} to ${limits.to}.`);
  };
}

async function cluster(flags: ClusterFlags): Promise<void> {
  const { runCluster } = await import("./cluster.ts");
  const { createScreen } = await import("./screen.ts");
  const { takeStopSignals } = await import("./stop-signal.ts");
  const signals = takeStopSignals();
  const options: ClusterOptions = {
    dir: flags.dir.replace(/(?<=.)\/+$/, ""),
    nodes: flags.nodes,
    httpPort: flags.httpPort,
    raftPort: flags.raftPort,
    fresh: flags.fresh,
    sample: flags.sample,
  };
  try {
    await runCluster(options, { ...signals, screen: createScreen(process.stdout, process.env) });
  } finally {
    signals.release();
  }
}

interface InspectFlags {
  readonly keys: boolean;
  readonly limit: number;
  readonly from: number;
  readonly json: boolean;
}

async function inspectFile(file: string, flags: InspectFlags): Promise<void> {
  // Loaded only now, since it needs more of the storage modules than a reader's own may have.
  const { inspect } = await import("./inspect.ts");
  const path = file.replace(/(?<=.)\/+$/, "");
  try {
    const { text, exitCode } = inspect({ ...flags, path, disk: createNodeDisk() });
    process.exitCode = exitCode;
    process.stdout.write(`${text}\n`);
  } catch (error) {
    if (!isCairnError(error)) throw error;
    process.stderr.write(`cairn: ${error.message}\n`);
    process.exitCode = INSPECT_UNREADABLE;
  }
}

/** The whole command line. @param cairnVersion - what `--version` prints. */
export function createProgram(cairnVersion: string): Command {
  const port = wholeNumber({ from: 1, to: PORT_MAX });
  const cairn = new Command("cairn")
    .description("Cairn: a replicated SQLite, and the workbook in which you build it.")
    .version(cairnVersion)
    .addHelpText("after", "\nExit code: 0 done, 1 failed or red, 2 wrong usage.")
    .showHelpAfterError(
      "npx cairn --help lists the commands, npx cairn test --help the flags of one.",
    )
    .exitOverride();
  cairn.commandsGroup("The workbook:");
  addLearnCommands(cairn);
  cairn.commandsGroup("The database:");
  cairn
    .command("cluster")
    .description("Start a cluster on this machine, with a sample database, and watch it.")
    .addOption(
      new Option("--nodes <count>", `1 to ${NODES_MAX}; 3, or as many as at the first start`) //
        .argParser(wholeNumber({ from: 1, to: NODES_MAX })),
    )
    .option("--dir <directory>", "where the nodes keep their data", "data/cluster")
    .addOption(
      new Option("--http-port <port>", "HTTP port of the first node, the others follow")
        .argParser(port)
        .default(4001),
    )
    .addOption(
      new Option(
        "--raft-port <port>",
        `Raft port of the first node; the HTTP port + ${RAFT_PORT_OFFSET} if not given`,
      ).argParser(port),
    )
    .option("--fresh", "remove the data of an earlier start first", false)
    .option("--no-sample", "do not create the sample database")
    .action(cluster);
  addRecover(cairn);
  addCompare(cairn);
  addInspect(cairn);
  addSim(cairn);
  return cairn;
}

function addRecover(cairn: Command): void {
  cairn
    .command("recover")
    .description("Show what a forced recovery by raft/peers.json would do, and what would be lost.")
    .argument("<directory>", "the data directory of a node that is not running")
    .requiredOption("--dry-run", "only show it; the node carries it out when it is started")
    .action(async (directory: string) => {
      const { recoveryPreview } = await import("./recover.ts");
      const dataDir = directory.replace(/(?<=.)\/+$/, "");
      await printed(() => `${recoveryPreview(createNodeDisk(), dataDir).join("\n")}\n`);
    });
}

function addCompare(cairn: Command): void {
  cairn
    .command("compare")
    .description("Have a cluster compare the states of all its nodes; one that differs heals.")
    .argument("[url]", "HTTP address of any node", "http://127.0.0.1:4001")
    .addHelpText("after", "\nExit code: 0 all the same, 1 one differs, or did not answer.")
    .action(async (url: string) => {
      const { compareStates } = await import("./compare.ts");
      await printed(async () => {
        const { text, isGood } = await compareStates(url);
        if (!isGood) process.exitCode = 1;
        return text;
      });
    });
}

/** Prints what a command found, or in one line why it found nothing. */
async function printed(find: () => string | Promise<string>): Promise<void> {
  try {
    process.stdout.write(await find());
  } catch (error) {
    if (!isCairnError(error)) throw error;
    process.stderr.write(`cairn: ${error.message}\n`);
    process.exitCode = 1;
  }
}

function addInspect(cairn: Command): void {
  const places = { from: 0, to: Number.MAX_SAFE_INTEGER };
  cairn
    .command("inspect")
    .description("Show what is in a file of a log, table, manifest or engine, and any damage.")
    .argument("<file>", "a segment, a table, CURRENT, or the directory of a log or an engine")
    .option("--keys", "list the entries too", false)
    .addOption(
      new Option("--limit <count>", "rows of each list") //
        .argParser(wholeNumber({ from: 0, to: INSPECT_ROWS_MAX }))
        .default(INSPECT_ROWS),
    )
    .addOption(
      new Option("--from <offset>", "begin the lists at this byte of the file") //
        .argParser(wholeNumber(places))
        .default(0),
    )
    .option("--json", "print JSON", false)
    .addHelpText("after", "\nExit code: 0 sound, 1 damaged, 2 not a file that cairn knows.")
    .action(inspectFile);
}
