/**
 * The process in which code is judged: `node --conditions=… --import tsx step-main.ts`, with an IPC
 * channel. It gets one request, answers with events, and ends.
 *
 * Invariant: nothing of the reader's is loaded before the request is there, so that a process may
 * be started before the reader has saved. What is needed by then is loaded already.
 */
import { pathToFileURL } from "node:url";
import {
  type Chapter,
  type ChildEvent,
  type ChildRequest,
  explainLoadError,
  explainMissingExport,
  judge,
  placeInReadersCode,
  withMissingParts,
} from "#learn";

const ROOT = new URL("../../", import.meta.url);

/** A process that loops for ever sends nothing any more: what it said must be on its way. */
const emit = (event: ChildEvent): Promise<void> =>
  new Promise((resolve) => {
    if (process.send === undefined) resolve();
    else process.send(event, () => resolve());
  });

/** Says one last thing and ends, once it has been sent. */
function endWith(event: ChildEvent): void {
  if (process.send === undefined) process.exit(1);
  process.send(event, () => process.exit());
}

async function load(request: ChildRequest): Promise<object> {
  const { chapter, module, judged } = request;
  const folder = `chapters/${chapter}`;
  if (judged === "starter" || judged === "solution") {
    return (await import(new URL(`${folder}/${judged}/index.ts`, ROOT).href)) as object;
  }
  const loaded = (await import(`#${module}`)) as object;
  if (judged === "reference") return loaded;
  if (request.parts.every(({ name }) => name in loaded)) return loaded;
  const starter = await import(new URL(`${folder}/starter/index.ts`, ROOT).href);
  const expected = Object.entries(starter as Record<string, unknown>)
    .filter(([, value]) => typeof value === "function")
    .map(([name]) => name);
  return withMissingParts(loaded, request.parts, expected);
}

async function answer(request: ChildRequest): Promise<void> {
  let module: object;
  try {
    // First of all: the checks may use given parts of the same module.
    module = await load(request);
  } catch (error) {
    endWith({ type: "cairn-not-loaded", problem: explainLoadError(error) });
    return;
  }
  const steps = new URL(`test/${request.module}/steps/index.ts`, ROOT).href;
  let chapter: Chapter;
  try {
    ({ chapter } = (await import(steps)) as { chapter: Chapter });
  } catch (error) {
    const problem = explainMissingExport(error, request.module);
    if (problem === null) throw error;
    endWith({ type: "cairn-not-loaded", problem });
    return;
  }
  await emit({ type: "cairn-loaded" });
  await judge(chapter, module, request.work, { emit, now: () => performance.now() });
  endWith({ type: "cairn-done" });
}

function crashed(error: unknown): void {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const place = placeInReadersCode(stack);
  endWith({ type: "cairn-crashed", text: stack, ...(place === undefined ? {} : { place }) });
}

process.on("uncaughtException", crashed);
process.on("unhandledRejection", crashed);
process.on("disconnect", () => process.exit());
// The channel does not count: when nothing else is left to happen, a check waits for ever.
process.on("beforeExit", () => endWith({ type: "cairn-unsettled" }));

process.once("message", (message) => {
  process.channel?.unref();
  answer(message as ChildRequest).catch((error: unknown) => {
    // Checks answer with lessons whatever the reader's code does: this one is ours.
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    endWith({ type: "cairn-broken", text });
  });
});

/** Run by hand, it says what it is for. */
if (process.send === undefined && process.argv[1] !== undefined) {
  const isMain = import.meta.url === pathToFileURL(process.argv[1]).href;
  if (isMain) process.stdout.write("step-main: started by cairn, with an IPC channel\n");
}
