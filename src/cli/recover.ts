/**
 * `cairn recover --dry-run`: what a forced recovery would do to a node, and what would be lost.
 *
 * The node itself carries a recovery out, when it is started with `raft/peers.json` in its data
 * directory. Invariant: looking changes nothing: the log is opened as a copy, the database for
 * reading.
 */
import { CairnError } from "#base";
import type { Disk } from "#platform/types";
import { describeRecovery, openRaftLog, previewRecovery, readMembership } from "#replica";
import type { Identity } from "#replica/types";
import { openSqliteReader } from "#sqlite";

const COPY_BYTES = 1024 * 1024;
const RENDERING = {
  associative: false,
  blobArray: false,
  qualifyColumns: false,
  timings: false,
} as const;

/**
 * The preview, line by line.
 *
 * @throws `DISK_LOCKED` while the node runs; `DISK_NOT_FOUND` if this is no data directory;
 * `REPLICA_RECOVERY_INVALID` if there is nothing to recover with, or the list cannot be used.
 */
export function recoveryPreview(disk: Disk, dataDir: string): string[] {
  const identity = readIdentity(disk, dataDir);
  const unlock = disk.lock(`${dataDir}/LOCK`);
  const copyDir = `${dataDir}/tmp/recover-${process.pid}`;
  try {
    copyFiles(disk, `${dataDir}/raft-log`, copyDir);
    const epochMin = readMembership(disk, dataDir)?.configuration.epoch ?? 0;
    const { log } = openRaftLog({ disk, dir: copyDir, epochMin });
    try {
      const appliedIndex = appliedIndexOf(disk, `${dataDir}/db.sqlite`);
      const preview = previewRecovery({ disk, dataDir, identity, log, appliedIndex });
      if (preview !== undefined) return describeRecovery(preview);
    } finally {
      void log.close().catch(() => undefined);
    }
  } finally {
    removeFiles(disk, copyDir);
    unlock();
  }
  throw new CairnError(
    "REPLICA_RECOVERY_INVALID",
    `recover: there is no ${dataDir}/raft/peers.json, so nothing would be recovered`,
  );
}

function readIdentity(disk: Disk, dataDir: string): Identity {
  const path = `${dataDir}/identity.json`;
  const file = disk.open(path, "read");
  try {
    const bytes = new Uint8Array(file.size());
    file.read(0, bytes);
    const { nodeId, incarnation } = JSON.parse(new TextDecoder().decode(bytes)) as Identity;
    return { nodeId, incarnation };
  } finally {
    file.close();
  }
}

/** What the database has applied is certainly committed. */
function appliedIndexOf(disk: Disk, path: string): number {
  if (!disk.exists(path)) return 0;
  const reader = openSqliteReader(path);
  try {
    const sql = "SELECT applied_index FROM _cairn_state";
    const answer = reader.read({
      statements: [{ sql, positional: [], named: [] }],
      transaction: false,
      rendering: RENDERING,
      mode: "query",
    });
    if (answer.needsWrite) return 0;
    const [result] = JSON.parse(new TextDecoder().decode(answer.results)) as {
      values?: readonly (readonly number[])[];
    }[];
    return result?.values?.[0]?.[0] ?? 0;
  } finally {
    reader.close();
  }
}

function copyFiles(disk: Disk, from: string, to: string): void {
  disk.makeDir(to);
  const piece = new Uint8Array(COPY_BYTES);
  for (const name of disk.list(from)) {
    const source = disk.open(`${from}/${name}`, "read");
    const target = disk.open(`${to}/${name}`, "create-new");
    try {
      for (let offset = 0; ; ) {
        const bytes = source.read(offset, piece);
        if (bytes === 0) break;
        target.write(offset, piece.subarray(0, bytes));
        offset += bytes;
      }
    } finally {
      source.close();
      target.close();
    }
  }
}

function removeFiles(disk: Disk, dir: string): void {
  if (!disk.exists(dir)) return;
  for (const name of disk.list(dir)) disk.unlink(`${dir}/${name}`);
  disk.removeDir(dir);
}
