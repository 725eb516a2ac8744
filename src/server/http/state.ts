/**
 * `/status`, `/nodes`, `/readyz`: what the node says about itself and its cluster (compat
 * reference, 1.12, 1.13, 1.15).
 *
 * Invariant: objects keyed by names of others are written by hand, in sorted order: a JavaScript
 * object would move keys that look like numbers to the front.
 */
import { errorText, isCairnError } from "#base";
import { formatDuration } from "../duration.ts";
import type { NodeInfo } from "../types.ts";
import { type Answer, type Call, jsonAnswer, TEXT_TYPE, textError } from "./answer.ts";
import { NOT_OPEN_TEXT, plainFailure } from "./failure.ts";
import { jsonString, sortedJson } from "./json-text.ts";
import { callOptionsOf } from "./parameters.ts";

const NANOSECONDS_PER_MS = 1e6;
const NANOSECONDS_PER_SECOND = 1e9;

/** The tree of facts, or the part of it that `key` names. */
export async function handleStatus(call: Call): Promise<Answer> {
  call.service.counters.add("http", "num_status");
  try {
    const tree = await call.service.status();
    const key = call.parameters.text("key");
    const part = key === undefined || key === "" ? tree : memberOf(tree, key.split("."));
    return jsonAnswer(call, Buffer.from(sortedJson(part ?? {})));
  } catch (error) {
    return plainFailure(error);
  }
}

/** The part of a tree at a path; undefined if it has none. */
export function memberOf(tree: unknown, path: readonly string[]): unknown {
  let part = tree;
  for (const name of path) {
    if (part === null || typeof part !== "object" || !Object.hasOwn(part, name)) return undefined;
    part = Reflect.get(part, name);
  }
  return part;
}

/** The members of the cluster, each asked how it is. */
export async function handleNodes(call: Call): Promise<Answer> {
  const { service, parameters } = call;
  const options = { ...callOptionsOf(call), nonVoters: parameters.has("nonvoters") };
  try {
    const nodes = [...(await service.nodes(options))].sort((one, other) =>
      Buffer.compare(Buffer.from(one.id), Buffer.from(other.id)),
    );
    const json =
      parameters.text("ver") === "2"
        ? `{"nodes":[${nodes.map(nodeJson).join(",")}]}`
        : `{${nodes.map((node) => `${jsonString(node.id)}:${nodeJson(node)}`).join(",")}}`;
    return jsonAnswer(call, Buffer.from(json));
  } catch (error) {
    if (isCairnError(error, "REPLICA_STOPPED")) {
      return textError(503, `store nodes: ${NOT_OPEN_TEXT}`);
    }
    return textError(500, `store nodes: ${errorText(error)}`);
  }
}

/** One node, its keys in the order of the reference. */
export function nodeJson(node: NodeInfo): string {
  const { timeMs } = node;
  const members: string[] = [];
  const text = (key: string, value: string | undefined, always = false): void => {
    if (always || (value !== undefined && value !== "")) {
      members.push(`"${key}":${jsonString(value ?? "")}`);
    }
  };
  text("id", node.id);
  text("api_addr", node.apiAddress);
  text("addr", node.address);
  text("version", node.version, true);
  members.push(`"voter":${node.voter}`, `"reachable":${node.reachable}`, `"leader":${node.leader}`);
  if (timeMs !== undefined && timeMs > 0) {
    members.push(`"time":${Math.round(timeMs * NANOSECONDS_PER_MS) / NANOSECONDS_PER_SECOND}`);
    text("time_s", formatDuration(timeMs));
  }
  text("error", node.error);
  return `{${members.join(",")}}`;
}

/** Is the node ready to serve? 200 or 503, with a line for each thing that was looked at. */
export async function handleReady(call: Call): Promise<Answer> {
  const { service, parameters } = call;
  service.counters.add("http", "num_readyz");
  try {
    const { ready, lines } = await service.readiness({
      ...callOptionsOf(call),
      noLeader: parameters.has("noleader"),
      sync: parameters.has("sync"),
    });
    const headers = { "content-type": TEXT_TYPE };
    return { status: ready ? 200 : 503, headers, body: lines.join("\n") };
  } catch (error) {
    return plainFailure(error);
  }
}
