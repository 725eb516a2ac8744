/**
 * Every query parameter of the reference, once: what it may be, what it is if it is not there, and
 * what it does (compat reference, 1.2).
 *
 * `parameters.ts` checks values by this table and `openapi.ts` describes it. Invariant: a parameter
 * without effect here says so.
 */

/** What a value may be. The value of a flag is ignored. */
export type ParameterKind = "flag" | "duration" | "integer" | "text" | "choice";

/** One parameter. */
export interface ParameterRow {
  readonly kind: ParameterKind;
  readonly meaning: string;
  /** As it would be typed; undefined: nothing. */
  readonly usual?: string;
  readonly choices?: readonly string[];
}

const flag = (meaning: string): ParameterRow => ({ kind: "flag", meaning });
const duration = (usual: string, meaning: string): ParameterRow => ({
  kind: "duration",
  usual,
  meaning,
});
const integer = (meaning: string): ParameterRow => ({ kind: "integer", usual: "0", meaning });
const text = (meaning: string): ParameterRow => ({ kind: "text", meaning });

/** The table. */
export const PARAMETERS = {
  timings: flag("Answer with the time that each statement and the whole took, in seconds"),
  pretty: flag("Indent the JSON of the answer"),
  transaction: flag("Run the statements in one transaction"),
  queue: flag("Answer at once and write later, together with others"),
  wait: flag("With queue: answer when it is written. At /leader: when leadership has moved"),
  associative: flag("Rows as objects by column instead of arrays"),
  blob_array: flag("Blobs as arrays of bytes instead of base64"),
  qualify_columns: flag("Put the table in front of each column name"),
  raft_index: flag("Answer with the place in the log"),
  noparse: flag("Accepted without effect: SQL is never rewritten"),
  norwrandom: flag("Accepted without effect: SQL is never rewritten"),
  norwtime: flag("Accepted without effect: SQL is never rewritten"),
  redirect: flag("Answer with 301 to the leader instead of asking it"),
  noleader: flag("Do not ask for a leader"),
  nonvoters: flag("Also list nodes without a vote"),
  sync: flag("Also wait until everything committed is applied"),
  vacuum: flag("VACUUM the copy"),
  compress: flag("Compress the copy with gzip"),
  bypass: flag("Accepted without effect, as in the reference"),
  level: {
    kind: "choice",
    usual: "weak",
    choices: ["none", "weak", "linearizable", "strong", "auto"],
    meaning: "How consistent the read is; anything unknown is weak",
  },
  freshness: duration("0", "At level none: how old what is read may be; 0 is any age"),
  freshness_strict: flag("Judge freshness by the leader's clock as well; needs freshness"),
  timeout: duration("30s", "How long to wait for another node, or for a queued write"),
  db_timeout: duration("0", "How long a statement may run; 0 is without limit"),
  linearizable_timeout: duration("10s", "How long a linearizable read may wait for the log"),
  retries: integer("Accepted without effect: nothing is sent twice"),
  trailing_logs: integer("Entries to leave in the log"),
  q: text("One SQL statement"),
  key: text("Path of the part to answer with, such as store.raft"),
  fmt: {
    kind: "choice",
    usual: "binary",
    choices: ["binary", "sql", "delete"],
    meaning: "Form of the copy; anything unknown is binary",
  },
  tables: text("With fmt=sql: only these tables, separated by commas"),
  ver: text("2: a list instead of an object by name"),
  prefix: text("Keys that begin so"),
  from: text("The first key of a range"),
  before: text("The first key behind a range"),
  limit: integer("Keys at most; 100 if not given"),
  cursor: text("Where the last answer of the same range ended"),
  keys: flag("Keys without values"),
  seconds: integer("How long to record; 0 is 30 seconds for the CPU, 10 for the heap"),
} as const satisfies Readonly<Record<string, ParameterRow>>;

/** A parameter's name. */
export type ParameterName = keyof typeof PARAMETERS;

/** Names of one kind. */
export function parametersOfKind(kind: ParameterKind): readonly string[] {
  return Object.entries(PARAMETERS)
    .filter(([, row]) => row.kind === kind)
    .map(([name]) => name);
}
