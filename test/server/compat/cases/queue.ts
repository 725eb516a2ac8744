/** Queued writes (compat reference, section 5). */
import { type CompatCase, post, refusal } from "../case.ts";

const setup = ["CREATE TABLE t (n)"];
const TAKEN = /^\{"results":\[\],"sequence_number":\d{19}\}$/;

export const QUEUE: readonly CompatCase[] = [
  post("5", "a write is taken at once", ["execute?queue", "INSERT INTO t VALUES(1)"], TAKEN, {
    setup,
    headers: { "x-rqlite-served-by": null, "content-type": "application/json; charset=utf-8" },
  }),
  post("5", "with wait it is written", ["execute?queue&wait", "INSERT INTO t VALUES(1)"], TAKEN, {
    setup,
  }),
  post(
    "5",
    "timings stand before the number",
    ["execute?queue&timings", "INSERT INTO t VALUES(1)"],
    /^\{"results":\[\],"time":[\d.e-]+,"sequence_number":\d{19}\}$/,
    { setup },
  ),
  post(
    "5",
    "errors of SQL are not told",
    ["execute?queue&wait", "INSERT INTO nowhere VALUES(1)"],
    TAKEN,
  ),
  post("5", "nothing with wait is a barrier", ["execute?queue&wait"], TAKEN),
  post("5", "noleader", ["execute?queue&noleader", "INSERT INTO t VALUES(1)"], TAKEN, { setup }),
  refusal("5", "nothing without wait", "POST /db/execute?queue", [400, "no statements"], {
    body: [],
  }),
  refusal("5", "no JSON", "POST /db/execute?queue", [400, "invalid JSON body"], { body: "[" }),
  refusal("5", "null", "POST /db/execute?queue", [400, "invalid request"], { body: "null" }),
  refusal("5", "text", "POST /db/execute?queue", [400, "invalid JSON body"], {
    body: "INSERT INTO t VALUES(1)",
    type: "text/plain",
  }),
  refusal(
    "5",
    "no time to wait",
    "POST /db/execute?queue&wait&timeout=0",
    [408, "queue wait timeout"],
    {
      setup,
      body: ["INSERT INTO t VALUES(1)"],
    },
  ),
  post(
    "5",
    "a disallowed PRAGMA does not block the queue",
    ["execute?queue", "PRAGMA journal_mode=DELETE"],
    '{"results":[],"error":"disallowed pragma"}',
  ),
];
