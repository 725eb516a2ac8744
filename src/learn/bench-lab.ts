/**
 * `cairn bench`: starts the benchmark labs, which are TypeScript and live outside of what is built.
 *
 * Invariant: nothing is measured in this process, whose loaded modules and garbage would be in the
 * numbers.
 */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createNodeDisk } from "#platform";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MAIN = "bench/lab-main.ts";
/** Also the exit code of a command line that cannot be read. */
const REFUSED = 2;

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

/**
 * Runs labs: prediction, calibration of the disk, the reader's code and the reference in turns,
 * table, plot.
 *
 * @returns the exit code: 0 measured, 1 the reader's code could not be measured, 2 refused: there
 * is no such lab, or no prediction.
 */
export async function runBenchLab(options: BenchLabOptions): Promise<number> {
  const { target, predict, skip, small, plain, say } = options;
  if (!createNodeDisk().exists(`${ROOT}${MAIN}`)) {
    say(`The labs are not here: ${MAIN} is part of the repository, not of the package.`);
    return REFUSED;
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
  return code ?? 1;
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
