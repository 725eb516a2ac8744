/**
 * What `cairn cluster` tells a newcomer: where the nodes are, what to try, what to break.
 *
 * Invariant: every command in it works when it is pasted into a shell as it stands.
 */
import type { NodeView } from "./live-view.ts";

const SAMPLE_QUERY = "SELECT * FROM best_sellers LIMIT 3";
const PLAIN_QUERY = "SELECT sqlite_version()";

/** What the text is about. */
export interface Introduction {
  readonly nodes: readonly NodeView[];
  readonly dir: string;
  readonly sample: boolean;
  readonly restartSeconds: number;
}

/** `1 node`, `3 nodes`. */
export function countNodes(count: number): string {
  return count === 1 ? "1 node" : `${count} nodes`;
}

function curl(url: string, statements: unknown): string {
  return `curl -s '${url}' -H 'Content-Type: application/json' -d '${JSON.stringify(statements)}'`;
}

/** The whole text, to be printed once when the cluster is ready. */
export function introduction({ nodes, dir, sample, restartSeconds }: Introduction): string {
  const first = nodes[0]?.url ?? "";
  const second = nodes[1]?.url ?? first;
  const leader = nodes.find(({ role }) => role === "leader");
  const others = nodes.length - 1;
  const insert = ["INSERT INTO authors (name, country) VALUES (?, ?)", "You", "Here"];
  const survives = others >= 2;
  return [
    "",
    `Ready: ${countNodes(nodes.length)}, one database.`,
    "",
    ...nodes.map(({ id, url }) => `  ${id}  ${url}`),
    "",
    "Ask any of them:",
    "",
    `  ${curl(`${first}/db/query?pretty`, [sample ? SAMPLE_QUERY : PLAIN_QUERY])}`,
    "",
    ...(sample
      ? ["Write through any of them:", "", `  ${curl(`${second}/db/execute?pretty`, [insert])}`, ""]
      : []),
    `Kill the leader${leader === undefined ? "" : `, ${leader.id}`}:`,
    "",
    `  kill -9 ${leader?.pid ?? "<pid>"}`,
    "",
    survives
      ? "The others elect a new leader within seconds, and nothing that was confirmed is lost."
      : "What is left is no majority: it cannot write until the node is back. Nothing is lost.",
    `The killed node starts again after ${restartSeconds} seconds and catches up.`,
    "",
    `Ctrl-C stops everything. The data stays in ${dir}; --fresh begins with an empty one.`,
    "",
  ].join("\n");
}
