/**
 * Who a data directory belongs to: one small JSON file, `identity.json`, replaced atomically.
 *
 * | field       | type   | meaning                                                          |
 * | ----------- | ------ | ---------------------------------------------------------------- |
 * | version     | 1      | of this format                                                   |
 * | nodeId      | string | the name that its operator gave with `-node-id`                  |
 * | incarnation | string | 16 hex digits, drawn once when the directory was made            |
 *
 * Invariant: a wiped directory gets another incarnation, so a node that lost its vote and its log
 * can never pass for the one that had them. Chapter: 08-replica.
 */
import { type Bytes, CairnError } from "#base";
import { replaceFile } from "#bytes";
import type { Disk, Random } from "#platform/types";
import type { Identity } from "./types.ts";

const FILE_NAME = "identity.json";
const FILE_BYTES_MAX = 64 * 1024;
const INCARNATION_BYTES = 8;

function readAll(disk: Disk, path: string): Bytes {
  const file = disk.open(path, "read");
  try {
    const size = Math.min(file.size(), FILE_BYTES_MAX);
    const bytes = new Uint8Array(size);
    return bytes.subarray(0, file.read(0, bytes));
  } finally {
    file.close();
  }
}

function parse(path: string, bytes: Bytes): Identity {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new CairnError("REPLICA_IDENTITY_MISMATCH", `replica: ${path}: not JSON`, {
      cause: error,
    });
  }
  const { version, nodeId, incarnation } = value as Record<string, unknown>;
  if (version !== 1 || typeof nodeId !== "string" || typeof incarnation !== "string") {
    throw new CairnError(
      "REPLICA_IDENTITY_MISMATCH",
      `replica: ${path}: not an identity of version 1`,
    );
  }
  return { nodeId, incarnation };
}

/**
 * Reads the identity of a data directory, or makes one durably if there is none.
 *
 * @throws `REPLICA_IDENTITY_MISMATCH` when the directory belongs to a node of another name; nothing
 * is changed.
 */
export function openIdentity(options: {
  disk: Disk;
  dir: string;
  nodeId: string;
  random: Random;
}): Identity {
  const { disk, dir, nodeId, random } = options;
  const path = `${dir}/${FILE_NAME}`;
  if (disk.exists(path)) {
    const identity = parse(path, readAll(disk, path));
    if (identity.nodeId !== nodeId) {
      throw new CairnError(
        "REPLICA_IDENTITY_MISMATCH",
        `replica: ${path}: directory belongs to node ${identity.nodeId}, not to ${nodeId}`,
      );
    }
    return identity;
  }
  const incarnation = Array.from(random.bytes(INCARNATION_BYTES), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
  const text = JSON.stringify({ version: 1, nodeId, incarnation }, null, 2);
  replaceFile(disk, path, new TextEncoder().encode(`${text}\n`));
  return { nodeId, incarnation };
}
