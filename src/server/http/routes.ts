/**
 * Which path is which endpoint, in one table: who may use it, with which methods and parameters,
 * and what it is for (compat reference, 1.1). `/openapi.json` is made from it.
 *
 * Most paths match by prefix, so that `/status/` and `/db/query/` work as they do in the reference.
 * Invariant: no path is the beginning of another, so the order of the table does not matter.
 */
import type { Permission } from "../types.ts";
import { handleCompare, handleReap, handleRemove, handleSnapshot } from "./administration.ts";
import { type Answer, type Call, emptyAnswer, type Handler } from "./answer.ts";
import { handleBackup } from "./backup.ts";
import { handleConsole } from "./console.ts";
import { handleLicenses, handleVariables } from "./debug.ts";
import { KV_ROUTE } from "./kv-route.ts";
import { handleLeader, handleStepDown } from "./leader.ts";
import { handleBoot, handleLoad } from "./load.ts";
import { describeRoutes } from "./openapi.ts";
import type { ParameterName } from "./parameter-table.ts";
import { handleProfiles } from "./profiles.ts";
import { handleExecute, handleQuery, handleRequest } from "./sql.ts";
import { handleAnalysis } from "./sql-analysis.ts";
import { handleNodes, handleReady, handleStatus } from "./state.ts";

/** What a body is made of. */
export type BodyKind = "none" | "statements" | "file" | "node" | "transaction";

/** One method of an endpoint. */
export interface Operation {
  readonly handler: Handler;
  /** What it does: the first words of its description. */
  readonly summary: string;
  readonly parameters: readonly ParameterName[];
  /** In place of the endpoint's. */
  readonly permissions?: readonly Permission[];
  readonly body?: BodyKind;
  /** The body is not read before the handler runs: it may be larger than memory. */
  readonly streams?: boolean;
  /** Content types of a good answer. Default JSON. */
  readonly answers?: readonly string[];
}

/** One endpoint. */
export interface Route {
  readonly path: string;
  readonly match: "prefix" | "exact";
  /** All of them are needed. */
  readonly permissions: readonly Permission[];
  readonly operations: Readonly<Record<string, Operation>>;
}

const READ: readonly ParameterName[] = [
  "level",
  "freshness",
  "freshness_strict",
  "linearizable_timeout",
  "qualify_columns",
];
const SQL: readonly ParameterName[] = [
  "transaction",
  "timings",
  "pretty",
  "associative",
  "blob_array",
  "raft_index",
  "noparse",
  "norwrandom",
  "norwtime",
  "redirect",
  "timeout",
  "db_timeout",
  "retries",
];
const FORWARDED: readonly ParameterName[] = ["timeout", "retries", "redirect"];
const BINARY = "application/octet-stream";
const TEXT = "text/plain";

