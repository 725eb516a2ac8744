/**
 * `cairn run`: the replicated SQLite on the reader's own modules.
 *
 * The nodes are started under the conditions of the modules that are the reader's, by a child that
 * is `cairn cluster`. Invariant: what is missing or cannot be loaded is said before anything is
 * started, and data that other parts have written is never opened.
 */
import { execFile, spawn } from "node:child_process";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { errorText } from "#base";
import { conditionOfReader } from "#platform";
import { type PartOwner, SERVICE_PARTS } from "#server";
import { type Book, openBook } from "./book.ts";
import { readText, writeText } from "./files.ts";
import { readProgress } from "./progress.ts";
import type { ExitCode } from "./runner.ts";
import { UsageError } from "./usage-error.ts";

const USAGE = `cairn run [--nodes 3]

  --nodes <count>   1 to 9; 3, or as many as at the first start
  --dir <dir>       where the nodes keep their data; data/run
  --http-port <n>   HTTP port of the first node, the others follow; 4001
  --raft-port <n>   Raft port of the first node; the HTTP port + 100
  --fresh           remove the data of an earlier start first
  --no-sample       do not create the sample database

Which modules are yours is said by cairn use: npx cairn use wal=mine`;

/** What `cairn run` was asked for. */
export interface RunPartsOptions {
  readonly dir: string;
  readonly fresh: boolean;
  /** Handed on to `cairn cluster` as they are. */
  readonly clusterFlags: readonly string[];
  readonly say: (line: string) => void;
}

/** Runs `cairn run`. @param args - what stands behind the command's name. */
export async function runParts(args: readonly string[]): Promise<ExitCode> {
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const values = readFlags(args);
  if (values.help === true) {
    say(USAGE);
    return 0;
  }
  const { nodes, dir = "data/run", fresh = false } = values;
  const named = { nodes, "http-port": values["http-port"], "raft-port": values["raft-port"] };
  const clusterFlags = Object.entries(named).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, value],
  );
  if (values["no-sample"] === true) clusterFlags.push("--no-sample");
  return runOnParts(openBook(), { dir: dir.replace(/\/+$/, ""), fresh, clusterFlags, say });
}

function readFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        nodes: { type: "string" },
        dir: { type: "string" },
        "http-port": { type: "string" },
        "raft-port": { type: "string" },
        fresh: { type: "boolean" },
        "no-sample": { type: "boolean" },
        plain: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${errorText(error)}\n\n${USAGE}`);
  }
}

/** Runs until the cluster ends. @throws UsageError before anything is started. */
export async function runOnParts(book: Book, options: RunPartsOptions): Promise<ExitCode> {
  const mine = chosenModules(book);
  const used = SERVICE_PARTS.filter((name) => mine.includes(name));
  for (const line of partsTable(used, mine)) options.say(line);
  await checkLoads(book, used);
  checkWriter(book, used, options);
  return runCluster(book, used, options);
}

/** The reader's modules, as `cairn use` has them. @throws UsageError if one is not there. */
function chosenModules(book: Book): string[] {
  const { modules } = readProgress(book);
  const mine = Object.keys(modules).filter((name) => modules[name] === "mine");
  for (const name of mine) {
    if (book.disk.exists(`${book.root}/work/${name}/index.ts`)) continue;
    throw new UsageError(
      `work/${name}/index.ts is missing, and cairn use says ${name}=mine. Make it with ` +
        `npx cairn start, or choose the reference: npx cairn use ${name}=reference`,
    );
  }
  return mine;
}

function partsTable(used: readonly string[], mine: readonly string[]): string[] {
  const idle = mine.filter((name) => !used.includes(name));
  return [
    "The parts of this database:",
    ...SERVICE_PARTS.map((name) => {
      const isMine = used.includes(name);
      return `  ${name.padEnd(10)}${isMine ? "mine       work" : "reference  src"}/${name}`;
    }),
    ...(idle.length === 0
      ? []
      : [
          `Yours, and not used here, since SQLite keeps the data of this service: ${idle.join(", ")}`,
        ]),
    ...(used.length === 0 ? ["Nothing is yours yet: npx cairn use wal=mine"] : []),
    "",
  ];
}

/** Loads what a node loads. @throws UsageError if the reader's modules do not fit. */
async function checkLoads(book: Book, used: readonly string[]): Promise<void> {
  if (used.length === 0) return;
  const script = 'await import("#server");';
  const flags = [...loaderFlags(used), "--input-type=module", "--eval", script];
  const { code, stderr } = await output(flags, book.root);
  if (code === 0) return;
  const [, module, name] = /'#(\w+)' does not provide an export named '(\w+)'/.exec(stderr) ?? [];
  const instead = `Or choose the reference: npx cairn use ${module ?? used[0]}=reference`;
  if (module === undefined || name === undefined) {
    const which = used.map((one) => `work/${one}`).join(", ");
    throw new UsageError(`The database cannot be loaded with ${which}:\n\n${stderr}\n${instead}`);
  }
  throw new UsageError(
    `work/${module}/index.ts does not export ${name}, which the database needs. ` +
      `You may take it from the reference:\n\n` +
      `  export { ${name} } from "#${module}/reference";\n\n${instead}`,
  );
}

function output(flags: readonly string[], cwd: string): Promise<{ code: number; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [...flags], { cwd }, (error, _, stderr) => {
      resolve({ code: error === null ? 0 : 1, stderr });
    });
  });
}

/** What makes `#wal` the reader's, for Node. Nothing where all is built and nothing is theirs. */
function loaderFlags(modules: readonly string[]): string[] {
  const isSource = import.meta.url.endsWith(".ts");
  if (modules.length === 0 && !isSource) return [];
  const conditions = [...modules.map(conditionOfReader), ...(isSource ? ["source"] : [])];
  return [...conditions.map((name) => `--conditions=${name}`), "--import", "tsx"];
}

/** A log is read by whoever wrote it: two logs need not have one format. */
function checkWriter(book: Book, used: readonly string[], options: RunPartsOptions): void {
  const dir = resolve(book.root, options.dir);
  const path = `${dir}.parts.json`;
  const parts = Object.fromEntries(
    SERVICE_PARTS.map((name): [string, PartOwner] => [
      name,
      used.includes(name) ? "mine" : "reference",
    ]),
  );
  const text = `${JSON.stringify(parts)}\n`;
  const isKept = book.disk.exists(`${dir}/cluster.json`);
  const before = readText(book.disk, path);
  if (isKept && !options.fresh && before !== null && before !== text) {
    throw new UsageError(
      `The data in ${options.dir} was written by other parts than these. They may have one ` +
        "format, but that is not tried with your data. Begin anew with --fresh, or keep both: " +
        `--dir ${options.dir}-2`,
    );
  }
  writeText(book.disk, path, text);
}

/** `cairn cluster`, under the conditions of the reader's modules. */
async function runCluster(
  book: Book,
  used: readonly string[],
  options: RunPartsOptions,
): Promise<ExitCode> {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const program = fileURLToPath(new URL(`../cli/cairn.${extension}`, import.meta.url));
  const flags = ["--dir", options.dir, ...(options.fresh ? ["--fresh"] : [])];
  const child = spawn(
    process.execPath,
    [...loaderFlags(used), program, "cluster", ...flags, ...options.clusterFlags],
    {
      cwd: book.root,
      // It ends when this pipe does, so that no cluster stays behind whatever becomes of us.
      stdio: ["pipe", "inherit", "inherit"],
      env: { ...process.env, CAIRN_EXIT_WITH_PARENT: "1" },
    },
  );
  // A terminal sends Ctrl-C to both; whoever sends it to us alone means the cluster.
  const pass = (signal: NodeJS.Signals): void => void child.kill(signal);
  const wait = (): void => undefined;
  process.on("SIGTERM", pass);
  process.on("SIGINT", process.stdin.isTTY ? wait : pass);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  process.off("SIGTERM", pass);
  return code === 0 || code === 2 ? code : 1;
}
