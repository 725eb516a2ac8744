/**
 * The row of `/kv/` in the table of endpoints.
 *
 * Invariant: who may only read cannot change anything here, and the other way round.
 */
import { handleKvDelete, handleKvGet, handleKvPost, handleKvPut, KV_PATH } from "./kv.ts";
import type { Route } from "./routes.ts";

const RANGE = ["prefix", "from", "before", "limit", "cursor"] as const;
const READ = ["level", "freshness", "freshness_strict", "linearizable_timeout"] as const;

export const KV_ROUTE: Route = {
  path: KV_PATH,
  match: "prefix",
  permissions: ["query", "execute"],
  operations: {
    GET: {
      handler: handleKvGet,
      summary: "Read a key, or without one a range of keys",
      permissions: ["query"],
      parameters: [...RANGE, "keys", ...READ, "timeout", "pretty"],
      answers: ["application/octet-stream", "application/json"],
    },
    PUT: {
      handler: handleKvPut,
      summary: "Set a key",
      permissions: ["execute"],
      parameters: ["timeout", "pretty"],
      body: "file",
    },
    DELETE: {
      handler: handleKvDelete,
      summary: "Remove a key, or without one a range of keys",
      permissions: ["execute"],
      parameters: [...RANGE, "timeout", "pretty"],
    },
    POST: {
      handler: handleKvPost,
      summary: "txn: conditions and operations at one moment; session, session/close",
      parameters: ["timeout", "pretty"],
      body: "transaction",
    },
  },
};
