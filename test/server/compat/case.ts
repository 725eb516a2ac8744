/**
 * One row of the reference's tables: a request and the answer to it.
 *
 * The tables in `cases/` are made of these; `runner.ts` sends them. Every row starts from an empty
 * database, so rows do not depend on each other.
 */

/** A request and its answer. */
export interface CompatCase {
  /** Of the compat reference. */
  readonly section: string;
  readonly name: string;
  /** Statements that are run first; a text that begins with `{` or `[` is their JSON body. */
  readonly setup?: readonly string[];
  /** Method and target, such as `GET /db/query?q=SELECT+1`. */
  readonly request: string;
  /** A text or bytes go as they are; anything else as JSON. */
  readonly body?: unknown;
  /** Content type. Default JSON if there is a body. */
  readonly type?: string;
  /** Default 200. */
  readonly status?: number;
  /** Null: must not be there. */
  readonly headers?: Readonly<Record<string, string | RegExp | null>>;
  /** The whole body. */
  readonly answer: string | RegExp;
  /** Only for a node that leads, or only for one that follows. Default: both. */
  readonly role?: "leader" | "follower";
}

type Rest = Omit<CompatCase, "section" | "name" | "request" | "answer">;

/** A target with a query that is escaped as it must be. */
export function target(path: string, parameters: Readonly<Record<string, string>> = {}): string {
  const query = Object.entries(parameters)
    .map(([name, value]) => (value === "" ? name : `${name}=${encodeURIComponent(value)}`))
    .join("&");
  return query === "" ? path : `${path}?${query}`;
}

/** `GET /db/query` with one statement. `flags` such as `associative&timings`. */
export function query(
  section: string,
  name: string,
  sql: string,
  answer: string | RegExp,
  rest: Rest & { readonly flags?: string } = {},
): CompatCase {
  const { flags = "", ...more } = rest;
  const suffix = flags === "" ? "" : `&${flags}`;
  const request = `GET ${target("/db/query", { q: sql })}${suffix}`;
  return { section, name, request, answer: wrapped(answer), ...more };
}

/** `POST` of statements to an endpoint below `/db/`, with flags: `execute?transaction`. */
export function post(
  section: string,
  name: string,
  [endpoint, ...statements]: readonly [string, ...(string | readonly unknown[])[]],
  answer: string | RegExp,
  rest: Rest = {},
): CompatCase {
  const request = `POST /db/${endpoint}`;
  return { section, name, request, body: statements, answer: wrapped(answer), ...rest };
}

/** Entries of the results stand for the whole envelope. */
function wrapped(answer: string | RegExp): string | RegExp {
  if (typeof answer !== "string" || /^\{\s*"results"/.test(answer)) return answer;
  return `{"results":[${answer}]}`;
}

/** An answer in plain text. */
export const TEXT_HEADERS: Readonly<Record<string, string>> = {
  "content-type": "text/plain; charset=utf-8",
  "x-content-type-options": "nosniff",
};

/** A refusal in plain text. */
export function refusal(
  section: string,
  name: string,
  request: string,
  [status, text]: readonly [number, string],
  rest: Rest = {},
): CompatCase {
  return { section, name, request, status, answer: `${text}\n`, headers: TEXT_HEADERS, ...rest };
}

/** An answer without a body. */
export function empty(
  section: string,
  name: string,
  request: string,
  status: number,
  rest: Rest = {},
): CompatCase {
  return { section, name, request, status, answer: "", ...rest };
}
