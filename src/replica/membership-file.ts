/**
 * What a data directory was told of its cluster, in `membership.json`, replaced atomically.
 *
 * | field         | type   | meaning                                                            |
 * | ------------- | ------ | ------------------------------------------------------------------ |
 * | version       | 1      | of this format                                                     |
 * | number        | number | this node's in its cluster                                         |
 * | configuration | object | as in a configuration entry: who was there when it was told        |
 *
 * A node that waits to be added has nothing in its log, and one that was removed may not find
 * itself in its log any more: this file says which number is theirs. Invariant: the log's own
 * configuration wins wherever it has one. Chapter: 08-replica.
 */
import { CairnError, errorText } from "#base";
import type { Disk } from "#platform/types";
import { configurationFrom } from "./configuration.ts";
import { readJsonFile, writeJsonFile } from "./json-file.ts";
import type { Identity, Membership, RaftLogState } from "./types.ts";

const FILE_NAME = "membership.json";

/**
 * Reads it; undefined if this directory belongs to no cluster yet, or is of the first format.
 *
 * @throws `REPLICA_IDENTITY_MISMATCH` if it is damaged.
 */
export function readMembership(disk: Disk, dir: string): Membership | undefined {
  const path = `${dir}/${FILE_NAME}`;
  const value = readJsonFile(disk, path, "REPLICA_IDENTITY_MISMATCH");
  if (value === undefined) return undefined;
  const problem = (cause?: unknown): CairnError => {
    const text = cause === undefined ? "not a membership of version 1" : errorText(cause);
    return new CairnError("REPLICA_IDENTITY_MISMATCH", `replica: ${path}: ${text}`, { cause });
  };
  if (typeof value !== "object" || value === null) throw problem();
  const { version, number, configuration } = value as Record<string, unknown>;
  if (version !== 1 || !Number.isSafeInteger(number)) throw problem();
  try {
    return { number: number as number, configuration: configurationFrom(configuration) };
  } catch (error) {
    throw problem(error);
  }
}

/** Replaces it, durably. */
export function writeMembership(disk: Disk, dir: string, membership: Membership): void {
  writeJsonFile(disk, `${dir}/${FILE_NAME}`, { version: 1, ...membership });
}

/**
 * Which member this data directory is, from its log and from what it was told; undefined if it
 * belongs to no cluster yet.
 *
 * @throws `REPLICA_IDENTITY_MISMATCH` if it is not among those it knows.
 */
export function membershipOf(
  identity: Identity,
  state: RaftLogState,
  told: Membership | undefined,
): Membership | undefined {
  const configuration = state.configuration ?? told?.configuration;
  if (configuration === undefined) return undefined;
  const stored = [...state.configurations, ...(state.base === undefined ? [] : [state.base])];
  const known = [configuration, ...stored.map((one) => one.configuration)];
  const numbers = known.flatMap(({ members }) =>
    members
      .filter(
        ({ id, incarnation }) => id === identity.nodeId && incarnation === identity.incarnation,
      )
      .map(({ number }) => number),
  );
  if (told !== undefined) numbers.push(told.number);
  // Numbers only grow: whoever was removed and added again is the last of them.
  if (numbers.length > 0) return { number: Math.max(...numbers), configuration };
  throw new CairnError(
    "REPLICA_IDENTITY_MISMATCH",
    `replica: node ${identity.nodeId} with incarnation ${identity.incarnation} is no member ` +
      `of cluster ${configuration.clusterId}`,
  );
}
