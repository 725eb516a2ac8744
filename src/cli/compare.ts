/**
 * `cairn compare`: has a running cluster compare the states of all its nodes, and says what it
 * found.
 *
 * Invariant: "the same" is said only when every node has answered.
 */
import { CairnError, errorText } from "#base";

interface Comparison {
  readonly index: number;
  readonly digest: string | null;
  readonly differing: readonly string[];
  readonly silent: readonly string[];
}

/**
 * Asks any node.
 *
 * @param url - `http://host:port` of its HTTP interface.
 * @throws `NET_UNREACHABLE`; `SERVER_REQUEST_INVALID` with the node's words if it refuses.
 */
export async function compareStates(url: string): Promise<{ text: string; isGood: boolean }> {
  let status: number;
  let body: string;
  try {
    const response = await fetch(new URL("/compare", url), { method: "POST" });
    status = response.status;
    body = await response.text();
  } catch (error) {
    const text = `compare: ${url} does not answer: ${errorText(error)}`;
    throw new CairnError("NET_UNREACHABLE", text, { cause: error });
  }
  if (status !== 200) {
    throw new CairnError("SERVER_REQUEST_INVALID", `compare: ${url}: ${status}: ${body.trim()}`);
  }
  return describe(JSON.parse(body) as Comparison);
}

function describe({ index, digest, differing, silent }: Comparison): {
  text: string;
  isGood: boolean;
} {
  const lines: string[] = [];
  if (digest === null) lines.push(`at entry ${index}: no majority has the same state`);
  else lines.push(`at entry ${index}: the majority's state is ${digest}`);
  for (const id of differing) lines.push(`${id} differs: it stops serving and fetches the state`);
  for (const id of silent) lines.push(`${id} did not answer in time`);
  const isGood = digest !== null && differing.length === 0 && silent.length === 0;
  if (isGood) lines.push("all nodes have it");
  return { text: `${lines.join("\n")}\n`, isGood };
}
