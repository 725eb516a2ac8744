/**
 * Clients that retry as real ones do: each write until somebody says how it came out.
 *
 * A write carries its own key, so that doing it twice does it once: after an answer that leaves its
 * outcome open it is simply sent again, to another node. Invariant: what `acknowledged` holds was
 * confirmed to a client; what `failures` holds is an operation that no retry brought to an end.
 */
import type { ProcessNode } from "../support/processes.ts";

/** One operation, all its retries together, may take so long. */
const OPERATION_MS_MAX = 20_000;
const CALL_MS_MAX = 5000;
/** Between two tries of one operation. */
const PAUSE_MS = 20;

/** What a client has written and was told. */
export interface ClientLog {
  readonly acknowledged: Set<string>;
  readonly failures: string[];
  /** The longest time from the first try of an operation to its answer. */
  longestMs: number;
  retries: number;
}

/** Clients at work. */
export interface Clients {
  readonly log: ClientLog;
  /** Ends them after the operation they are in. */
  stop(): Promise<void>;
}

/** One try. @returns the node's answer; undefined if it refused, or the outcome is open. */
export async function ask(
  node: ProcessNode,
  path: string,
  statements: readonly unknown[],
): Promise<string | undefined> {
  try {
    const response = await fetch(`${node.url}${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(statements),
      signal: AbortSignal.timeout(CALL_MS_MAX),
    });
    const text = await response.text();
    if (response.status !== 200 || text.includes('"error"')) return undefined;
    return text;
  } catch {
    // Nobody listened, the connection broke, or it took too long.
    return undefined;
  }
}

async function until<T>(
  log: ClientLog,
  what: string,
  attempt: (number: number) => Promise<T | undefined>,
): Promise<T | undefined> {
  const startedAt = performance.now();
  for (let number = 0; performance.now() - startedAt < OPERATION_MS_MAX; number += 1) {
    const answer = await attempt(number);
    if (answer !== undefined) {
      log.longestMs = Math.max(log.longestMs, performance.now() - startedAt);
      return answer;
    }
    log.retries += 1;
    await pause(PAUSE_MS);
  }
  log.failures.push(what);
  return undefined;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The table that clients write to. */
export const TABLE = "CREATE TABLE log (key TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID";

/**
 * Starts clients in closed loops. Each writes its next row, then reads all its rows back at level
 * linearizable from another node: what it was told before must be there.
 *
 * @param nodes - asked anew for each try, since nodes come and go.
 */
export function startClients(
  nodes: () => readonly ProcessNode[],
  options: { readonly clients: number; readonly name: string; readonly padding?: string },
): Clients {
  const { name, padding = "" } = options;
  const log: ClientLog = { acknowledged: new Set(), failures: [], longestMs: 0, retries: 0 };
  let isRunning = true;
  const pick = (number: number): ProcessNode => {
    const all = nodes();
    return all[number % all.length] as ProcessNode;
  };
  const loops = Array.from({ length: options.clients }, async (_, client) => {
    for (let n = 0; isRunning; n += 1) {
      const key = `${name}-${client}-${n}`;
      const write = ["INSERT OR REPLACE INTO log VALUES(?, ?)", `${key}${padding}`, n];
      const done = await until(log, `write ${key}`, (attempt) =>
        ask(pick(client + attempt), "/db/execute", [write]),
      );
      if (done === undefined) continue;
      log.acknowledged.add(`${key}${padding}`);
      const select = ["SELECT count(*) FROM log WHERE key GLOB ?", `${name}-${client}-*`];
      const seen = await until(log, `read behind ${key}`, (attempt) =>
        ask(pick(client + n + attempt), "/db/query?level=linearizable", [select]),
      );
      if (seen !== undefined && !seen.includes(`"values":[[${n + 1}]]`)) {
        log.failures.push(`stale: ${key} was acknowledged, and then there was ${seen}`);
      }
    }
  });
  return {
    log,
    stop: async () => {
      isRunning = false;
      await Promise.all(loops);
    },
  };
}

/** Keys that a node has itself. */
export async function keysOn(node: ProcessNode): Promise<Set<string>> {
  const text = await ask(node, "/db/query?level=none", ["SELECT key FROM log"]);
  const { results } = JSON.parse(text ?? "{}") as { results?: { values?: [string][] }[] };
  return new Set((results?.[0]?.values ?? []).map(([key]) => key));
}

/** Acknowledged rows that a node does not have. */
export async function missingOn(node: ProcessNode, log: ClientLog): Promise<string[]> {
  const keys = await keysOn(node);
  return [...log.acknowledged].filter((key) => !keys.has(key));
}
