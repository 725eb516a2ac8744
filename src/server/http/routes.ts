/**
 * Which path is which endpoint (compat reference, 1.1).
 *
 * Paths match by prefix, so that `/status/` and `/db/query/` work as they do in the reference.
 * Invariant: no two prefixes begin alike, so the order of the table does not matter.
 */
import { type Answer, emptyAnswer, type Handler } from "./answer.ts";
import { handleBackup } from "./backup.ts";
import { handleLoad } from "./load.ts";
import { handleExecute, handleQuery, handleRequest } from "./sql.ts";
import { handleNodes, handleReady, handleStatus } from "./state.ts";

interface Route {
  readonly prefix: string;
  readonly methods: readonly string[];
  readonly handler: Handler;
}

const GET = ["GET"];
const POST = ["POST"];

const ROUTES: readonly Route[] = [
  { prefix: "/db/execute", methods: POST, handler: handleExecute },
  { prefix: "/db/query", methods: ["GET", "POST"], handler: handleQuery },
  { prefix: "/db/request", methods: POST, handler: handleRequest },
  { prefix: "/db/backup", methods: GET, handler: handleBackup },
  { prefix: "/db/load", methods: POST, handler: handleLoad },
  { prefix: "/status", methods: GET, handler: handleStatus },
  { prefix: "/nodes", methods: GET, handler: handleNodes },
  { prefix: "/readyz", methods: GET, handler: handleReady },
];

/** The handler of a request, or the answer if there is none. */
export function findRoute(method: string, path: string): Handler | Answer {
  if (path === "/") {
    if (method !== "GET" && method !== "HEAD") return emptyAnswer(405);
    return emptyAnswer(302, { location: "/console/" });
  }
  for (const { prefix, methods, handler } of ROUTES) {
    if (path.startsWith(prefix)) return methods.includes(method) ? handler : emptyAnswer(405);
  }
  return emptyAnswer(404);
}
