/**
 * Commands that put modules together: `use`, `bench` and `run`. The last two read their own flags.
 *
 * Invariant: nothing is done here; what a command needs is loaded when it runs.
 */
import type { Command } from "commander";
import type { ExitCode } from "#learn";
import { runWorkbook, withUsageErrors } from "./learn-runner.ts";

/** Adds `use`, `bench` and `run`. */
export function addPartsCommands(cairn: Command): void {
  cairn
    .command("use")
    .description("Choose between your modules and the reference: wal=mine memtable=reference.")
    .argument("[choices...]", "wal=mine, all=reference; shows what is chosen if not given")
    .action((choices: string[], _: unknown, command: Command) =>
      runWorkbook(command, { name: "use", choices }),
    );
  addOwnFlags(cairn, {
    name: "bench",
    description: "Measure: a lab such as 01.group-commit, or a module such as wal.",
    load: async () => (await import("#learn")).runBenchLab,
  });
  addOwnFlags(cairn, {
    name: "run",
    description: "Run the database on your modules: --nodes 3.",
    load: async () => (await import("#learn")).runParts,
  });
}

function addOwnFlags(
  cairn: Command,
  slot: {
    readonly name: string;
    readonly description: string;
    readonly load: () => Promise<(args: readonly string[]) => Promise<ExitCode>>;
  },
): void {
  cairn
    .command(slot.name)
    .description(slot.description)
    .argument("[arguments...]", `cairn ${slot.name} --help says which`)
    .allowUnknownOption()
    .helpOption(false)
    .action(async (args: string[], _: unknown, command: Command) => {
      const { plain = false } = command.optsWithGlobals<{ readonly plain?: boolean }>();
      // The command makes its own style, and its children theirs.
      if (plain) process.env["CAIRN_PLAIN"] = "1";
      const work = await slot.load();
      await withUsageErrors(
        (text) => text,
        () => work(args),
      );
    });
}
