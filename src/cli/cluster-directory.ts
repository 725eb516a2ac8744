/**
 * The directory of a cluster on this machine: one data directory and one log per node, a lock, and
 * `cluster.json`, which remembers what must be the same at every start.
 *
 * ```json
 * {"format": 1, "nodes": [{"id": "n1", "raftPort": 4101}, …]}
 * ```
 *
 * Invariants: one `cairn cluster` has a directory at a time; Raft ports never change, since they
 * are part of the cluster's stored configuration; nothing is removed from a directory that has no
 * `cluster.json`, since then it is not known to be ours.
 */
import { CairnError, type Cancel, isCairnError } from "#base";
import { replaceFile } from "#bytes";
import type { Disk } from "#platform/types";

const FORMAT = 1;
const MEMORY_FILE = "cluster.json";
const LOCK_FILE = "LOCK";

/** What is the same at every start. */
export interface RememberedNode {
  readonly id: string;
  readonly raftPort: number;
}

/** An opened directory. */
export interface ClusterDirectory {
  readonly path: string;
  /** Nodes of the first start; undefined before it. */
  readonly remembered: readonly RememberedNode[] | undefined;
  /** Durable when it returns. */
  remember(nodes: readonly RememberedNode[]): void;
  /** `number` is 1 for the first node. */
  dataDir(number: number): string;
  /** Where a node's output goes. */
  /** Where the output of a node goes. */
  logPath(number: number): string;
  /** Gives the directory free. */
  close(): void;
}

/**
 * Opens a directory, and makes it if it is missing.
 *
 * @param options - `fresh`: removes all data of an earlier cluster first.
 * @throws `DISK_LOCKED` while another process has it; `SERVER_CONFIG_INVALID` when `cluster.json`
 * cannot be read, or when `fresh` is asked of a directory that holds other things.
 */
export function openClusterDirectory(
  disk: Disk,
  path: string,
  options: { readonly fresh: boolean },
): ClusterDirectory {
  disk.makeDir(path);
  const unlock = lock(disk, path);
  try {
    if (options.fresh) removeCluster(disk, path);
    const remembered = readMemory(disk, path);
    return {
      path,
      remembered,
      remember: (nodes) =>
        replaceFile(
          disk,
          `${path}/${MEMORY_FILE}`,
          new TextEncoder().encode(`${JSON.stringify({ format: FORMAT, nodes }, undefined, 2)}\n`),
        ),
      dataDir: (number) => `${path}/node${number}`,
      logPath: (number) => `${path}/node${number}.log`,
      close: unlock,
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

function lock(disk: Disk, path: string): Cancel {
  try {
    return disk.lock(`${path}/${LOCK_FILE}`);
  } catch (error) {
    if (!isCairnError(error, "DISK_LOCKED")) throw error;
    const pid = error.details["pid"] ?? "unknown";
    throw new CairnError(
      "DISK_LOCKED",
      `cluster: ${path} is in use by another "cairn cluster", process ${pid}: ` +
        "stop that one, or choose another directory with --dir",
      { cause: error },
    );
  }
}

function readMemory(disk: Disk, path: string): readonly RememberedNode[] | undefined {
  const file = `${path}/${MEMORY_FILE}`;
  if (!disk.exists(file)) return undefined;
  const nodes = parseMemory(readText(disk, file));
  if (nodes !== undefined) return nodes;
  throw new CairnError(
    "SERVER_CONFIG_INVALID",
    `cluster: ${file} is damaged or of another version: start over with --fresh, ` +
      "or choose another directory with --dir",
  );
}

function readText(disk: Disk, path: string): string {
  const file = disk.open(path, "read");
  try {
    const bytes = new Uint8Array(file.size());
    file.read(0, bytes);
    return new TextDecoder().decode(bytes);
  } finally {
    file.close();
  }
}

function parseMemory(text: string): readonly RememberedNode[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Whatever is wrong with it, the caller has one advice.
    return undefined;
  }
  if (!isObject(value) || value["format"] !== FORMAT) return undefined;
  const { nodes } = value;
  if (!Array.isArray(nodes) || nodes.length === 0) return undefined;
  return nodes.every(isRememberedNode) ? nodes : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isRememberedNode(value: unknown): value is RememberedNode {
  return isObject(value) && typeof value["id"] === "string" && Number.isInteger(value["raftPort"]);
}

/**
 * Directories stay, empty: the doors to the disk have no way to remove one, and nothing needs it.
 */
function removeCluster(disk: Disk, path: string): void {
  const names = disk.list(path).filter((name) => !name.startsWith(LOCK_FILE));
  if (names.length === 0) return;
  if (!names.includes(MEMORY_FILE)) {
    throw new CairnError(
      "SERVER_CONFIG_INVALID",
      `cluster: ${path} has no ${MEMORY_FILE}, so it is not a cluster's directory: ` +
        "--fresh removes nothing there",
    );
  }
  for (const name of names) if (/^node\d+(\.log)?$/.test(name)) removeTree(disk, `${path}/${name}`);
  // Last, so that a removal that was interrupted can be asked for again.
  disk.unlink(`${path}/${MEMORY_FILE}`);
}

function removeTree(disk: Disk, path: string): void {
  try {
    // First, so that a link to a directory goes, and not what is behind it.
    disk.unlink(path);
  } catch (error) {
    if (!isCairnError(error) || isCairnError(error, "DISK_NOT_FOUND")) throw error;
    for (const name of listOrThrow(disk, path, error)) removeTree(disk, `${path}/${name}`);
  }
}

/** If it is not a directory either, the first error says why it could not be removed. */
function listOrThrow(disk: Disk, path: string, unlinkError: CairnError): readonly string[] {
  try {
    return disk.list(path);
  } catch (error) {
    throw isCairnError(error, "DISK_NOT_FOUND") ? unlinkError : error;
  }
}
