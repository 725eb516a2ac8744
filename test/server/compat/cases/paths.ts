/** Paths, methods, and what every answer carries (compat reference, 1.1). */
import { type CompatCase, empty, TEXT_HEADERS } from "../case.ts";

const COMMON: Readonly<Record<string, string | null>> = {
  "access-control-allow-methods": "OPTIONS, GET, POST",
  "access-control-allow-headers": "Content-Type",
  "access-control-allow-origin": null,
  "access-control-allow-credentials": null,
  "www-authenticate": null,
};

const UNKNOWN: readonly string[] = [
  "/nowhere",
  "/db",
  "/db/",
  "/db/exec",
  "/DB/query",
  "/Status",
  "/boot/",
  "/bootX",
  "/snapshot/",
  "/reap/x",
  "/leader/",
  "/leaders",
  "/licensesX",
  "/debug",
  "/debug/varsX",
  "/debug/vars/",
  "/openapi",
];

/** Method and path of what is known, and takes no such method. */
const WRONG: readonly string[] = [
  "GET /db/execute",
  "PUT /db/execute",
  "DELETE /db/execute",
  "PUT /db/query",
  "HEAD /db/query",
  "GET /db/request",
  "POST /db/backup",
  "GET /db/load",
  "PUT /db/sql",
  "GET /boot",
  "GET /snapshot",
  "GET /reap",
  "GET /remove",
  "POST /remove",
  "POST /status",
  "DELETE /nodes",
  "PUT /leader",
  "DELETE /leader",
  "HEAD /readyz",
  "POST /licenses",
  "POST /debug/vars",
  "POST /debug/pprof/",
  "POST /console/",
  "POST /openapi.json",
];

/** Paths that match by their beginning. */
const PREFIXED: readonly (readonly [target: string, answer: RegExp])[] = [
  ["/status/", /^\{"build":/],
  ["/statusX", /^\{"build":/],
  ["/nodesX", /"reachable":true/],
  ["/nodes/n1", /"reachable":true/],
  ["/readyzz", /^\[\+\]node ok/],
  ["/db/query/?q=SELECT%201", /\[\[1\]\]/],
  ["/db/queryX?q=SELECT%201", /\[\[1\]\]/],
  ["/db/sqlX?q=SELECT%201", /"original"/],
  ["/%73tatus", /^\{"build":/],
  ["/debug/pprof/anything", /^profiles/],
  ["/debug/pprofX", /^profiles/],
];

export const PATHS: readonly CompatCase[] = [
  ...UNKNOWN.map((path) =>
    empty("1.1", `${path} is unknown`, `GET ${path}`, 404, { headers: COMMON }),
  ),
  ...WRONG.map((request) =>
    empty("1.1", `${request} is the wrong method`, request, 405, { headers: { allow: null } }),
  ),
  ...PREFIXED.map(([target, answer]) => ({
    section: "1.1",
    name: `${target} matches by its beginning`,
    request: `GET ${target}`,
    answer,
  })),
  ...["/nowhere", "/db/execute", "/status?timeout=x"].map((target) =>
    empty("1.1", `OPTIONS ${target}`, `OPTIONS ${target}`, 200, { headers: COMMON }),
  ),
  empty("1.1", "the root points to the console", "GET /", 302, {
    headers: { location: "/console/" },
  }),
  empty("1.1", "the console has a slash", "GET /console", 301, {
    headers: { location: "/console/" },
  }),
  {
    section: "1.16",
    name: "the console answers",
    request: "GET /console/",
    answer: /^<!doctype html>/i,
    headers: { "content-type": /^text\/html/ },
  },
  empty("1.16", "the console answers HEAD", "HEAD /console/", 200, {
    headers: { "content-type": /^text\/html/ },
  }),
  empty("1.16", "the console has no such file", "GET /console/nothing.js", 404),
  {
    section: "1.1",
    name: "a text error is plain text, not to be sniffed",
    request: "POST /db/execute",
    body: "nonsense",
    status: 400,
    answer: "invalid JSON body\n",
    headers: { ...COMMON, ...TEXT_HEADERS },
  },
  {
    section: "1.1",
    name: "a good answer is JSON",
    request: "GET /db/query?q=SELECT%201",
    answer: /^\{"results":/,
    headers: { ...COMMON, "content-type": "application/json; charset=utf-8" },
  },
];
