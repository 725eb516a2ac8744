/**
 * Can the engine hold ten million keys in little memory, open them at once, and leave the event
 * loop to others meanwhile?
 *
 * Keys of 16 and values of 100 bytes, in random order, in batches of 1000; nothing is synced by
 * request. Each step runs in a process of its own, whose peak of resident memory is what the system
 * says, not a sample; that of a process that only loads the code is reported beside it. Not
 * measured: data that the page cache does not hold.
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ask, type Bench, builtIsCurrent, endChild, forkModule } from "../harness/index.ts";
import type { LoadAnswer, LoadTask } from "./load-process.ts";

const PROCESS = join(dirname(fileURLToPath(import.meta.url)), "load-process.ts");
const MB = 1e6;
const MS_PER_SECOND = 1000;

export async function loadAndReopen(bench: Bench): Promise<void> {
  const keys = bench.parameter("keys", { small: 20_000, canonical: 10_000_000 });
  const dir = join(bench.directory(), "store");
  // The loader of the sources takes memory and time in each thread: a user has none of it.
  const built = bench.size === "canonical";
  if (built && !builtIsCurrent()) {
    throw new Error("bench: dist is older than src; `npm run build` first");
  }
  const run = (kind: LoadTask["kind"], kill = false) =>
    inProcess({ kind, dir, keys }, { built, kill });
  const empty = await run("nothing");
  const loaded = await run("load");
  const reopened = await run("open");
  const killed = await run("write and wait", true);
  const recovered = await run("open");
  for (const { found, sampled } of [loaded, reopened, killed, recovered]) {
    if (found !== sampled) throw new Error(`bench: ${found} of ${sampled} sampled keys are there`);
    bench.work(`${keys} ${found}`);
  }
  const rss = Math.max(...[loaded, reopened, killed, recovered].map((one) => one.rssBytesMax));
  bench.figure("load", (keys * MS_PER_SECOND) / loaded.elapsedMs, "keys/s");
  bench.figure("resident memory, peak", rss / MB, "MB", { atMost: 400 });
  bench.figure("resident memory without a store", empty.rssBytesMax / MB, "MB");
  bench.figure("opening after closing", reopened.openMs, "ms", { atMost: 1000 });
  bench.figure("opening after SIGKILL", recovered.openMs, "ms", { atMost: 1000 });
  bench.figure("event-loop delay p99 while loading", loaded.delayP99Ms, "ms", { atMost: 20 });
  bench.figure("event-loop delay, longest", loaded.delayMaxMs, "ms");
  const stats = loaded.stats!;
  bench.figure("write amplification", stats.writeAmplification, "x");
  bench.figure("space amplification", stats.spaceAmplification, "x");
  bench.figure("compactions", stats.background.compactions, "");
  bench.figure("writes slowed down", stats.stalls.slowdownMs / MS_PER_SECOND, "s");
  bench.figure("writes stopped", stats.stalls.stopMs / MS_PER_SECOND, "s");
}

async function inProcess(
  task: LoadTask,
  how: { readonly built: boolean; readonly kill: boolean },
): Promise<LoadAnswer> {
  const child = forkModule(PROCESS, how);
  try {
    // Our own child sends nothing else.
    const answer = (await ask(child, task)) as LoadAnswer;
    if (answer.kind === "failed") throw new Error(`bench: ${task.kind}: ${answer.reason}`);
    return answer;
  } finally {
    await endChild(child, how.kill ? "kill" : undefined);
  }
}