/** Every endpoint. */
export const ROUTES: readonly Route[] = [
  {
    path: "/db/execute",
    match: "prefix",
    permissions: ["execute"],
    operations: {
      POST: {
        handler: handleExecute,
        summary: "Run statements for their effect",
        parameters: [...SQL, "queue", "wait", "noleader"],
        body: "statements",
      },
    },
  },
  {
    path: "/db/query",
    match: "prefix",
    permissions: ["query"],
    operations: {
      GET: { handler: handleQuery, summary: "Run one query", parameters: ["q", ...SQL, ...READ] },
      POST: {
        handler: handleQuery,
        summary: "Run queries",
        parameters: [...SQL, ...READ],
        body: "statements",
      },
    },
  },
  {
    path: "/db/request",
    match: "prefix",
    permissions: ["query", "execute"],
    operations: {
      POST: {
        handler: handleRequest,
        summary: "Run reads and writes together",
        parameters: [...SQL, ...READ],
        body: "statements",
      },
    },
  },
  {
    path: "/db/backup",
    match: "prefix",
    permissions: ["backup"],
    operations: {
      GET: {
        handler: handleBackup,
        summary: "Copy the database",
        parameters: ["fmt", "vacuum", "compress", "tables", "noleader", "redirect", "timeout"],
        answers: [BINARY, "application/sql"],
      },
    },
  },
  {
    path: "/db/load",
    match: "prefix",
    permissions: ["load"],
    operations: {
      POST: {
        handler: handleLoad,
        summary: "Replace the database by a SQLite file, or run SQL text",
        parameters: ["timings", "pretty", ...FORWARDED],
        body: "file",
        streams: true,
        answers: [TEXT],
      },
    },
  },
  {
    path: "/db/sql",
    match: "prefix",
    permissions: ["query"],
    operations: {
      GET: {
        handler: handleAnalysis,
        summary: "Show how one statement would be run",
        parameters: ["q", "norwrandom", "norwtime", "timings", "pretty"],
      },
      POST: {
        handler: handleAnalysis,
        summary: "Show how statements would be run",
        parameters: ["norwrandom", "norwtime", "timings", "pretty"],
        body: "statements",
      },
    },
  },
  KV_ROUTE,
  {
    path: "/boot",
    match: "exact",
    permissions: ["load"],
    operations: {
      POST: {
        handler: handleBoot,
        summary: "Replace the database of a lone node by a SQLite file of any size",
        parameters: [],
        body: "file",
        streams: true,
        answers: [],
      },
    },
  },
  {
    path: "/snapshot",
    match: "exact",
    permissions: ["snapshot"],
    operations: {
      POST: {
        handler: handleSnapshot,
        summary: "Make the database file complete, so that the log can be shortened",
        parameters: ["trailing_logs"],
        answers: [],
      },
    },
  },
  {
    path: "/reap",
    match: "exact",
    permissions: ["snapshot"],
    operations: {
      POST: { handler: handleReap, summary: "Remove what snapshots left behind", parameters: [] },
    },
  },
  {
    path: "/compare",
    match: "exact",
    permissions: ["status"],
    operations: {
      POST: {
        handler: handleCompare,
        summary: "Compare the states of all nodes at one entry of the log",
        parameters: ["timeout", "pretty"],
      },
    },
  },
  {
    path: "/remove",
    match: "prefix",
    permissions: ["remove"],
    operations: {
      DELETE: {
        handler: handleRemove,
        summary: "Take a node out of the cluster",
        parameters: FORWARDED,
        body: "node",
        answers: [],
      },
    },
  },
  {
    path: "/status",
    match: "prefix",
    permissions: ["status"],
    operations: {
      GET: {
        handler: handleStatus,
        summary: "Facts about this node",
        parameters: ["key", "pretty"],
      },
    },
  },
  {
    path: "/nodes",
    match: "prefix",
    permissions: ["status"],
    operations: {
      GET: {
        handler: handleNodes,
        summary: "The nodes of the cluster",
        parameters: ["nonvoters", "ver", "timeout", "retries", "pretty"],
      },
    },
  },
  {
    path: "/leader",
    match: "exact",
    permissions: ["leader-ops"],
    operations: {
      GET: {
        handler: handleLeader,
        summary: "The leader",
        parameters: ["timeout", "retries", "pretty"],
      },
      POST: {
        handler: handleStepDown,
        summary: "Have the leader hand over",
        parameters: ["wait", ...FORWARDED],
        body: "node",
        answers: [],
      },
    },
  },
  {
    path: "/readyz",
    match: "prefix",
    permissions: ["ready"],
    operations: {
      GET: {
        handler: handleReady,
        summary: "Is this node ready?",
        parameters: ["noleader", "sync", "timeout", "retries"],
        answers: [TEXT],
      },
    },
  },
  {
    path: "/licenses",
    match: "exact",
    permissions: ["status"],
    operations: {
      GET: {
        handler: handleLicenses,
        summary: "What this program is made of",
        parameters: [],
        answers: [TEXT],
      },
    },
  },
  {
    path: "/debug/vars",
    match: "exact",
    permissions: ["status"],
    operations: {
      GET: { handler: handleVariables, summary: "Counters", parameters: ["key", "pretty"] },
    },
  },
  {
    path: "/debug/pprof",
    match: "prefix",
    permissions: ["status"],
    operations: {
      GET: {
        handler: handleProfiles,
        summary: "Profiles of this process: profile (CPU), heap, cmdline, symbol",
        parameters: ["seconds"],
        answers: ["application/json", TEXT],
      },
    },
  },
  {
    path: "/console",
    match: "prefix",
    permissions: ["ui"],
    operations: {
      GET: {
        handler: handleConsole,
        summary: "The web console",
        parameters: [],
        answers: ["text/html"],
      },
      HEAD: {
        handler: handleConsole,
        summary: "The web console",
        parameters: [],
        answers: ["text/html"],
      },
    },
  },
  {
    path: "/openapi.json",
    match: "exact",
    permissions: [],
    operations: {
      GET: {
        handler: (call: Call): Answer => describeRoutes(call, ROUTES),
        summary: "This description",
        parameters: ["pretty"],
      },
    },
  },
];

/** The endpoint of a path; undefined if there is none. */
export function findRoute(path: string): Route | undefined {
  return ROUTES.find((route) =>
    route.match === "exact" ? route.path === path : path.startsWith(route.path),
  );
}

/** The answer at `/`, which is no endpoint: on to the console. */
export function rootAnswer(method: string): Answer {
  if (method !== "GET" && method !== "HEAD") return emptyAnswer(405);
  return emptyAnswer(302, { location: "/console/" });
}
