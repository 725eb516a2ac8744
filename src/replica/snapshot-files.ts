/**
 * The directory of snapshots: copies for other nodes, and those on their way in.
 *
 * | name                | what it is                                                            |
 * | ------------------- | --------------------------------------------------------------------- |
 * | `out-<copy>`        | a copy made for others; removed at start and when nobody needs it     |
 * | `in-<index>-<copy>` | being received, or received and named by the log's last reset         |
 *
 * Invariant: at start nothing is left but the file that the log's reset still needs: everything
 * else is of a transfer that has to begin anew. Chapter: 08-replica.
 */
import { type Bytes, CairnError, isCairnError } from "#base";
import { crc32c } from "#bytes";
import type { Clock, Disk, FileHandle } from "#platform/types";
import type { Index } from "#raft/types";
import type { Applier, RaftLog } from "./types.ts";

/** Read at once for a checksum: a few milliseconds, so that heartbeats are not kept waiting. */
const SLICE_BYTES = 1024 * 1024;

export const outPath = (dir: string, copy: number): string => `${dir}/out-${copy}`;
export const inPath = (dir: string, index: Index, copy: number): string =>
  `${dir}/in-${index}-${copy}`;

/** Removes a file if it is there; the name may come back after a power cut. */
export function removeFile(disk: Disk, path: string): void {
  try {
    disk.unlink(path);
  } catch (error) {
    if (!isCairnError(error, "DISK_NOT_FOUND")) throw error;
  }
}

/** CRC-32C of a whole file, a slice at a time with room for other work in between. */
export async function checksumOf(file: FileHandle, clock: Clock): Promise<number> {
  const size = file.size();
  const slice = new Uint8Array(Math.min(SLICE_BYTES, size));
  let checksum = 0;
  for (let offset = 0; offset < size; offset += slice.length) {
    const read = file.read(offset, slice);
    checksum = crc32c(slice.subarray(0, read), checksum);
    await new Promise<void>((resolve) => clock.after(0, resolve));
  }
  return checksum;
}

/** The bytes from `offset` on, at most `bytes`. */
export function readRange(file: FileHandle, offset: number, bytes: number): Bytes {
  const target = new Uint8Array(bytes);
  return target.subarray(0, file.read(offset, target));
}

/**
 * Makes the directory ready: removes what nobody needs, and finishes an installation that a crash
 * has interrupted. Comes between opening log and state machine and making the replica.
 *
 * @returns what the state machine has applied now.
 * @throws `REPLICA_LOG_BEHIND`, `REPLICA_SNAPSHOT_MISSING` when the state machine is older than the
 * log's beginning and no snapshot can take its place.
 */
export async function finishInstall(options: {
  readonly disk: Disk;
  readonly dir: string;
  readonly log: RaftLog;
  readonly applier: Applier;
  readonly appliedIndex: Index;
  /** Of several state machines, what the one that is ahead has applied. Default: the same. */
  readonly newestIndex?: Index;
}): Promise<Index> {
  const { disk, dir, log, applier, appliedIndex, newestIndex = appliedIndex } = options;
  const { compactedIndex, resetCopy } = log.state;
  if (newestIndex > log.lastIndex) {
    throw new CairnError(
      "REPLICA_LOG_BEHIND",
      `replica: database has applied entry ${newestIndex}, but the log ends at ${log.lastIndex}`,
    );
  }
  disk.makeDir(dir);
  const isBehind = appliedIndex < compactedIndex;
  const needed = inPath(dir, compactedIndex, resetCopy);
  for (const name of disk.list(dir)) {
    const path = `${dir}/${name}`;
    if (isTransfer(name) && !(isBehind && path === needed)) disk.unlink(path);
  }
  disk.syncDir(dir);
  if (!isBehind) return appliedIndex;
  if (resetCopy === 0 || !disk.exists(needed)) {
    throw new CairnError(
      "REPLICA_SNAPSHOT_MISSING",
      `replica: the log begins behind entry ${compactedIndex}, the database has applied ` +
        `${appliedIndex}, and ${needed} is not there`,
    );
  }
  await applier.install(needed, compactedIndex);
  removeFile(disk, needed);
  return compactedIndex;
}

/** Ours to remove: the machine may keep files of its own here while it installs. */
const isTransfer = (name: string): boolean => /^(out-\d+|in-\d+-\d+)$/.test(name);
