/**
 * `/kv`: the replicated key-value store. Ours; the reference has no such thing.
 *
 * | request                  | what it does                                                      |
 * | ------------------------ | ----------------------------------------------------------------- |
 * | `GET /kv/<key>`          | the value; its revision in `Cairn-Revision` and `ETag`            |
 * | `GET /kv/`               | a range: `prefix`, or `from`, `before`; `limit`, `cursor`, `keys` |
 * | `PUT /kv/<key>`          | sets the value to the body                                        |
 * | `DELETE /kv/<key>`       | removes the key                                                   |
 * | `DELETE /kv/`            | removes a range, which must be named; `more`: ask again           |
 * | `POST /kv/txn`           | conditions and operations: `kv-json.ts`                           |
 * | `POST /kv/session`       | opens a session: its number                                       |
 * | `POST /kv/session/close` | closes the session of `Cairn-Session`                             |
 *
 * `If-Match: "<revision>"` and `If-None-Match: *` make PUT and DELETE conditional (412). With
 * `Cairn-Session` and `Cairn-Serial`, a change that is sent again takes effect once. Reads take the
 * levels of SQL reads. Invariant: a key is the bytes that its escapes say, whatever they are.
 */
import { type Bytes, CairnError, ERROR_CODES, errorText } from "#base";
import type {
  KvAnswer,
  KvCommand,
  KvCondition,
  KvOperation,
  KvRefusal,
  KvSerial,
  KvTransaction,
} from "#replica";
import { type Answer, type Call, jsonAnswer, TEXT_TYPE, textError } from "./answer.ts";
import { base64, entryJson, prefixRange, readTransaction, transactionJson } from "./kv-json.ts";
import { callOptionsOf, readOptionsOf } from "./parameters.ts";
import { splitTarget } from "./query-string.ts";

/** Where the keys are. */
export const KV_PATH = "/kv/";
const BYTES_TYPE = "application/octet-stream";
const LIMIT_DEFAULT = 100;
/** About an election: then there is somebody who can say more. */
const RETRY_AFTER_SECONDS = "1";

/** Reads a key, or a range. */
export function handleKvGet(call: Call): Promise<Answer> {
  return answered(async () => {
    const key = keyOf(call);
    const options = readOptionsOf(call);
    if (key.length > 0) {
      const { value: found } = await call.service.kv.query({ kind: "get", key }, options);
      const entry = found.kind === "got" ? found.entry : null;
      if (entry === null) return textError(404, "no such key");
      const revision = String(entry.revision);
      const headers = { etag: `"${revision}"`, "cairn-revision": revision };
      return {
        status: 200,
        headers: { "content-type": BYTES_TYPE, ...headers },
        body: entry.value,
      };
    }
    const keysOnly = call.parameters.has("keys");
    const range = rangeOf(call);
    const { value: found } = await call.service.kv.query(
      { kind: "range", keysOnly, ...range },
      options,
    );
    if (found.kind !== "entries") throw new TypeError("kv: a range finds entries");
    const last = found.entries.at(-1)?.key;
    const entries = found.entries.map((entry) =>
      keysOnly ? { key: base64(entry.key) } : entryJson(entry),
    );
    const cursor = found.more && last !== undefined ? { cursor: cursorBehind(last) } : {};
    return json(call, { entries, more: found.more, ...cursor });
  });
}

/** Sets a key. */
export function handleKvPut(call: Call): Promise<Answer> {
  return answered(() => {
    const key = keyOf(call);
    return change(call, key, { kind: "put", key, value: call.body });
  });
}

/** Removes a key, or a range. */
export function handleKvDelete(call: Call): Promise<Answer> {
  return answered(async () => {
    const key = keyOf(call);
    if (key.length > 0) return change(call, key, { kind: "delete", key });
    if (!["prefix", "from", "before"].some((name) => call.parameters.has(name))) {
      throw invalid("a range must be named: prefix, from or before");
    }
    const operation: KvOperation = { kind: "deleteRange", ...rangeOf(call) };
    const transaction = { conditions: [], success: [operation], failure: [] };
    return changed(call, await execute(call, transaction));
  });
}

/** Transactions and sessions. */
export function handleKvPost(call: Call): Promise<Answer> {
  return answered(async () => {
    const name = Buffer.from(keyOf(call)).toString("latin1");
    switch (name) {
      case "txn": {
        const answer = await execute(call, readTransaction(call.body));
        return jsonAnswer(call, Buffer.from(transactionJson(answer)));
      }
      case "session":
        return sessionAnswer(call, { kind: "openSession" });
      case "session/close":
        return sessionAnswer(call, { kind: "closeSession", session: numberIn(call, SESSION) });
      default:
        return textError(404, "there is POST /kv/txn, /kv/session and /kv/session/close");
    }
  });
}

async function sessionAnswer(call: Call, command: KvCommand): Promise<Answer> {
  const { value } = await call.service.kv.execute(command, callOptionsOf(call));
  return json(call, { session: value.kind === "session" ? value.session : 0 });
}

/** One operation on one key, if the headers' condition holds. */
async function change(call: Call, key: Bytes, operation: KvOperation): Promise<Answer> {
  if (key.length === 0) throw invalid("a key is missing");
  const conditions = conditionsOf(call, key);
  const answer = await execute(call, { conditions, success: [operation], failure: [] });
  return answer.held ? changed(call, answer) : textError(412, "the key has another revision");
}

function changed(call: Call, { revision, found }: TransactionAnswer): Answer {
  const [one] = found;
  if (one?.kind === "put") return json(call, { revision, previousRevision: one.previousRevision });
  if (one?.kind !== "deleted") throw new TypeError("kv: a change puts or deletes");
  return json(call, { revision, deleted: one.count, more: one.more });
}

