/**
 * Is this node ready to serve? One line for each thing that is looked at, for `/readyz` (compat
 * reference, 1.15).
 *
 * Invariant: a node whose state is known to be wrong, or that is out of its cluster, is not ready.
 */
import { CairnError, errorText, type Ms } from "#base";
import type { ConsensusThread } from "#replica";
import type { SqliteThreads } from "#sqlite/types";
import type { Leadership } from "./leadership.ts";
import type { Peers } from "./peers.ts";
import type { NodeService } from "./types.ts";

const POLL_MS: Ms = 20;
const NO_RENDERING = {
  associative: false,
  blobArray: false,
  qualifyColumns: false,
  timings: false,
} as const;

/** What is looked at. */
export interface ReadinessParts {
  readonly consensus: ConsensusThread;
  readonly sqlite: SqliteThreads;
  readonly leadership: Leadership;
  readonly peers: Peers;
}

type Readiness = Awaited<ReturnType<NodeService["readiness"]>>;

/** Looks at everything, and stops at the first thing that is wrong. */
export async function readinessOf(
  parts: ReadinessParts,
  options: Parameters<NodeService["readiness"]>[0],
): Promise<Readiness> {
  const { consensus, leadership, peers } = parts;
  const lines = ["[+]node ok"];
  if (options.noLeader) return { ready: true, lines };
  const fail = (line: string): Readiness => ({ ready: false, lines: [...lines, line] });
  if (leadership.leader() === undefined) return fail("[+]leader does not exist");
  try {
    await peers.contactLeader(options.timeoutMs);
  } catch (error) {
    return fail(`[+]leader not contactable: ${errorText(error)}`);
  }
  lines.push("[+]leader ok");
  const isLeading = leadership.isLeader();
  if (!consensus.isSound || (isLeading && !leadership.isReady())) {
    return fail("[+]store not ready");
  }
  lines.push("[+]store ok");
  if (options.sync) {
    const problem = await catchUp(consensus, options.timeoutMs);
    if (problem !== undefined) return fail(`[+]sync ${problem}`);
    lines.push("[+]sync ok");
  }
  const problem = await databaseProblem(parts.sqlite);
  if (problem !== undefined) return fail(`[+]db not ok: (${problem}, [])`);
  lines.push("[+]db ok");
  return { ready: true, lines };
}

/**
 * Waits until what this node knew to be committed is applied. @returns the problem, if there is
 * one.
 */
async function catchUp(consensus: ConsensusThread, timeoutMs: Ms): Promise<string | undefined> {
  const target = (await consensus.status())?.commitIndex ?? 0;
  const deadline = performance.now() + timeoutMs;
  while (((await consensus.status())?.appliedIndex ?? 0) < target) {
    if (performance.now() > deadline) return "timeout waiting for the applied index";
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return undefined;
}

async function databaseProblem(sqlite: SqliteThreads): Promise<string | undefined> {
  try {
    await sqlite.read({
      statements: [{ sql: "SELECT 1", positional: [], named: [] }],
      transaction: false,
      rendering: NO_RENDERING,
      mode: "query",
    });
    return undefined;
  } catch (error) {
    if (!(error instanceof CairnError)) throw error;
    return error.message;
  }
}
