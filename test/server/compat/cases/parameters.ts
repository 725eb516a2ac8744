/** Query parameters: what is refused, and what does not matter (compat reference, 1.2). */
import { type CompatCase, post, query, refusal, target } from "../case.ts";

const DURATIONS = ["timeout", "freshness", "db_timeout", "linearizable_timeout"] as const;
const BAD_DURATIONS = ["5", "", "x", "1.5", "10 s", "1d", "s"];
const GOOD_DURATIONS = ["0", "10ms", "1.5s", "1h2m", "-1s", "+3s", ".5s", "1.s", "7us", "7µs"];
const INTEGERS = ["retries", "trailing_logs"] as const;
const BAD_INTEGERS = ["", "x", "1.5", "1e3", "0x1"];

const BROKEN: readonly (readonly [query: string, message: string])[] = [
  ["?a=%zz", 'invalid URL escape "%zz"'],
  ["?%4", 'invalid URL escape "%4"'],
  ["?a=1;b=2", "invalid semicolon separator in query"],
  ["?q=", "query parameter not set"],
  ["?freshness_strict", "freshness_strict requires freshness"],
];

const ONE = '{"columns":["1"],"types":["integer"],"values":[[1]]}';

export const PARAMETERS: readonly CompatCase[] = [
  ...DURATIONS.flatMap((name) =>
    BAD_DURATIONS.map((value) =>
      refusal(
        "1.2",
        `${name}=${value} is no duration`,
        `GET ${target("/nowhere")}?${name}=${encodeURIComponent(value)}`,
        [400, `${name} is not a valid duration`],
      ),
    ),
  ),
  ...GOOD_DURATIONS.map((value) =>
    query("1.2", `db_timeout=${value} is one`, "SELECT 1", ONE, {
      flags: `level=none&linearizable_timeout=${encodeURIComponent(value)}`,
    }),
  ),
  ...INTEGERS.flatMap((name) =>
    BAD_INTEGERS.map((value) =>
      refusal("1.2", `${name}=${value} is no integer`, `GET /readyz?${name}=${value}`, [
        400,
        `${name} is not a valid integer`,
      ]),
    ),
  ),
  ...BROKEN.map(([text, message]) =>
    refusal("1.2", `${text} is refused on any path`, `GET /nowhere${text}`, [400, message]),
  ),
  query("1.2", "of a repeated parameter the first counts", "SELECT 1", ONE, {
    flags: "q=SELECT%202&timeout=1s&timeout=x",
  }),
  query("1.2", "an unknown parameter is ignored", "SELECT 1", ONE, { flags: "atomic&x=y" }),
  query("1.2", "names are case-sensitive", "SELECT 1", ONE, { flags: "PRETTY&Timeout=x" }),
  query(
    "1.2",
    "a flag is on whatever its value",
    "SELECT 1",
    JSON.stringify({ results: [{ columns: ["1"], types: ["integer"], values: [[1]] }] }, null, 4),
    { flags: "pretty=false" },
  ),
  ...["weak", "WEAK", "strong", "Strong", "linearizable", "none", "auto", "", "nonsense"].map(
    (level) => query("3.1", `level=${level} answers`, "SELECT 1", ONE, { flags: `level=${level}` }),
  ),
  query("3.2", "freshness at level none on a fresh node", "SELECT 1", ONE, {
    flags: "level=none&freshness=10s&freshness_strict",
  }),
  query("3.2", "freshness of another level is ignored", "SELECT 1", ONE, {
    flags: "level=weak&freshness=1ns",
  }),
  query("1.4", "raft_index of a weak read is left out", "SELECT 1", ONE, { flags: "raft_index" }),
  query(
    "1.4",
    "raft_index of a strong read is told",
    "SELECT 1",
    /^\{"results":\[\{"columns":\["1"\].*\}\],"raft_index":[1-9]\d*\}$/,
    { flags: "raft_index&level=strong" },
  ),
  post(
    "1.4",
    "raft_index of a write is told",
    ["execute?raft_index", "CREATE TABLE t (n)"],
    /^\{"results":\[\{\}\],"raft_index":[1-9]\d*\}$/,
  ),
  post(
    "1.2",
    "timings are seconds, in each entry and as a whole",
    ["execute?timings&raft_index", "CREATE TABLE t (n)"],
    /^\{"results":\[\{"time":[\d.e-]+\}\],"time":[\d.e-]+,"raft_index":\d+\}$/,
  ),
  query(
    "1.2",
    "timings of a query",
    "SELECT 1",
    /"values":\[\[1\]\](,"time":[\d.e-]+)?\}\],"time":[\d.e-]+\}$/,
    { flags: "timings" },
  ),
];
