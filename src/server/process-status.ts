/**
 * Sections of `/status` that speak of the process and its connections, not of the cluster (compat
 * reference, 13.1).
 *
 * Invariant: every value was asked for just now; what this program does not have is left out.
 */
import os from "node:os";
import type { SqliteThreads } from "#sqlite/types";
import { formatDuration } from "./duration.ts";
import type { NodeConfig } from "./node-config.ts";
import type { WriteQueue } from "./queue.ts";
import { API_VERSION } from "./version.ts";

const NOTHING = { positional: [], named: [] } as const;
const PLAIN = {
  associative: false,
  blobArray: false,
  qualifyColumns: false,
  timings: false,
} as const;

const MEMORY_PRAGMAS = [
  "max_page_count",
  "page_count",
  "page_size",
  "hard_heap_limit",
  "soft_heap_limit",
  "cache_size",
  "freelist_count",
] as const;
const READER_PRAGMAS = [
  "busy_timeout",
  "foreign_keys",
  "journal_mode",
  "synchronous",
  "wal_autocheckpoint",
] as const;

/** PRAGMAs as a reader answers them now. */
export async function readerFacts(sqlite: SqliteThreads): Promise<{
  readonly memory: Readonly<Record<string, number>>;
  readonly pragmas: Readonly<Record<string, string>>;
}> {
  const names = [...MEMORY_PRAGMAS, ...READER_PRAGMAS];
  const response = await sqlite.read({
    statements: names.map((name) => ({ sql: `PRAGMA ${name}`, ...NOTHING })),
    transaction: false,
    rendering: PLAIN,
    mode: "query",
  });
  const results: readonly { values?: readonly (readonly unknown[])[] }[] = response.needsWrite
    ? []
    : JSON.parse(Buffer.from(response.results).toString("utf8"));
  const value = (name: string): unknown =>
    results[names.findIndex((other) => other === name)]?.values?.[0]?.[0];
  const facts = <T>(of: readonly string[], as: (value: unknown) => T): Record<string, T> =>
    Object.fromEntries(of.map((name) => [name, as(value(name))]));
  return { memory: facts(MEMORY_PRAGMAS, Number), pragmas: facts(READER_PRAGMAS, String) };
}

/** `http`: where it listens, with what, and how full the queue is. */
export function httpSection(config: NodeConfig, queue: WriteQueue, raftAddress: string): object {
  const { capacity, batchRequests, timeoutMs, sequenceNumber } = queue.status();
  const { httpTls, httpAllowOrigin } = config;
  return {
    bind_addr: config.httpAddress,
    auth: config.authPath === "" ? "disabled" : "enabled",
    ...(httpAllowOrigin === "" ? {} : { allow_origin: httpAllowOrigin }),
    cluster: { local_node_addr: raftAddress, timeout: "30s" },
    queue: {
      _default: {
        max_size: capacity,
        batch_size: batchRequests,
        timeout: formatDuration(timeoutMs),
        sequence_number: sequenceNumber,
      },
    },
    tls: {
      enabled: httpTls === undefined ? "false" : "true",
      ...(httpTls === undefined
        ? {}
        : { cert_file: httpTls.certificatePath, key_file: httpTls.keyPath }),
    },
  };
}

/** `build`, `node`, `os`, `runtime`, `network`. */
export function processSections(startedAt: Date): Record<string, object> {
  const now = new Date();
  const cores = os.cpus().length;
  return {
    build: {
      version: API_VERSION,
      compiler_toolchain: "node",
      compiler_command: process.version,
    },
    node: {
      start_time: startedAt.toISOString(),
      current_time: now.toISOString(),
      uptime: formatDuration(now.getTime() - startedAt.getTime()),
    },
    os: {
      pid: process.pid,
      ppid: process.ppid,
      executable: process.execPath,
      hostname: os.hostname(),
    },
    runtime: {
      GOARCH: process.arch,
      GOOS: process.platform,
      GOMAXPROCS: cores,
      num_cpu: cores,
      version: process.version,
      memory_bytes: process.memoryUsage.rss(),
    },
    network: { interfaces: interfaces() },
  };
}

function interfaces(): Record<string, object> {
  return Object.fromEntries(
    Object.entries(os.networkInterfaces()).map(([name, addresses = []]) => [
      name,
      {
        flags: addresses[0]?.internal === true ? "up|loopback" : "up",
        hardware_address: addresses[0]?.mac ?? "",
        addresses: addresses.map(({ cidr, address }) => ({ address: cidr ?? address })),
      },
    ]),
  );
}
