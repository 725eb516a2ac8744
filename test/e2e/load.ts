/**
 * Concurrent writers that remember what they were told: acknowledged, refused for certain, or
 * unknown.
 */
import type { ProcessCluster } from "../support/cluster.ts";
import type { ProcessNode } from "../support/processes.ts";

/** What the clients were told about their rows, by the row's text. */
export interface Ledger {
  readonly acknowledged: Set<string>;
  /** Told definitely that it did not happen. */
  readonly refused: Set<string>;
  readonly unknown: Set<string>;
}

export function createLedger(): Ledger {
  return { acknowledged: new Set(), refused: new Set(), unknown: new Set() };
}

/**
 * Texts with which a node refuses for certain; everything else that is no success leaves the
 * outcome open.
 */
const DEFINITE = /leader not found|not leader|leadership lost while committing log/;

async function insert(node: ProcessNode, value: string, ledger: Ledger): Promise<void> {
  try {
    const response = await fetch(`${node.url}/db/execute`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify([["INSERT INTO ledger(value) VALUES(?)", value]]),
      signal: AbortSignal.timeout(15_000),
    });
    const body = await response.text();
    if (response.status === 200 && /"last_insert_id"/.test(body)) ledger.acknowledged.add(value);
    else if (DEFINITE.test(body)) ledger.refused.add(value);
    else ledger.unknown.add(value);
  } catch {
    // The connection broke or nobody listened. Whether the write happened, nobody can say.
    ledger.unknown.add(value);
  }
}

/**
 * Starts `clients` closed loops over all nodes. @returns a function that ends them and waits for
 * the last answers.
 */
export function startWriters(
  cluster: ProcessCluster,
  ledger: Ledger,
  options: { readonly clients: number; readonly name: string },
): () => Promise<void> {
  let running = true;
  const loops = Array.from({ length: options.clients }, async (_, client) => {
    for (let n = 0; running; n += 1) {
      const node = cluster.nodes[(client + n) % cluster.nodes.length] as ProcessNode;
      await insert(node, `${options.name}-${client}-${n}`, ledger);
      // A node that is down refuses in microseconds; other turns of the loop must have their
      // chance.
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
  return async () => {
    running = false;
    await Promise.all(loops);
  };
}

/** Compares one node's rows with what clients were told. @returns the problems, in words. */
export function compare(values: readonly string[], ledger: Ledger): string[] {
  const problems: string[] = [];
  const present = new Map<string, number>();
  for (const value of values) present.set(value, (present.get(value) ?? 0) + 1);
  for (const value of ledger.acknowledged) {
    const times = present.get(value) ?? 0;
    if (times !== 1) problems.push(`${value} was acknowledged and is there ${times} times`);
  }
  for (const value of ledger.refused) {
    if (present.has(value)) problems.push(`${value} was refused for certain and is there`);
  }
  for (const [value, times] of present) {
    if (times > 1) problems.push(`${value} is there ${times} times`);
  }
  return problems;
}
