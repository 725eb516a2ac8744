/**
 * `cairn bench`: starts the benchmark labs, which are TypeScript and live outside of what is built.
 *
 * Invariant: nothing is measured in this process, whose loaded modules and garbage would be in the
 * numbers.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { errorText } from "#base";
import { createNodeDisk } from "#platform";
import type { ExitCode } from "./runner.ts";
import { UsageError } from "./usage-error.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MAIN = "bench/lab-main.ts";

const USAGE = `cairn bench <lab> --predict "<one number>"

  <lab>      01.group-commit: one lab; wal or 01: all labs of a module
  --predict  what you expect, as one number; words around it do no harm
  --skip     measure without a prediction
  --small    only try whether it runs: the numbers mean nothing

Your module (work/<module>) and the reference are measured in turns. Table here; plot, page and JSON
in work/.cairn/bench. Exit code: 0 measured, 1 your code could not be measured, 2 not as asked.`;

/** What `cairn bench` was asked for. */
export interface BenchLabOptions {
  /** `01.group-commit`, or the name or number of a chapter for all of its labs. */
  readonly target: string;
  /** One number, with words around it if they help. */
  readonly predict?: string | undefined;
  /** Measure without a prediction. */
  readonly skip?: boolean | undefined;
  /** A smoke test: the numbers mean nothing. */
  readonly small?: boolean | undefined;
  /** Only signs that a screen reader reads well. */
  readonly plain?: boolean | undefined;
  readonly say: (line: string) => void;
}

/** Runs `cairn bench`. @param args - what stands behind the command's name. */
export async function runBenchLab(args: readonly string[]): Promise<ExitCode> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const { values, positionals } = readFlags(args);
  if (values.help === true) {
    say(USAGE);
    return 0;
  }
  const [target = "", ...rest] = positionals;
  if (rest.length > 0) throw new UsageError(`One lab at a time, please.\n\n${USAGE}`);
  const plain = values.plain === true || process.env["CAIRN_PLAIN"] === "1";
  const { predict, skip, small } = values;
  return benchLab({ target, predict, skip, small, plain, say });
}

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        predict: { type: "string" },
        skip: { type: "boolean" },
        small: { type: "boolean" },
        plain: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UsageError(`${errorText(error)}\n\n${USAGE}`);
  }
}

/**
 * Runs labs: prediction, calibration of the disk, the reader's code and the reference in turns,
 * table, plot.
 *
 * @returns the exit code: 0 measured, 1 the reader's code could not be measured, 2 refused: there
 * is no such lab, or no prediction.
 */
export async function benchLab(options: BenchLabOptions): Promise<ExitCode> {
  const { target, predict, skip, small, plain, say } = options;
  if (!createNodeDisk().exists(`${ROOT}${MAIN}`)) {
    throw new UsageError(`${MAIN} is not here: the labs need a clone of the repository.`);
  }
  const flags = [
    ...(predict === undefined ? [] : [`--predict=${predict}`]),
    ...(skip === true ? ["--skip"] : []),
    ...(small === true ? ["--small"] : []),
    ...(plain === true ? ["--plain"] : []),
  ];
  const loader = ["--conditions=source", "--import", "tsx"];
  const child = spawn(process.execPath, [...loader, MAIN, `--target=${target}`, ...flags], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines = [child.stdout, child.stderr].map((stream) => sayLines(stream, say));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  for (const rest of lines) rest();
  return code === 0 || code === 2 ? code : 1;
}

/** Hands out whole lines. @returns a function for what is left at the end. */
function sayLines(stream: NodeJS.ReadableStream, say: (line: string) => void): () => void {
  let partial = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk: string) => {
    const whole = (partial + chunk).split("\n");
    partial = whole.pop() ?? "";
    for (const line of whole) say(line);
  });
  return () => {
    if (partial !== "") say(partial);
  };
}
