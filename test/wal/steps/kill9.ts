/**
 * The experiment of chapter 01: kill a process a hundred times, and find nothing, although its log
 * never syncs. It shows what kill -9 does not test.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { notWritten } from "#base";
import type { Experiment } from "#learn";
import { createNodeDisk, createSimulatedDisk } from "#platform";

const CHILD = fileURLToPath(new URL("./kill9-child.ts", import.meta.url));
const OPEN_WAL_STEP = "01.2";
const KILLS_MAX = 100;
const BUDGET_MS = 20_000;
/** Two at a time: starting a process is most of the work. */
const WORKERS = 2;

/** What a killed process leaves. */
interface Kill {
  readonly acked: number;
  readonly found: number;
}

/** Kills processes, as many as fit. @returns what each left behind. */
export async function killMany(limits: {
  readonly kills: number;
  readonly budgetMs: number;
}): Promise<Kill[]> {
  const ends = performance.now() + limits.budgetMs;
  const done: Kill[] = [];
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun < limits.kills && (begun < WORKERS || performance.now() < ends)) {
      begun += 1;
      // Not all after the same number of records.
      done.push(await killOne(1 + ((begun * 37) % 200)));
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, worker));
  return done;
}

/** Starts a process, kills it when it has said `after` numbers, and opens what it has left. */
async function killOne(after: number): Promise<Kill> {
  const dir = mkdtempSync(join(tmpdir(), "cairn-kill9-"));
  try {
    const acked = await runAndKill(join(dir, "log"), after);
    const disk = createNodeDisk();
    const openWal = await readersOpenWal();
    const { wal, report } = openWal({ disk, dir: join(dir, "log") }, () => {});
    await wal.close();
    return { acked, found: report.records };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/**
 * Loaded only now: a reader who began with an empty door has no `openWal` while earlier steps are
 * judged.
 */
async function readersOpenWal(): Promise<typeof import("#wal")["openWal"]> {
  const { openWal } = (await import("#wal")) as Partial<typeof import("#wal")>;
  return openWal ?? notWritten(OPEN_WAL_STEP, "openWal");
}

async function runAndKill(dir: string, after: number): Promise<number> {
  const child = spawn(process.execPath, [...flags(), CHILD, dir], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => {
    errors += chunk.toString();
  });
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
    if (text.split("\n").length > after) child.kill("SIGKILL");
  });
  await new Promise((resolve) => child.once("close", resolve));
  // The last line may have been cut in the middle.
  const lines = text.split("\n").slice(0, -1);
  if (lines.length === 0) throw new Error(`the process ended by itself: ${errors.slice(0, 800)}`);
  return Number(lines.at(-1));
}

/** As this process was started, if it can load TypeScript; else with what is needed for it. */
function flags(): string[] {
  if (process.execArgv.some((flag) => flag.includes("tsx"))) return process.execArgv;
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  return ["--conditions=source", "--import", tsx];
}

export const kill9: Experiment = {
  about: "Kills a process with SIGKILL, again and again, whose log never calls sync.",
  async run(say) {
    // If it is not written, that is said here, and not by a process that ends at once.
    const openWal = await readersOpenWal();
    await openWal({ disk: createSimulatedDisk(), dir: "log" }, () => {}).wal.close();
    say("A process appends records to a log on a disk that ignores every sync, and is killed.");
    say(`Up to ${KILLS_MAX} times, for ${BUDGET_MS / 1000} seconds.`);
    const kills = await killMany({ kills: KILLS_MAX, budgetMs: BUDGET_MS });
    const acked = kills.reduce((sum, kill) => sum + kill.acked, 0);
    const lost = kills.reduce((sum, kill) => sum + Math.max(0, kill.acked - kill.found), 0);
    say(`${kills.length} processes killed, ${acked} records acknowledged, ${lost} of them lost.`);
    if (lost > 0) return say("Some were lost. That is not what this experiment is for: tell us.");
    say(
      "No record was ever synced, and none is missing. Why? The chapter asks you for the answer.",
    );
  },
};
