/** Backup, load, boot, nodes, leader, readiness, diagnostics (compat reference, 1.7 to 1.16). */
import { type CompatCase, empty, refusal } from "../case.ts";

const setup = [
  JSON.stringify(["CREATE TABLE t (n INTEGER, s TEXT)", "INSERT INTO t VALUES(1, 'a')"]),
];
const BINARY = { "content-type": "application/octet-stream" };

const DUMP = `PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE t (n INTEGER, s TEXT);
INSERT INTO "t" VALUES(1,'a');
COMMIT;
`;

const NODE =
  '\\{"id":"n\\d","api_addr":"http://127\\.0\\.0\\.1:\\d+","addr":"127\\.0\\.0\\.1:\\d+",' +
  '"version":"v10\\.3\\.0","voter":true,"reachable":true,"leader":(true|false),' +
  '"time":[\\d.e-]+,"time_s":"[^"]+"\\}';

/** Bytes as the characters that they are in UTF-8. */
const bytes = (...codes: number[]): string => String.fromCharCode(...codes);

const BACKUP: readonly CompatCase[] = [
  {
    section: "1.7",
    name: "a file",
    request: "GET /db/backup",
    setup,
    answer: /^SQLite format 3/,
    headers: BINARY,
  },
  {
    section: "1.7",
    name: "an unknown form is a file",
    request: "GET /db/backup?fmt=x",
    setup,
    answer: new RegExp(`^SQLite format 3${bytes(0, 16, 0, 2, 2)}`),
    headers: BINARY,
  },
  {
    section: "1.7",
    name: "a file without WAL",
    request: "GET /db/backup?fmt=DELETE",
    setup,
    answer: new RegExp(`^SQLite format 3${bytes(0, 16, 0, 1, 1)}`),
    headers: BINARY,
  },
  {
    section: "1.7",
    name: "a vacuumed file",
    request: "GET /db/backup?vacuum",
    setup,
    answer: /^SQLite format 3/,
    headers: BINARY,
  },
  {
    section: "1.7",
    name: "SQL",
    request: "GET /db/backup?fmt=sql",
    setup,
    answer: DUMP,
    headers: { "content-type": "application/sql" },
  },
  {
    section: "1.7",
    name: "SQL of some tables",
    request: "GET /db/backup?fmt=sql&tables=,%20u,",
    setup,
    answer: "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCOMMIT;\n",
  },
  {
    section: "1.7",
    name: "compressed",
    request: "GET /db/backup?compress",
    setup,
    answer: new RegExp(`^${bytes(31)}`),
    headers: { ...BINARY, "content-encoding": null },
  },
  {
    section: "1.7",
    name: "this node's own copy",
    request: "GET /db/backup?noleader&fmt=sql",
    setup,
    answer: DUMP,
  },
  refusal("1.7", "SQL cannot be vacuumed", "GET /db/backup?vacuum&fmt=sql", [
    500,
    "invalid backup format",
  ]),
  refusal("1.7", "nor can the other form", "GET /db/backup?vacuum&fmt=delete", [
    500,
    "invalid backup format",
  ]),
];

const LOAD: readonly CompatCase[] = [
  {
    section: "1.8",
    name: "SQL text",
    request: "POST /db/load",
    body: DUMP,
    type: "text/plain",
    answer: '{"results":[{"last_insert_id":1,"rows_affected":1}]}',
    headers: { "content-type": "text/plain; charset=utf-8" },
  },
  {
    section: "1.8",
    name: "the type does not matter",
    request: "POST /db/load",
    body: "CREATE TABLE t (n)",
    type: "application/json",
    answer: '{"results":[{}]}',
  },
  {
    section: "1.8",
    name: "an error in the text",
    request: "POST /db/load",
    body: "BEGIN; INSERT INTO nowhere VALUES(1); COMMIT;",
    answer: '{"results":[{"error":"no such table: nowhere"}]}',
  },
  refusal("1.8", "an empty body", "POST /db/load", [400, "load: the body is empty"], { body: "" }),
  refusal(
    "1.8",
    "what begins as a file and is none",
    "POST /db/load",
    [400, "invalid SQLite data"],
    { body: `SQLite format 3\0${"x".repeat(5000)}` },
  ),
  refusal("1.9", "boot without a body", "POST /boot", [503, "EOF"]),
  refusal("1.9", "boot with too little", "POST /boot", [503, "EOF"], { body: "SQLite format 3\0" }),
  refusal("1.9", "boot with something else", "POST /boot", [400, "invalid SQLite data"], {
    body: "x".repeat(100),
  }),
  refusal("1.9", "boot with a broken file", "POST /boot", [400, "invalid SQLite data"], {
    body: `SQLite format 3\0${"x".repeat(5000)}`,
    role: "leader",
  }),
];

