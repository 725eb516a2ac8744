/**
 * Transactions of the key-value store as JSON, and what they found.
 *
 * Keys and values are any bytes, so they are base64 (RFC 4648, section 4) here. Invariant: a body
 * is understood as a whole or refused with the place of what is wrong; nothing unknown is passed
 * over.
 */
import { type Bytes, CairnError } from "#base";
import type {
  KvAnswer,
  KvCondition,
  KvEntry,
  KvFound,
  KvOperation,
  KvRange,
  KvRelation,
  KvTransaction,
} from "#replica";

const LIMIT_DEFAULT = 100;
const RELATIONS: readonly KvRelation[] = ["equal", "unequal", "less", "greater"];
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

type JsonObject = Readonly<Record<string, unknown>>;

/** Reads the body of `POST /kv/txn`. @throws `SERVER_REQUEST_INVALID` */
export function readTransaction(body: Bytes): KvTransaction {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(body).toString("utf8"));
  } catch (error) {
    throw invalid("body", "is not JSON", error);
  }
  const members = objectOf(parsed, "body", ["conditions", "success", "failure"]);
  return {
    conditions: listOf(members, "conditions", readCondition),
    success: listOf(members, "success", readOperation),
    failure: listOf(members, "failure", readOperation),
  };
}

function readCondition(value: unknown, place: string): KvCondition {
  const members = objectOf(value, place, ["key", "revision", "value"]);
  const key = bytesOf(members["key"], `${place}.key`);
  if ("revision" in members === "value" in members) {
    throw invalid(place, "needs one of revision and value");
  }
  const target = "revision" in members ? "revision" : "value";
  const at = `${place}.${target}`;
  const [is, operand] = relationOf(members[target], at);
  return target === "revision"
    ? { key, target, is, revision: numberOf(operand, at) }
    : { key, target, is, value: bytesOf(operand, at) };
}

function relationOf(value: unknown, place: string): [KvRelation, unknown] {
  const members = objectOf(value, place, RELATIONS);
  const [entry, ...more] = Object.entries(members);
  const is = RELATIONS.find((name) => name === entry?.[0]);
  if (entry === undefined || is === undefined || more.length > 0) {
    throw invalid(place, `needs one of ${RELATIONS.join(", ")}`);
  }
  return [is, entry[1]];
}

const OPERATIONS = ["put", "delete", "deleteRange", "get", "range"] as const;

function readOperation(value: unknown, place: string): KvOperation {
  const members = objectOf(value, place, OPERATIONS);
  const [name, ...more] = Object.keys(members);
  const kind = OPERATIONS.find((one) => one === name);
  if (kind === undefined || more.length > 0) {
    throw invalid(place, `needs one of ${OPERATIONS.join(", ")}`);
  }
  const at = `${place}.${kind}`;
  switch (kind) {
    case "put": {
      const { key, value: content } = objectOf(members[kind], at, ["key", "value"]);
      return { kind, key: bytesOf(key, `${at}.key`), value: bytesOf(content, `${at}.value`) };
    }
    case "delete":
    case "get": {
      const { key } = objectOf(members[kind], at, ["key"]);
      return { kind, key: bytesOf(key, `${at}.key`) };
    }
    case "range":
    case "deleteRange":
      return { kind, ...readRange(members[kind], at) };
  }
}

function readRange(value: unknown, place: string): KvRange {
  const members = objectOf(value, place, ["from", "before", "prefix", "limit"]);
  const { from, before, prefix, limit } = members;
  const limitOf = limit === undefined ? LIMIT_DEFAULT : numberOf(limit, `${place}.limit`);
  if (prefix !== undefined) {
    if (from !== undefined || before !== undefined) {
      throw invalid(place, "prefix takes the place of from and before");
    }
    return { ...prefixRange(bytesOf(prefix, `${place}.prefix`)), limit: limitOf };
  }
  return {
    from: from === undefined ? new Uint8Array(0) : bytesOf(from, `${place}.from`),
    before: before === undefined ? null : bytesOf(before, `${place}.before`),
    limit: limitOf,
  };
}

/** All keys that begin so. */
export function prefixRange(prefix: Bytes): {
  readonly from: Bytes;
  readonly before: Bytes | null;
} {
  let end = prefix.length;
  while (end > 0 && prefix[end - 1] === 0xff) end -= 1;
  if (end === 0) return { from: prefix, before: null };
  const before = prefix.slice(0, end);
  before[end - 1] = before[end - 1]! + 1;
  return { from: prefix, before };
}

/** The answer to a transaction as JSON. */
export function transactionJson(answer: Extract<KvAnswer, { kind: "transaction" }>): string {
  const { held, revision, found } = answer;
  return JSON.stringify({ held, revision, found: found.map(foundJson) });
}

/** What was found, without its kind: the caller knows what it has asked for. */
export function foundJson(found: KvFound): JsonObject {
  switch (found.kind) {
    case "put":
      return { previousRevision: found.previousRevision };
    case "deleted":
      return { deleted: found.count, more: found.more };
    case "got":
      return { entry: found.entry === null ? null : entryJson(found.entry) };
    case "entries":
      return { entries: found.entries.map(entryJson), more: found.more };
  }
}

export function entryJson({ key, value, revision }: KvEntry): JsonObject {
  return { key: base64(key), value: base64(value), revision };
}

export function base64(bytes: Bytes): string {
  return Buffer.from(bytes).toString("base64");
}

function objectOf(value: unknown, place: string, names: readonly string[]): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(place, "is no object");
  }
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw invalid(`${place}.${unknown}`, `is unknown; there are ${names.join(", ")}`);
  }
  return value as JsonObject;
}

function listOf<T>(
  members: JsonObject,
  name: string,
  read: (value: unknown, place: string) => T,
): T[] {
  const value = members[name] ?? [];
  if (!Array.isArray(value)) throw invalid(name, "is no list");
  return value.map((item: unknown, at) => read(item, `${name}[${at}]`));
}

function bytesOf(value: unknown, place: string): Bytes {
  if (typeof value !== "string" || value.length % 4 !== 0 || !BASE64.test(value)) {
    throw invalid(place, "is not base64");
  }
  return new Uint8Array(Buffer.from(value, "base64"));
}

function numberOf(value: unknown, place: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
  throw invalid(place, "is not a whole number from 0");
}

function invalid(place: string, problem: string, cause?: unknown): CairnError {
  return new CairnError("SERVER_REQUEST_INVALID", `kv: ${place} ${problem}`, { cause });
}
