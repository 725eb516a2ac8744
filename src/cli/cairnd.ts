#!/usr/bin/env node
/**
 * `cairnd`: the process that runs one node.
 *
 * Lines for people who watch go to stdout, the log goes to stderr, and what keeps the node from
 * starting is one line on stderr that says what and where. Invariant: SIGTERM and SIGINT lose
 * nothing that was acknowledged; a second signal ends the process at once and loses nothing either.
 */
import { pino } from "pino";
import { errorText, isCairnError } from "#base";
import {
  API_VERSION,
  CAIRN_VERSION,
  type Invocation,
  openNode,
  partsLine,
  readInvocation,
  usageText,
} from "#server";
import type { NodeConfig, RunningNode } from "#server/types";
import { exitWithParent } from "./exit-with-parent.ts";
import { hashPasswordCommand } from "./hash-password.ts";
import { startProfiles } from "./profiles.ts";

/** Exit codes of the reference: 2 for a command line that cannot be read, 1 for the rest. */
const ExitCode = { ok: 0, failed: 1, usage: 2 } as const;

const STDERR = 2;

/** The only word that is no data directory; one of that name can be written with `./`. */
const HASH_PASSWORD = "hash-password";

/** A terminal sends SIGINT to `npm` and to us, so the second may be no more than an echo. */
const ECHO_MS = 50;

await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<void> {
  // Dates in answers and in the log are UTC on every node, whatever its machine is set to. Threads
  // that start later inherit it.
  process.env["TZ"] = "UTC";
  if (argv[0] === HASH_PASSWORD) process.exit(await hashPasswordCommand());
  const invocation = configure(argv);
  if (invocation === undefined) return;
  const { config, warnings } = invocation;
  const logger = pino({ level: config.logLevel, base: { node: config.nodeId } }, destination());
  for (const warning of warnings) logger.warn(warning);
  console.log(`cairnd v${CAIRN_VERSION}, speaking the API of rqlite ${API_VERSION}`);
  const parts = partsLine();
  if (parts !== undefined) console.log(`parts: ${parts}`);
  const stop = stopOnSignals();
  exitWithParent();
  const profiles = await startProfiles(config, (text) => logger.warn(text));
  let node: RunningNode;
  try {
    node = await openNode(config, (level, text) => logger[level](text));
  } catch (error) {
    complain(config, error);
    process.exit(ExitCode.failed);
  }
  console.log(
    `node ${config.nodeId}: http://${node.httpAddress}, raft ${node.raftAddress}, ` +
      `data in ${config.dataDir}`,
  );
  const reason = await Promise.race([stop, death(node)]);
  await profiles.write();
  await finish(node, reason);
}

/** Log lines must be out before the process is, so this is synchronous. */
function destination(): ReturnType<typeof pino.destination> {
  return pino.destination({ dest: STDERR, sync: true });
}

/** What to run, or undefined if there is nothing. Sets the exit code. */
function configure(argv: readonly string[]): Extract<Invocation, { kind: "run" }> | undefined {
  try {
    const invocation = readInvocation(argv, process.env);
    switch (invocation.kind) {
      case "run":
        return invocation;
      case "help":
        console.log(usageText());
        break;
      case "version":
        console.log(`cairnd v${CAIRN_VERSION}`);
        break;
      case "print":
        console.log(invocation.text);
        if (invocation.problem !== undefined) process.exitCode = ExitCode.failed;
    }
    return undefined;
  } catch (error) {
    if (!isCairnError(error, "SERVER_CONFIG_INVALID")) throw error;
    console.error(`cairnd: ${error.message}`);
    const wantsUsage = error.details["usage"] === true;
    if (wantsUsage) console.error(usageText());
    process.exitCode = wantsUsage ? ExitCode.usage : ExitCode.failed;
    return undefined;
  }
}

/** One line: what, and where. */
function complain({ dataDir }: NodeConfig, error: unknown): void {
  const isOurs = isCairnError(error);
  const code = isOurs ? ` (${error.code})` : "";
  console.error(`cairnd: cannot start on ${dataDir}: ${errorText(error)}${code}`);
  // What is not one of our codes is our bug, and then the place in the code matters.
  if (!isOurs && error instanceof Error) console.error(error.stack);
}

/** Why a node stops: undefined because it was told to. */
type StopReason = Error | undefined;

/** Resolves at the first signal. The second one ends the process. */
function stopOnSignals(): Promise<StopReason> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    const onSignal = (signal: NodeJS.Signals): void => {
      const now = performance.now();
      if (firstAt === undefined) {
        firstAt = now;
        console.log(`${signal}: stopping; once more to stop at once`);
        resolve(undefined);
      } else if (now - firstAt > ECHO_MS) {
        // A read that never ends holds up even an exit: then a third signal ends the process.
        process.off("SIGTERM", onSignal).off("SIGINT", onSignal);
        process.exit(ExitCode.failed);
      }
    };
    process.on("SIGTERM", onSignal);
    process.on("SIGINT", onSignal);
  });
}

/** Resolves when the node cannot go on: a thread died, or its cluster would not have it. */
function death(node: RunningNode): Promise<StopReason> {
  return new Promise((resolve) => {
    void node.failed.then(resolve);
    node.joined.catch((error: unknown) => {
      resolve(error instanceof Error ? error : new Error(String(error)));
    });
  });
}

async function finish(node: RunningNode, reason: StopReason): Promise<void> {
  if (reason !== undefined) console.error(`cairnd: ${errorText(reason)}`);
  try {
    await node.close();
  } catch (error) {
    console.error(`cairnd: while stopping: ${errorText(error)}`);
    // An exit would wait for the thread of a read that never ends. All else is closed by now.
    if (isCairnError(error, "SQLITE_READER_FAILED")) process.kill(process.pid, "SIGKILL");
    process.exit(ExitCode.failed);
  }
  process.exit(reason === undefined ? ExitCode.ok : ExitCode.failed);
}
