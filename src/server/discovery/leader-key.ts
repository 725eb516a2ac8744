/**
 * Discovery by one key in a store: whoever makes the key founds the cluster, and its leader keeps
 * it up to date.
 *
 * Invariant: a value that cannot be read is an error and never "nobody is there": a second cluster
 * would be founded beside the first.
 */
import { CairnError, errorText } from "#base";
import type { DiscoveredNode, Discovery, LeaderStore } from "./types.ts";

/**
 * The leader writes itself down again after this. In nanoseconds in `/status`, as the reference.
 */
export const REPORT_MS = 10_000;
/** A node that waits for a leader asks again after this. */
export const REGISTER_MS = 3000;

const NANOSECONDS_PER_MS = 1e6;

/** Discovery over a store. */
export function createKeyDiscovery(mode: "consul-kv" | "etcd-kv", store: LeaderStore): Discovery {
  let lastContact = "0001-01-01T00:00:00Z";
  const contacted = <T>(answer: T): T => {
    lastContact = new Date().toISOString();
    return answer;
  };
  return {
    mode,
    hasFounder: true,
    async find() {
      const value = contacted(await store.read());
      return value === undefined ? [] : [readNode(value).address];
    },
    claim: async (self) => contacted(await store.create(writeNode(self))),
    report: async (leader) => contacted(await store.write(writeNode(leader))),
    status: () => ({
      mode,
      register_interval: REGISTER_MS * NANOSECONDS_PER_MS,
      report_interval: REPORT_MS * NANOSECONDS_PER_MS,
      last_contact: lastContact,
    }),
  };
}

function writeNode({ id, apiUrl, address }: DiscoveredNode): string {
  return JSON.stringify({ id, api_addr: apiUrl, addr: address });
}

function readNode(value: string): DiscoveredNode {
  try {
    const node: unknown = JSON.parse(value);
    if (typeof node === "object" && node !== null) {
      const { id, api_addr, addr } = node as Record<string, unknown>;
      const isNode = typeof id === "string" && typeof addr === "string" && addr !== "";
      if (isNode) return { id, apiUrl: String(api_addr ?? ""), address: addr };
    }
    throw new Error("it has no id and addr");
  } catch (error) {
    throw new CairnError(
      "SERVER_DISCOVERY_FAILED",
      `server: discovery: the leader's key is not readable: ${errorText(error)}`,
      { cause: error },
    );
  }
}