type TransactionAnswer = Extract<KvAnswer, { kind: "transaction" }>;

async function execute(call: Call, transaction: KvTransaction): Promise<TransactionAnswer> {
  const once = serialOf(call);
  const command: KvCommand = { kind: "transaction", once, transaction };
  const { value } = await call.service.kv.execute(command, callOptionsOf(call));
  if (value.kind === "refused") throw new Refused(value.refusal);
  if (value.kind !== "transaction") throw new TypeError("kv: a transaction has an answer");
  return value;
}

const SESSION = "cairn-session";
const SERIAL = "cairn-serial";

function serialOf(call: Call): KvSerial | null {
  if (call.header(SESSION) === undefined && call.header(SERIAL) === undefined) return null;
  return { session: numberIn(call, SESSION), serial: numberIn(call, SERIAL) };
}

function numberIn(call: Call, header: string): number {
  const text = call.header(header) ?? "";
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value > 0) return value;
  throw invalid(`header ${header} must be a whole number from 1`);
}

function conditionsOf(call: Call, key: Bytes): KvCondition[] {
  const [match, noneMatch] = [call.header("if-match"), call.header("if-none-match")];
  const conditions: KvCondition[] = [];
  const on = (is: "equal" | "greater", revision: number): void => {
    conditions.push({ key, target: "revision", is, revision });
  };
  if (match === "*") on("greater", 0);
  else if (match !== undefined) on("equal", revisionIn(match));
  if (noneMatch === "*") on("equal", 0);
  else if (noneMatch !== undefined) throw invalid("If-None-Match takes * alone");
  return conditions;
}

function revisionIn(tag: string): number {
  const digits = /^"(\d{1,15})"$/.exec(tag)?.[1];
  if (digits === undefined) throw invalid("If-Match takes * or one revision in quotes");
  return Number(digits);
}

/** The bytes that the path's escapes stand for, behind `/kv/`. */
function keyOf(call: Call): Bytes {
  const { path } = splitTarget(call.target);
  return bytesOf(path.slice(KV_PATH.length));
}

function rangeOf(call: Call): { from: Bytes; before: Bytes | null; limit: number } {
  const { parameters } = call;
  const limit = parameters.has("limit") ? parameters.integer("limit") : LIMIT_DEFAULT;
  const prefix = parameterBytes(call, "prefix");
  const [from, before] = [parameterBytes(call, "from"), parameterBytes(call, "before")];
  if (prefix !== undefined && (from !== undefined || before !== undefined)) {
    throw invalid("prefix takes the place of from and before");
  }
  const range =
    prefix === undefined
      ? { from: from ?? new Uint8Array(0), before: before ?? null }
      : prefixRange(prefix);
  const cursor = parameters.text("cursor");
  return { ...range, ...(cursor === undefined ? {} : { from: fromCursor(cursor) }), limit };
}

/** A cursor is the first key that was not given yet. */
function cursorBehind(last: Bytes): string {
  return Buffer.from([...last, 0]).toString("base64url");
}

function fromCursor(cursor: string): Bytes {
  if (!/^[A-Za-z0-9_-]*$/.test(cursor)) throw invalid("cursor is none of ours");
  return new Uint8Array(Buffer.from(cursor, "base64url"));
}

/** A parameter as bytes: its text would lose what is not UTF-8. */
function parameterBytes(call: Call, name: string): Bytes | undefined {
  for (const piece of splitTarget(call.target).query.split("&")) {
    const [left, ...right] = piece.split("=");
    if (left === name) return bytesOf(right.join("=").replaceAll("+", " "));
  }
  return undefined;
}

/** Broken escapes were refused when the request came in. */
function bytesOf(escaped: string): Bytes {
  const latin = escaped.replace(/%([0-9a-fA-F]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return new Uint8Array(Buffer.from(latin, "latin1"));
}

function json(call: Call, value: object): Answer {
  return jsonAnswer(call, Buffer.from(JSON.stringify(value)));
}

/** A command that had no effect; the same on every replica. */
class Refused extends Error {
  override readonly name = "Refused";
  readonly refusal: KvRefusal;

  constructor(refusal: KvRefusal) {
    super(refusal);
    this.refusal = refusal;
  }
}

const REFUSALS: Readonly<Record<KvRefusal, readonly [status: number, text: string]>> = {
  "session-unknown": [410, "session is not known: closed, or unused for too long"],
  "serial-passed": [409, "a later serial of this session was used: this answer is forgotten"],
  "answer-too-large": [413, "the answer would be too large: read beside the transaction"],
};

async function answered(run: () => Answer | Promise<Answer>): Promise<Answer> {
  try {
    return await run();
  } catch (error) {
    return kvFailure(error);
  }
}

/** Statuses by code, as the table of errors has them: no client of the reference comes here. */
function kvFailure(error: unknown): Answer {
  if (error instanceof Refused) return textError(...REFUSALS[error.refusal]);
  if (!(error instanceof CairnError)) return textError(500, `internal error: ${errorText(error)}`);
  if (error.code === "SERVER_STALE_READ") return textError(503, error.message);
  const { httpStatus, retry } = ERROR_CODES[error.code];
  const answer = textError(httpStatus, error.message);
  if (retry === "no") return answer;
  const headers = {
    "content-type": TEXT_TYPE,
    ...answer.headers,
    "retry-after": RETRY_AFTER_SECONDS,
  };
  return { ...answer, headers };
}

function invalid(message: string): CairnError {
  return new CairnError("SERVER_REQUEST_INVALID", `kv: ${message}`);
}