const CLUSTER: readonly CompatCase[] = [
  empty("1.11", "an unknown node is removed", "DELETE /remove", 200, {
    body: { id: "nobody" },
    headers: { "x-rqlite-served-by": /:\d+$/ },
  }),
  ...["", "x", "{}", "[]", '{"id":5}', '{"id":"a","b":"c"}', '{"ID":"a"}'].map((body) =>
    empty("1.11", `the body ${JSON.stringify(body)} names no node`, "DELETE /remove", 400, {
      body,
    }),
  ),
  {
    section: "1.11",
    name: "the last voter stays",
    request: "DELETE /remove",
    body: { id: "n1" },
    status: 500,
    answer: /\n$/,
    role: "leader",
  },
  {
    section: "1.13",
    name: "nodes by name",
    request: "GET /nodes",
    answer: new RegExp(`^\\{("n\\d":${NODE},?)+\\}$`),
  },
  {
    section: "1.13",
    name: "nodes as a list",
    request: "GET /nodes?ver=2",
    answer: new RegExp(`^\\{"nodes":\\[(${NODE},?)+\\]\\}$`),
  },
  {
    section: "1.13",
    name: "any other version is by name",
    request: "GET /nodes?ver=3&nonvoters",
    answer: new RegExp(`^\\{("n\\d":${NODE},?)+\\}$`),
  },
  {
    section: "1.13",
    name: "nodes indented",
    request: "GET /nodes?pretty",
    answer: /^\{\n {4}"n1": \{\n {8}"id": "n1",\n/,
  },
  { section: "1.14", name: "the leader", request: "GET /leader", answer: new RegExp(`^${NODE}$`) },
  {
    section: "1.14",
    name: "stepping down to oneself",
    request: "POST /leader",
    body: { id: "n1" },
    role: "leader",
    status: 500,
    answer: "stepdown: cannot step down to the current Leader\n",
  },
  {
    section: "1.14",
    name: "stepping down to nobody known",
    request: "POST /leader",
    body: { id: "n9" },
    status: 500,
    answer: "stepdown: node not found in cluster\n",
  },
  {
    section: "1.14",
    name: "a body that is no JSON",
    request: "POST /leader",
    body: "{",
    type: "application/json",
    status: 400,
    answer: /^invalid JSON: .*\n$/,
  },
];

const READY: readonly CompatCase[] = [
  {
    section: "1.15",
    name: "ready",
    request: "GET /readyz",
    answer: "[+]node ok\n[+]leader ok\n[+]store ok\n[+]db ok",
    headers: { "content-type": "text/plain; charset=utf-8" },
  },
  {
    section: "1.15",
    name: "ready without a leader",
    request: "GET /readyz?noleader",
    answer: "[+]node ok",
  },
  {
    section: "1.15",
    name: "ready and in step",
    request: "GET /readyz?sync",
    answer: "[+]node ok\n[+]leader ok\n[+]store ok\n[+]sync ok\n[+]db ok",
  },
];

/** What `/debug/vars` holds, in its order. */
const MAPS =
  "cdc\\.service cluster cmdline db db\\.wal downloader http memstats mux proto proxy queue " +
  "snapshot snapshot\\.plan sql\\.processor store uploader";

const FACTS: readonly CompatCase[] = [
  empty("1.10", "a snapshot of something new", "POST /snapshot", 200, { setup, role: "leader" }),
  {
    section: "1.10",
    name: "reap",
    request: "POST /reap",
    answer: /^\{"snapshots_reaped":\d+,"wals_checkpointed":\d+\}\n$/,
    headers: { "content-type": "application/json; charset=utf-8" },
  },
  {
    section: "1.12",
    name: "status is sorted",
    request: "GET /status",
    answer: /^\{"build":\{.*\},"cairn":.*"store":\{/,
  },
  {
    section: "1.12",
    name: "a part of it",
    request: "GET /status?key=store.raft.voter",
    answer: "true",
  },
  {
    section: "1.12",
    name: "what is not there",
    request: "GET /status?key=store.nothing.x",
    answer: "{}",
  },
  {
    section: "13.1",
    name: "an open store is an empty object",
    request: "GET /status?key=store.open",
    answer: "{}",
  },
  {
    section: "13.1",
    name: "PRAGMAs of both kinds of connection",
    request: "GET /status?key=store.sqlite3.pragmas.ro",
    answer:
      '{"busy_timeout":"5000","foreign_keys":"0","journal_mode":"wal","synchronous":"0",' +
      '"wal_autocheckpoint":"1000"}',
  },
  {
    section: "13.1",
    name: "the queue",
    request: "GET /status?key=http.queue",
    answer:
      /^\{"_default":\{"batch_size":128,"max_size":1024,"sequence_number":\d+,"timeout":"50ms"/,
  },
  {
    section: "13.3",
    name: "counters of HTTP",
    request: "GET /debug/vars?key=http.num_readyz",
    answer: /^\d+$/,
  },
  {
    section: "13.3",
    name: "all maps",
    request: "GET /debug/vars",
    answer: new RegExp(
      MAPS.split(" ")
        .map((name) => `"${name}":`)
        .join(".*"),
    ),
  },
  {
    section: "13.3",
    name: "a name with a dot is no path",
    request: "GET /debug/vars?key=snapshot.plan",
    answer: "{}",
  },
  {
    section: "1.16",
    name: "licences",
    request: "GET /licenses",
    answer: /fastify: MIT/,
    headers: { "content-type": "text/plain; charset=utf-8" },
  },
  { section: "1.16", name: "profiles", request: "GET /debug/pprof/", answer: /^profiles/ },
  {
    section: "1.16",
    name: "the command line",
    request: "GET /debug/pprof/cmdline",
    answer: /node/,
  },
  { section: "1.16", name: "symbols", request: "GET /debug/pprof/symbol", answer: /^num_symbols/ },
  {
    section: "1.16",
    name: "a CPU profile",
    request: "GET /debug/pprof/profile?seconds=1",
    answer: /^\{"nodes":\[/,
    role: "leader",
  },
  {
    section: "1.16",
    name: "a heap profile",
    request: "GET /debug/pprof/heap?seconds=1",
    answer: /^\{"head":\{/,
    role: "leader",
  },
  {
    section: "1.1",
    name: "the description of all this",
    request: "GET /openapi.json",
    answer: /^\{"openapi":"3\.1\.0"/,
  },
];

export const ADMINISTRATION: readonly CompatCase[] = [
  ...BACKUP,
  ...LOAD,
  ...CLUSTER,
  ...READY,
  ...FACTS,
];
