/**
 * The few questions that `cairn cluster` asks its nodes over HTTP.
 *
 * Invariant: answers are read as data from outside: a field that is missing or of another type is
 * treated as unknown.
 */
import type { Ms } from "#base";
import type { Envelope } from "./sample-load.ts";

/** A node that is alive answers in milliseconds; a machine that is short of breath, in a second. */
const STATUS_TIMEOUT_MS: Ms = 1500;
/** As long as the nodes themselves wait for a write. */
const STATEMENT_TIMEOUT_MS: Ms = 30_000;

/** What `/status` says, as far as it is shown. */
export interface NodeFacts {
  /** In small letters: `leader`, `follower`, `candidate`. */
  readonly role: string;
  readonly term: number;
  readonly commit: number;
  readonly applied: number;
  readonly pid: number;
}

/** @returns undefined while the node does not answer. */
export async function askStatus(url: string): Promise<NodeFacts | undefined> {
  try {
    const response = await fetch(`${url}/status`, {
      signal: AbortSignal.timeout(STATUS_TIMEOUT_MS),
    });
    const tree: unknown = await response.json();
    if (!response.ok) return undefined;
    const number = (path: string): number => Number(leaf(tree, path) ?? 0);
    return {
      role: String(leaf(tree, "store.raft.state") ?? "").toLowerCase(),
      term: number("store.raft.term"),
      commit: number("store.raft.commit_index"),
      applied: number("store.raft.applied_index"),
      pid: number("os.pid"),
    };
  } catch {
    // Refused, reset, late or not JSON: the node is not there for anybody else either.
    return undefined;
  }
}

/** Is the node ready, and does it know a leader? */
export async function askReady(url: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(STATUS_TIMEOUT_MS);
    const response = await fetch(`${url}/readyz`, { signal });
    await response.text();
    return response.ok;
  } catch {
    // As above.
    return false;
  }
}

/** Posts statements as JSON. Rejects when there is no answer, or none in JSON. */
export async function postStatements(
  url: string,
  path: string,
  statements: readonly string[],
): Promise<Envelope> {
  const response = await fetch(`${url}${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(statements),
    signal: AbortSignal.timeout(STATEMENT_TIMEOUT_MS),
  });
  const text = await response.text();
  // Failures of whole requests are plain text, such as "leader not found".
  if (!response.ok) return { error: text.trim() === "" ? `status ${response.status}` : text };
  return JSON.parse(text) as Envelope;
}

function leaf(tree: unknown, path: string): unknown {
  let value = tree;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}
