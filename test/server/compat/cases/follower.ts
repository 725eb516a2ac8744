/** What a follower does that a leader does not, and what the leader does instead (3.4, 1.1). */
import { type CompatCase, empty, post, query } from "../case.ts";

const HTTP_URL = /^http:\/\/127\.0\.0\.1:\d+/;
const ONE = '{"columns":["1"],"types":["integer"],"values":[[1]]}';

/** Requests that are sent to the leader with `redirect`. */
const REDIRECTED: readonly (readonly [request: string, body?: unknown])[] = [
  ["POST /db/execute?redirect&pretty", ["CREATE TABLE t (n)"]],
  ["GET /db/query?q=SELECT%201&redirect"],
  ["POST /db/request?redirect", ["SELECT 1"]],
  ["GET /db/backup?redirect"],
  ["POST /db/load?redirect", "CREATE TABLE t (n)"],
  ["DELETE /remove?redirect", { id: "nobody" }],
  ["POST /leader?redirect"],
];

export const FOLLOWER: readonly CompatCase[] = [
  ...REDIRECTED.map(([request, body]) =>
    empty("3.4", `${request} is sent on`, request, 301, {
      role: "follower",
      ...(body === undefined ? {} : { body }),
      headers: { location: HTTP_URL, "x-rqlite-served-by": null },
    }),
  ),
  query("3.4", "a redirected read of level none is answered here", "SELECT 1", ONE, {
    role: "follower",
    flags: "redirect&level=none",
  }),
  query("3.4", "a leader redirects nobody", "SELECT 1", ONE, {
    role: "leader",
    flags: "redirect",
  }),
  post(
    "1.1",
    "a forwarded write names the leader's Raft address",
    ["execute", "CREATE TABLE t (n)"],
    "{}",
    {
      role: "follower",
      headers: { "x-rqlite-served-by": /^127\.0\.0\.1:\d+$/ },
    },
  ),
  query("1.1", "an own answer names this node's HTTP address", "SELECT 1", ONE, {
    headers: { "x-rqlite-served-by": /^127\.0\.0\.1:\d+$/ },
    flags: "level=none",
  }),
  {
    section: "1.9",
    name: "boot on a follower",
    request: "POST /boot",
    body: `SQLite format 3\0${"x".repeat(100)}`,
    status: 503,
    answer: "not leader\n",
    role: "follower",
  },
];
