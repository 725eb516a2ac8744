/**
 * Query parameters, checked before anything else is looked at (compat reference, 1.2).
 *
 * Invariant: a malformed parameter is refused on any path, also where nothing would use it, as the
 * reference does. `parameter-table.ts` has them all.
 */
import { CairnError, type Ms } from "#base";
import type { BackupFormat, Rendering } from "#sqlite/types";
import { parseDuration } from "../duration.ts";
import type { CallOptions, Credentials, ReadLevel, ReadOptions } from "../types.ts";
import { parametersOfKind } from "./parameter-table.ts";
import { parseQuery } from "./query-string.ts";

const TIMEOUT_MS: Ms = 30_000;
const LINEARIZABLE_TIMEOUT_MS: Ms = 10_000;
/** Not in the reference, which would ignore them: so they are never refused. */
const OURS: readonly string[] = ["seconds", "limit"];
const DURATIONS = parametersOfKind("duration");
const INTEGERS = parametersOfKind("integer").filter((name) => !OURS.includes(name));

/** The parameters of one request. */
export interface Parameters {
  /** Is it there? The value of a flag is ignored, so `?pretty=false` is pretty. */
  has(name: string): boolean;
  text(name: string): string | undefined;
  /** Parameter `timeout`: how long to wait for another node. 30 s if not given; never negative. */
  readonly timeoutMs: Ms;
  /** Parameter `freshness`, or 0. */
  readonly freshnessMs: Ms;
  /** Parameter `db_timeout`, or 0: without limit. */
  readonly databaseTimeoutMs: Ms;
  /** Parameter `linearizable_timeout`, or 10 s. */
  readonly linearizableTimeoutMs: Ms;
  /** An integer; 0 if it is not given, or is none. */
  integer(name: string): number;
}

/**
 * Reads and checks a query string.
 *
 * @throws `SERVER_REQUEST_INVALID`; the message is what the client is told.
 */
export function readParameters(query: string): Parameters {
  const values = parseQuery(query);
  const refuse = (message: string): never => {
    throw new CairnError("SERVER_REQUEST_INVALID", message);
  };
  const duration = (name: string, usual: Ms): Ms => {
    const text = values.get(name);
    if (text === undefined) return usual;
    return parseDuration(text) ?? refuse(`${name} is not a valid duration`);
  };
  if (values.size > 0) {
    for (const name of DURATIONS) duration(name, 0);
    for (const name of INTEGERS) {
      if (!INTEGER.test(values.get(name) ?? "0")) refuse(`${name} is not a valid integer`);
    }
    if (values.has("freshness_strict") && !values.has("freshness")) {
      refuse("freshness_strict requires freshness");
    }
    if (values.get("q") === "") refuse("query parameter not set");
  }
  return {
    has: (name) => values.has(name),
    text: (name) => values.get(name),
    // Go takes a negative timeout as one that is over already.
    timeoutMs: Math.max(0, duration("timeout", TIMEOUT_MS)),
    freshnessMs: Math.max(0, duration("freshness", 0)),
    databaseTimeoutMs: Math.max(0, duration("db_timeout", 0)),
    linearizableTimeoutMs: Math.max(0, duration("linearizable_timeout", LINEARIZABLE_TIMEOUT_MS)),
    integer: (name) => (INTEGER.test(values.get(name) ?? "") ? Number(values.get(name)) : 0),
  };
}

const INTEGER = /^[-+]?\d+$/;

/** How results are to be written. */
export function renderingOf(parameters: Parameters): Rendering {
  return {
    associative: parameters.has("associative"),
    blobArray: parameters.has("blob_array"),
    qualifyColumns: parameters.has("qualify_columns"),
    timings: parameters.has("timings"),
  };
}

const LEVELS: ReadonlySet<string> = new Set(["none", "weak", "linearizable", "strong", "auto"]);

const isLevel = (text: string): text is ReadLevel => LEVELS.has(text);

/** How a read is to be served. An unknown level is `weak`, without an error. */
export function readOptionsOf({ parameters, credentials }: OptionSource): ReadOptions {
  const level = (parameters.text("level") ?? "").toLowerCase();
  return {
    timeoutMs: parameters.timeoutMs,
    credentials,
    level: isLevel(level) ? level : "weak",
    freshnessMs: parameters.freshnessMs,
    freshnessStrict: parameters.has("freshness_strict"),
    linearizableTimeoutMs: parameters.linearizableTimeoutMs,
    databaseTimeoutMs: parameters.databaseTimeoutMs,
  };
}

/** What of a request decides how another node is asked. */
export interface OptionSource {
  readonly parameters: Parameters;
  readonly credentials: Credentials | undefined;
}

/** How another node is to be asked. */
export function callOptionsOf({ parameters, credentials }: OptionSource): CallOptions {
  return { timeoutMs: parameters.timeoutMs, credentials };
}

/** What a backup is to be. */
export interface BackupWish {
  readonly format: BackupFormat;
  readonly vacuum: boolean;
  readonly compress: boolean;
  readonly tables: readonly string[];
  /** `noleader`: this node's copy, whoever leads. */
  readonly local: boolean;
}

/** Reads what a backup is to be. An unknown format is `binary`. */
export function backupWishOf(parameters: Parameters): BackupWish {
  const format = (parameters.text("fmt") ?? "").toLowerCase();
  const tables = (parameters.text("tables") ?? "").split(",").map((name) => name.trim());
  return {
    format: format === "sql" || format === "delete" ? format : "binary",
    vacuum: parameters.has("vacuum"),
    compress: parameters.has("compress"),
    tables: tables.filter((name) => name !== ""),
    local: parameters.has("noleader"),
  };
}
