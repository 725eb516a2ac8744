/**
 * Who the cluster is: the payload of the first log entry, as JSON.
 *
 * Written once a cluster, read by people during recovery: legible beats compact here. Every node
 * that bootstraps derives the same bytes from the same members, whatever the order it heard of
 * them.
 *
 * Invariant: equal members give equal bytes and one cluster id.
 * Chapter: 08-replica.
 */
import { type Bytes, CairnError } from "#base";
import { crc32c } from "#bytes";
import type { Configuration, Member } from "./types.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Four different starting values make four independent enough 32-bit parts of a name. It names, it
 * does not protect.
 */
const CLUSTER_ID_SEEDS = [0x6361, 0x6972, 0x6e2d, 0x6964] as const;

/**
 * Makes the configuration of a new cluster: members sorted by id and numbered from 1.
 *
 * @throws `REPLICA_IDENTITY_MISMATCH` when two members share an id or an address.
 */
export function createConfiguration(members: readonly Omit<Member, "number">[]): Configuration {
  const sorted = [...members].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const seen = new Set<string>();
  for (const member of sorted) {
    for (const key of [`id ${member.id}`, `address ${member.address}`]) {
      if (seen.has(key)) {
        throw new CairnError(
          "REPLICA_IDENTITY_MISMATCH",
          `replica: two members of the new cluster share the ${key}`,
        );
      }
      seen.add(key);
    }
  }
  const numbered = sorted.map((member, position) => ({
    number: position + 1,
    id: member.id,
    address: member.address,
    incarnation: member.incarnation,
  }));
  const text = encoder.encode(JSON.stringify(numbered));
  const clusterId = CLUSTER_ID_SEEDS.map((seed) =>
    crc32c(text, seed).toString(16).padStart(8, "0"),
  ).join("");
  return { clusterId, members: numbered };
}

/** Encodes a configuration: the same bytes on every node. */
export function encodeConfiguration(configuration: Configuration): Bytes {
  return encoder.encode(
    JSON.stringify({ clusterId: configuration.clusterId, members: configuration.members }),
  );
}

function isMember(value: unknown): value is Member {
  if (typeof value !== "object" || value === null) return false;
  const member = value as Record<string, unknown>;
  return (
    Number.isSafeInteger(member["number"]) &&
    typeof member["id"] === "string" &&
    typeof member["address"] === "string" &&
    typeof member["incarnation"] === "string"
  );
}

/**
 * Decodes a configuration.
 *
 * @throws `BYTES_MALFORMED`
 */
export function decodeConfiguration(bytes: Bytes): Configuration {
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    if (typeof value === "object" && value !== null) {
      const { clusterId, members } = value as Record<string, unknown>;
      if (typeof clusterId === "string" && Array.isArray(members) && members.every(isMember)) {
        return { clusterId, members };
      }
    }
  } catch (error) {
    throw new CairnError("BYTES_MALFORMED", "replica: configuration is not JSON", { cause: error });
  }
  throw new CairnError("BYTES_MALFORMED", "replica: configuration has the wrong shape");
}
