/**
 * Who the cluster is: the payload of a configuration entry, as JSON.
 *
 * | field      | type    | meaning                                                               |
 * | ---------- | ------- | --------------------------------------------------------------------- |
 * | clusterId  | string  | 32 hex digits, derived from the first members                         |
 * | epoch      | number  | how often the cluster was recovered by force; 0 if missing            |
 * | nextNumber | number  | what the next new member gets; behind the last member if missing      |
 * | sets       | object  | voters, outgoing, learners: numbers, ascending; all vote if missing   |
 * | members    | objects | number, id, address, incarnation; becomesVoter: true while it is to   |
 *
 * Written once a change, read by people during recovery: legible beats compact here. Every node
 * that bootstraps derives the same bytes from the same members, whatever the order it heard of
 * them. Invariant: equal members give equal bytes and one cluster id. Chapter: 08-replica.
 */
import { type Bytes, CairnError } from "#base";
import { crc32c } from "#bytes";
import type { VoterSets } from "#raft/types";
import type { Configuration, Member } from "./types.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * Four different starting values make four independent enough 32-bit parts of a name. It names, it
 * does not protect.
 */
const CLUSTER_ID_SEEDS = [0x6361, 0x6972, 0x6e2d, 0x6964] as const;

/** Nobody: a node that waits to be added. */
export const NO_SETS: VoterSets = { voters: [], outgoing: [], learners: [] };

/**
 * Makes the configuration of a new cluster: members sorted by id and numbered from 1, all voters.
 *
 * @throws `REPLICA_IDENTITY_MISMATCH` when two members share an id or an address.
 */
export function createConfiguration(members: readonly Omit<Member, "number">[]): Configuration {
  const sorted = [...members].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const shared = sharedName(sorted);
  if (shared !== undefined) {
    throw new CairnError(
      "REPLICA_IDENTITY_MISMATCH",
      `replica: two members of the new cluster share the ${shared}`,
    );
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
  return {
    clusterId,
    epoch: 0,
    members: numbered,
    sets: { ...NO_SETS, voters: numbered.map(({ number }) => number) },
    nextNumber: numbered.length + 1,
  };
}

/** What two members have both, of the things that only one may have. */
export function sharedName(members: readonly Pick<Member, "id" | "address">[]): string | undefined {
  const seen = new Set<string>();
  for (const member of members) {
    for (const key of [`id ${member.id}`, `address ${member.address}`]) {
      if (seen.has(key)) return key;
      seen.add(key);
    }
  }
  return undefined;
}

/** Everybody in any of the sets, ascending. */
export function numbersIn(sets: VoterSets): number[] {
  const numbers = new Set([...sets.voters, ...sets.outgoing, ...sets.learners]);
  return [...numbers].sort((a, b) => a - b);
}

/** Encodes a configuration: the same bytes on every node. */
export function encodeConfiguration(configuration: Configuration): Bytes {
  return encoder.encode(textOf(configuration));
}

/** Tells whether two configurations say the same. */
export function sameConfiguration(a: Configuration, b: Configuration): boolean {
  return textOf(a) === textOf(b);
}

function textOf({ clusterId, epoch, nextNumber, sets, members }: Configuration): string {
  const { voters, outgoing, learners } = sets;
  return JSON.stringify({
    clusterId,
    epoch,
    nextNumber,
    sets: { voters, outgoing, learners },
    members: members.map(({ number, id, address, incarnation, becomesVoter }) => ({
      ...{ number, id, address, incarnation },
      ...(becomesVoter === undefined ? {} : { becomesVoter }),
    })),
  });
}

const isNumber = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;

function isMember(value: unknown): value is Member {
  if (typeof value !== "object" || value === null) return false;
  const member = value as Record<string, unknown>;
  return (
    isNumber(member["number"]) &&
    typeof member["id"] === "string" &&
    typeof member["address"] === "string" &&
    typeof member["incarnation"] === "string" &&
    [undefined, true].includes(member["becomesVoter"] as true | undefined)
  );
}

function isSets(value: unknown): value is VoterSets {
  if (typeof value !== "object" || value === null) return false;
  const { voters, outgoing, learners } = value as Record<string, unknown>;
  return [voters, outgoing, learners].every(
    (numbers) => Array.isArray(numbers) && numbers.every(isNumber),
  );
}

/**
 * Decodes a configuration. One without sets is of the first format, in which all members voted.
 *
 * @throws `BYTES_MALFORMED`
 */
export function decodeConfiguration(bytes: Bytes): Configuration {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch (error) {
    throw new CairnError("BYTES_MALFORMED", "replica: configuration is not JSON", { cause: error });
  }
  return configurationFrom(value);
}

/**
 * The same for parsed JSON.
 *
 * @throws `BYTES_MALFORMED`
 */
export function configurationFrom(value: unknown): Configuration {
  if (typeof value === "object" && value !== null) {
    const { clusterId, members, ...rest } = value as Record<string, unknown>;
    if (typeof clusterId === "string" && Array.isArray(members) && members.every(isMember)) {
      const numbers = members.map(({ number }) => number);
      const {
        epoch = 0,
        nextNumber = Math.max(0, ...numbers) + 1,
        sets = { ...NO_SETS, voters: numbers },
      } = rest;
      if (isNumber(epoch) && isNumber(nextNumber) && isSets(sets)) {
        const { voters, outgoing, learners } = sets;
        return {
          ...{ clusterId, epoch, nextNumber, members },
          sets: { voters, outgoing, learners },
        };
      }
    }
  }
  throw new CairnError("BYTES_MALFORMED", "replica: configuration has the wrong shape");
}
