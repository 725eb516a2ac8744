/**
 * Results as JSON text, byte for byte as rqlite writes them: one object a statement.
 *
 * Built as strings and not as objects, because `JSON.stringify` cannot write a 64-bit integer,
 * would reorder keys that look like numbers, and would need one object a row.
 * Invariant: what is returned is one whole JSON object, whatever the database holds.
 * Chapter: 09-sqlite. Source: compat reference 1.4 (shape), 2.1 (types), 2.2 (values).
 */
import { assert, type Bytes, CairnError, isCairnError } from "#base";
import { compareBytes } from "#bytes";
import { renderDateNumber, renderDateText } from "./dates.ts";
import { renderBlobText, renderText } from "./render-text.ts";
import type { Rendering, SqlValue } from "./types.ts";

/** What rendering needs to know of a result column. */
export interface RenderColumn {
  /** Its heading. */
  readonly name: string;
  /** Declared type of the table column it comes from; null for an expression. */
  readonly type: string | null;
  /** Table that it comes from; null for an expression. */
  readonly table: string | null;
}

/** Declared types that change how a value is written. */
type Conversion = "none" | "boolean" | "date";

/** A column, ready for its values. */
interface PreparedColumn {
  readonly key: string;
  readonly declared: string;
  readonly conversion: Conversion;
  /** Blobs are written as the text that their bytes spell. */
  readonly blobAsText: boolean;
}

/** Declared types whose blobs the reference takes for text; the rest by their beginning. */
const TEXT_TYPES: ReadonlySet<string> = new Set(["", "text", "json"]);
const TEXT_TYPE_STARTS = /^(varchar|varying character|nchar|native character|nvarchar|clob)/;
const DATE_TYPES: ReadonlySet<string> = new Set(["date", "datetime", "timestamp"]);

const utf8 = new TextEncoder();

/**
 * Writes the result of a statement that returns rows.
 *
 * @param rows - gone through once.
 * @param timeSeconds - how long the statement took; written only if the rendering wants it. A
 * function is asked when all rows have been written.
 * @returns `{}` (associative: `{"rows":[]}`) if there are no columns, as for a comment.
 * @throws `SQLITE_RESULT_UNRENDERABLE` for an infinite number, which JSON cannot express;
 * `SQLITE_STATEMENT_FAILED` for a date beyond year 9999: {@link statementErrorText} has the text.
 */
export function renderRows(
  columns: readonly RenderColumn[],
  rows: Iterable<readonly SqlValue[]>,
  rendering: Rendering,
  timeSeconds: number | (() => number),
): string {
  const prepared = columns.map((column) => prepareColumn(column, rendering));
  const parts = rendering.associative
    ? renderAssociative(prepared, rows, rendering)
    : renderArrays(prepared, rows, rendering);
  if (rendering.timings) {
    const seconds = typeof timeSeconds === "number" ? timeSeconds : timeSeconds();
    if (seconds !== 0) parts.push(`"time":${renderReal(seconds)}`);
  }
  return `{${parts.join(",")}}`;
}

/** Writes the result of a statement for effect. Zeros are left out, as the reference does. */
export function renderWrite(
  effect: { readonly lastInsertId: bigint; readonly rowsAffected: bigint },
  rendering: Rendering,
  timeSeconds: number,
): string {
  const parts: string[] = [];
  if (effect.lastInsertId !== 0n) parts.push(`"last_insert_id":${effect.lastInsertId}`);
  if (effect.rowsAffected !== 0n) parts.push(`"rows_affected":${effect.rowsAffected}`);
  if (rendering.timings && timeSeconds !== 0) parts.push(`"time":${renderReal(timeSeconds)}`);
  // The literal null tells clients that this was a write.
  if (rendering.associative) parts.push('"rows":null');
  return `{${parts.join(",")}}`;
}

/**
 * Writes the result of a statement that failed.
 *
 * @param shape - `read` on the query path and for a read that failed while running; `write` for
 * everything else. They differ in the associative form only.
 */
export function renderError(
  message: string,
  rendering: Rendering,
  shape: "read" | "write",
): string {
  const rows = rendering.associative && shape === "read" ? '"rows":[],' : "";
  return `{${rows}"error":${renderText(message)}}`;
}

/**
 * The text for the `error` of a result, if rendering failed for a reason that concerns only this
 * statement; undefined for any other error.
 */
export function statementErrorText(error: unknown): string | undefined {
  const { text } = isCairnError(error, "SQLITE_STATEMENT_FAILED") ? error.details : {};
  return typeof text === "string" ? text : undefined;
}

