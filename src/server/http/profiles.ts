/**
 * `/debug/pprof/`: profiles of this process, in the formats that Node's tools read (compat
 * reference, 1.16; the reference's are Go's).
 *
 * `profile` is a CPU profile of the main thread (`.cpuprofile`), `heap` a sampled profile of what
 * it allocates (`.heapprofile`). Chrome's developer tools and speedscope open both. The SQL and
 * consensus threads are not in them. Invariant: one recording at a time, and none outlives its
 * limit.
 */
import { Session } from "node:inspector/promises";
import { errorText, type Ms } from "#base";
import { type Answer, type Call, TEXT_TYPE, textError } from "./answer.ts";

const CPU_SECONDS = 30;
const HEAP_SECONDS = 10;
/** More than a minute or two is not readable any more, and the recording fills the memory. */
const SECONDS_MAX = 300;
const MS_PER_SECOND = 1000;

/** Recorded only while it is asked for: at other times profiling costs nothing. */
let isRecording = false;

/** Picks the profile by the rest of the path; anything unknown is the list. */
export async function handleProfiles(call: Call): Promise<Answer> {
  const name = call.path.replace(/^\/debug\/pprof\/?/, "");
  switch (name) {
    case "cmdline":
      return { status: 200, headers: { "content-type": TEXT_TYPE }, body: cmdline() };
    case "profile":
      return recorded("cairn.cpuprofile", () => cpuProfile(secondsOf(call, CPU_SECONDS)));
    case "heap":
    case "allocs":
      return recorded("cairn.heapprofile", () => heapProfile(secondsOf(call, HEAP_SECONDS)));
    case "symbol":
      return { status: 200, headers: { "content-type": TEXT_TYPE }, body: "num_symbols: 1\n" };
    default:
      return { status: 200, headers: { "content-type": TEXT_TYPE }, body: INDEX };
  }
}

const INDEX = `profiles of this process:
profile?seconds=30  CPU of the main thread, as .cpuprofile
heap?seconds=10     what the main thread allocates meanwhile, as .heapprofile
cmdline             the command line, its words separated by NUL
symbol              for tools that ask: names are in the profiles already
`;

function cmdline(): string {
  return process.argv.join("\0");
}

function secondsOf({ parameters }: Call, usual: number): number {
  const seconds = parameters.integer("seconds");
  return seconds > 0 ? Math.min(seconds, SECONDS_MAX) : usual;
}

async function recorded(fileName: string, record: () => Promise<unknown>): Promise<Answer> {
  if (isRecording) return textError(500, "a profile is being recorded already");
  isRecording = true;
  try {
    const headers = {
      "content-type": "application/json",
      "content-disposition": `attachment; filename="${fileName}"`,
    };
    return { status: 200, headers, body: JSON.stringify(await record()) };
  } catch (error) {
    return textError(500, `could not record a profile: ${errorText(error)}`);
  } finally {
    isRecording = false;
  }
}

const pause = (ms: Ms): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());

async function cpuProfile(seconds: number): Promise<unknown> {
  const session = new Session();
  session.connect();
  try {
    await session.post("Profiler.enable");
    await session.post("Profiler.start");
    await pause(seconds * MS_PER_SECOND);
    return (await session.post("Profiler.stop")).profile;
  } finally {
    session.disconnect();
  }
}

async function heapProfile(seconds: number): Promise<unknown> {
  const session = new Session();
  session.connect();
  try {
    await session.post("HeapProfiler.startSampling");
    await pause(seconds * MS_PER_SECOND);
    return (await session.post("HeapProfiler.stopSampling")).profile;
  } finally {
    session.disconnect();
  }
}
