/**
 * Request bodies as statements: `["SQL", ["SQL", p1, {"name": p2}], …]` (compat, 1.3, 2.3).
 *
 * Invariant: a parameter reaches SQLite as it was written: an integer literal of 64 bits stays one,
 * any other number is REAL, `x'hex'` and arrays of bytes are blobs. Text that is not JSON is told
 * from JSON of a wrong shape, and the first comes first, as the reference decodes before it looks.
 */
import { CairnError } from "#base";
import type { SqlValue, Statement } from "#sqlite/types";
import { type JsonScanner, Mark, malformed, scanJson } from "./json-scanner.ts";

type NamedValue = Statement["named"][number];

const NO_POSITIONAL: readonly SqlValue[] = [];
const NO_NAMED: readonly NamedValue[] = [];

/** Literals of up to this many characters are exact as a double, which is the faster way. */
const SMALL_INTEGER_CHARACTERS = 15;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const BYTE_MAX = 255;

const HEX_BLOB = /^[xX]'((?:[0-9a-fA-F]{2})*)'$/;

/**
 * Reads a body. Bytes behind the closing bracket are ignored, as the reference does.
 *
 * @param mayBeEmpty - an empty array is in order. Default false.
 * @throws `SERVER_REQUEST_INVALID`; the message is what the reference answers with.
 */
export function parseStatements(body: string, mayBeEmpty = false): Statement[] {
  const reader: BodyReader = { scanner: scanJson(body), refusal: undefined };
  const statements = readBody(reader);
  if (statements.length === 0 && !mayBeEmpty) reader.refusal ??= "no statements";
  if (reader.refusal !== undefined) throw new CairnError("SERVER_REQUEST_INVALID", reader.refusal);
  return statements;
}

/** A body of type `text/plain`, or the parameter `q`: one statement without parameters. */
export function plainStatement(sql: string): Statement {
  return { sql, positional: NO_POSITIONAL, named: NO_NAMED };
}

interface BodyReader {
  readonly scanner: JsonScanner;
  /** The first thing wrong with the shape. Reading goes on, because broken JSON outranks it. */
  refusal: string | undefined;
}

function readBody(reader: BodyReader): Statement[] {
  const { scanner } = reader;
  const statements: Statement[] = [];
  if (scanner.peek() !== Mark.openArray) {
    skip(reader, "invalid request");
    return statements;
  }
  eachItem(scanner, () => {
    const next = scanner.peek();
    if (next === Mark.quote) statements.push(plainStatement(scanner.string()));
    else if (next === Mark.openArray) statements.push(parameterized(reader));
    else skip(reader, "invalid request");
  });
  return statements;
}

/** Reads an array whose opening bracket comes next, calling `item` at the start of each item. */
function eachItem(scanner: JsonScanner, item: () => void): void {
  scanner.expect(Mark.openArray);
  if (scanner.accept(Mark.closeArray)) return;
  do item();
  while (scanner.accept(Mark.comma));
  scanner.expect(Mark.closeArray);
}

/** Passes a value that cannot stand here, and keeps the first reason why. */
function skip(reader: BodyReader, refusal: string): void {
  reader.refusal ??= refusal;
  reader.scanner.skipValue();
}

function parameterized(reader: BodyReader): Statement {
  const { scanner } = reader;
  let sql: string | undefined;
  const positional: SqlValue[] = [];
  const named: NamedValue[] = [];
  let first = true;
  eachItem(scanner, () => {
    const next = scanner.peek();
    if (first && next === Mark.quote) sql = scanner.string();
    else if (first) skip(reader, "invalid request");
    else if (next === Mark.openObject) namedValues(reader, named);
    else positional.push(value(reader));
    first = false;
  });
  if (sql === undefined) reader.refusal ??= "invalid request";
  return { sql: sql ?? "", positional, named };
}

/** One object of named parameters. Of a name that stands twice in it, the last value counts. */
function namedValues(reader: BodyReader, named: NamedValue[]): void {
  const { scanner } = reader;
  /** Where each name stands in `named`; made for the second name, since most objects are small. */
  let places: Map<string, number> | undefined;
  const from = named.length;
  scanner.expect(Mark.openObject);
  if (scanner.accept(Mark.closeObject)) return;
  do {
    const name = scanner.string();
    scanner.expect(Mark.colon);
    if (scanner.peek() === Mark.openObject) {
      skip(reader, unsupported("map[string]interface {}"));
      continue;
    }
    const pair: NamedValue = [name, value(reader)];
    if (named.length > from) places ??= new Map([[named[from]?.[0] ?? "", from]]);
    const place = places?.get(name);
    if (place === undefined) {
      places?.set(name, named.length);
      named.push(pair);
    } else named[place] = pair;
  } while (scanner.accept(Mark.comma));
  scanner.expect(Mark.closeObject);
}

/** Any parameter but an object. */
function value(reader: BodyReader): SqlValue {
  const { scanner } = reader;
  switch (scanner.peek()) {
    case Mark.quote:
      return textOrBlob(scanner.string());
    case Mark.openArray:
      return byteArray(reader);
    case Mark.t:
      scanner.word("true");
      return 1n;
    case Mark.f:
      scanner.word("false");
      return 0n;
    case Mark.n:
      scanner.word("null");
      return null;
    default:
      return numeric(reader, scanner.number());
  }
}

function textOrBlob(text: string): SqlValue {
  const last = text.charCodeAt(text.length - 1);
  // Nearly every text ends in neither a quote nor a blank, and needs no closer look.
  const plain = last !== 0x27 && last > 0x20 && last < 0x7f;
  if (plain) return text;
  const hex = HEX_BLOB.exec(text.trim())?.[1];
  return hex === undefined ? text : Uint8Array.from(Buffer.from(hex, "hex"));
}

/** The decision is on the literal: what 64 bits hold is INTEGER, all else is REAL. */
function numeric(reader: BodyReader, literal: string): SqlValue {
  const integer = /^-?[0-9]+$/.test(literal);
  if (integer && literal.length <= SMALL_INTEGER_CHARACTERS) return BigInt(Number(literal));
  if (integer && literal.length <= String(INT64_MIN).length) {
    const exact = BigInt(literal);
    if (exact >= INT64_MIN && exact <= INT64_MAX) return exact;
  }
  const real = Number(literal);
  if (!Number.isFinite(real)) reader.refusal ??= `invalid number ${literal}`;
  return real;
}

/** An array as a parameter is a blob, given byte by byte. */
function byteArray(reader: BodyReader): SqlValue {
  const { scanner } = reader;
  const bytes: number[] = [];
  eachItem(scanner, () => {
    const next = scanner.peek();
    const digit = (next >= Mark.zero && next <= Mark.nine) || next === Mark.minus;
    if (!digit) return skip(reader, unsupported(typeName(next)));
    const literal = scanner.number();
    const byte = /^-?[0-9]+$/.test(literal) ? Number(literal) : Number.NaN;
    if (byte >= 0 && byte <= BYTE_MAX) bytes.push(byte);
    else reader.refusal ??= unsupported(literal);
  });
  return Uint8Array.from(bytes);
}

const unsupported = (what: string): string => `unsupported type ${what}`;

/** The reference names types as its language does. */
function typeName(mark: number): string {
  switch (mark) {
    case Mark.quote:
      return "string";
    case Mark.t:
    case Mark.f:
      return "bool";
    case Mark.n:
      return "<nil>";
    case Mark.openArray:
      return "[]interface {}";
    case Mark.openObject:
      return "map[string]interface {}";
    default:
      return malformed();
  }
}