function prepareColumn(column: RenderColumn, rendering: Rendering): PreparedColumn {
  const declared = (column.type ?? "").toLowerCase();
  const qualified = rendering.qualifyColumns && column.table !== null;
  const isDate = DATE_TYPES.has(declared);
  return {
    key: qualified ? `${column.table}.${column.name}` : column.name,
    declared,
    conversion: declared === "boolean" ? "boolean" : isDate ? "date" : "none",
    blobAsText: TEXT_TYPES.has(declared) || TEXT_TYPE_STARTS.test(declared),
  };
}

/** The declared types, or else a guess from the first row (2.1). */
function typesOf(
  columns: readonly PreparedColumn[],
  first: readonly SqlValue[] | undefined,
): readonly string[] {
  return columns.map(({ declared }, at) => renderText(declared || storageOf(first?.[at])));
}

function storageOf(value: SqlValue | undefined): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "bigint") return "integer";
  // A blob of a column without a type is written as text, and is therefore called text.
  return typeof value === "number" ? "real" : "text";
}

function renderArrays(
  columns: readonly PreparedColumn[],
  rows: Iterable<readonly SqlValue[]>,
  rendering: Rendering,
): string[] {
  if (columns.length === 0) return [];
  let first: readonly SqlValue[] | undefined;
  let values = "";
  for (const row of rows) {
    if (first === undefined) first = row;
    else values += ",";
    values += "[";
    for (let at = 0; at < columns.length; at += 1) {
      if (at > 0) values += ",";
      values += renderValue(row[at]!, columns[at]!, rendering);
    }
    values += "]";
  }
  const keys = columns.map(({ key }) => renderText(key)).join(",");
  const parts = [`"columns":[${keys}]`, `"types":[${typesOf(columns, first).join(",")}]`];
  if (first !== undefined) parts.push(`"values":[${values}]`);
  return parts;
}

function renderAssociative(
  columns: readonly PreparedColumn[],
  rows: Iterable<readonly SqlValue[]>,
  rendering: Rendering,
): string[] {
  if (columns.length === 0) return ['"rows":[]'];
  const order = orderKeys(columns);
  const keys = order.map((at) => `${renderText(columns[at]!.key)}:`);
  let first: readonly SqlValue[] | undefined;
  let objects = "";
  for (const row of rows) {
    if (first === undefined) first = row;
    else objects += ",";
    objects += "{";
    for (let place = 0; place < order.length; place += 1) {
      if (place > 0) objects += ",";
      const at = order[place]!;
      objects += keys[place]! + renderValue(row[at]!, columns[at]!, rendering);
    }
    objects += "}";
  }
  const types = typesOf(columns, first);
  const pairs = order.map((at, place) => `${keys[place]}${types[at]}`);
  return [`"types":{${pairs.join(",")}}`, `"rows":[${objects}]`];
}

/** Places of the columns, by the bytes of their names; of columns with one name, only the last. */
function orderKeys(columns: readonly PreparedColumn[]): number[] {
  const lasts = new Map(columns.map(({ key }, at) => [key, at] as const));
  return [...lasts]
    .map(([key, at]) => ({ bytes: utf8.encode(key), at }))
    .sort((a, b) => compareBytes(a.bytes, b.bytes))
    .map(({ at }) => at);
}

function renderValue(value: SqlValue, column: PreparedColumn, rendering: Rendering): string {
  switch (typeof value) {
    case "string":
      if (column.conversion === "date") return `"${renderDateText(value)}"`;
      return renderText(value);
    case "bigint":
      if (column.conversion === "none") return value.toString();
      if (column.conversion === "boolean") return value > 0n ? "true" : "false";
      return `"${renderDateNumber(value)}"`;
    case "number":
      return renderReal(value);
    default:
      return value === null ? "null" : renderBlob(value, column, rendering);
  }
}

/** JavaScript's shortest form is the reference's, with the same bounds for exponents. */
function renderReal(value: number): string {
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  if (Number.isFinite(value)) return String(value);
  assert(!Number.isNaN(value), "sqlite: render: SQLite stores no NaN");
  const text = `json: unsupported value: ${value > 0 ? "+Inf" : "-Inf"}`;
  throw new CairnError("SQLITE_RESULT_UNRENDERABLE", `sqlite: render: ${text}`, {
    details: { text },
  });
}

function renderBlob(value: Bytes, column: PreparedColumn, rendering: Rendering): string {
  if (column.blobAsText) return renderBlobText(value);
  if (rendering.blobArray) return `[${value.join(",")}]`;
  const { buffer, byteOffset, byteLength } = value;
  return `"${Buffer.from(buffer, byteOffset, byteLength).toString("base64")}"`;
}
