/**
 * Command-line flags by the rules of Go's `flag` package, which operators of the reference know.
 *
 * `-x v`, `-x=v`, `--x v` and `--x=v` are the same; a boolean takes a value only with `=`; flags
 * end at `--` or at the first argument that is none. Invariant: nothing is ignored; what is not
 * understood is an error that names it.
 */
import { CairnError } from "#base";
import { parseDuration } from "./duration.ts";
import { nearestName } from "./nearest-name.ts";

/**
 * What a flag's value is. Durations become milliseconds; a list is comma-separated; `unsigned` has
 * no sign.
 */
export type FlagKind = "boolean" | "string" | "list" | "integer" | "unsigned" | "duration";

export type FlagValue = boolean | string | number;

/** One line of a table of flags. */
export interface FlagRow {
  readonly name: string;
  readonly kind: FlagKind;
  /** As it would be typed. */
  readonly default: string;
  /** For the usage text: what it does. A sentence without a full stop. */
  readonly meaning: string;
  /** Why setting it changes nothing; whoever sets it is told. */
  readonly noEffect?: string;
  /** Its value may hold a password, and is never printed. */
  readonly secret?: boolean;
  /** Neither the environment nor a file sets it. */
  readonly commandLineOnly?: boolean;
}

/** Flags that were read, and the arguments behind them. */
export interface GivenFlags {
  /** Only what was given. */
  readonly values: ReadonlyMap<string, FlagValue>;
  readonly positional: readonly string[];
  /** `-h` or `-help` was given. */
  readonly help: boolean;
}

const TRUE = new Set(["1", "t", "T", "true", "TRUE", "True"]);
const FALSE = new Set(["0", "f", "F", "false", "FALSE", "False"]);

/**
 * Reads flags by a table.
 *
 * @throws `SERVER_CONFIG_INVALID` with detail `usage: true` for anything that cannot be read.
 */
export function readFlags(table: readonly FlagRow[], argv: readonly string[]): GivenFlags {
  const rows = new Map(table.map((row) => [row.name, row]));
  const values = new Map<string, FlagValue>();
  let at = 0;
  for (; at < argv.length; at += 1) {
    const argument = argv[at] ?? "";
    if (argument === "--") return { values, positional: argv.slice(at + 1), help: false };
    if (argument.length < 2 || !argument.startsWith("-")) break;
    const { name, given } = splitFlag(argument);
    const row = rows.get(name);
    if (row === undefined) {
      if (name === "h" || name === "help") return { values, positional: [], help: true };
      return refuse(unknownText(table, name));
    }
    if (given !== undefined) values.set(name, mustRead(row, given));
    else if (row.kind === "boolean") values.set(name, true);
    else {
      at += 1;
      values.set(name, mustRead(row, argv[at] ?? refuse(`flag needs an argument: -${name}`)));
    }
  }
  return { values, positional: argv.slice(at), help: false };
}

/** The value of a row's default. */
export function defaultValue(row: FlagRow): FlagValue {
  return mustRead(row, row.default);
}

/** The text that lists every flag of a table with its default. */
export function flagsText(table: readonly FlagRow[]): string {
  const lines: string[] = [];
  for (const { name, kind, default: usual, meaning, noEffect } of table) {
    const unsaid = usual === "" || (kind === "boolean" && usual === "false");
    lines.push(`  -${name}${kind === "boolean" ? "" : ` ${kind}`}`);
    const effect = noEffect === undefined ? "" : " [no effect]";
    lines.push(`    \t${meaning}${unsaid ? "" : ` (default ${usual})`}${effect}`);
  }
  return lines.join("\n");
}

/** Reads one value as its flag would be typed; undefined if it cannot be read. */
export function readValue(kind: FlagKind, text: string): FlagValue | undefined {
  switch (kind) {
    case "boolean":
      return TRUE.has(text) ? true : FALSE.has(text) ? false : undefined;
    case "integer":
      return readInteger(text);
    case "unsigned":
      return /^[-+]/.test(text) ? undefined : readInteger(text);
    case "duration":
      return parseDuration(text);
    case "list":
    case "string":
      return text;
  }
}

/** Go's message for a value that cannot be read. */
export function unreadableText(kind: FlagKind, place: string, text: string): string {
  const quoted = JSON.stringify(text);
  return kind === "boolean"
    ? `invalid boolean value ${quoted} for ${place}: parse error`
    : `invalid value ${quoted} for flag ${place}: parse error`;
}

const INTEGER = /^[-+]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]+|0|[1-9][0-9]*)$/;

/** Integers as Go reads them: `10`, `-3`, `0x1f`, `0b101`, `0o17`, `017`. */
function readInteger(text: string): number | undefined {
  if (!INTEGER.test(text) || /__|_$|^[-+]?_/.test(text)) return undefined;
  const digits = text.replace(/^[-+]/, "").replaceAll("_", "");
  const octal = /^0[0-7]+$/.test(digits);
  const size = Number(octal ? `0o${digits.slice(1)}` : digits);
  if (!Number.isSafeInteger(size)) return undefined;
  return text.startsWith("-") && size !== 0 ? -size : size;
}

function splitFlag(argument: string): { name: string; given: string | undefined } {
  const body = argument.slice(argument.startsWith("--") ? 2 : 1);
  if (body === "" || body.startsWith("-") || body.startsWith("=")) {
    return refuse(`bad flag syntax: ${argument}`);
  }
  const equals = body.indexOf("=");
  if (equals === -1) return { name: body, given: undefined };
  return { name: body.slice(0, equals), given: body.slice(equals + 1) };
}

function unknownText(table: readonly FlagRow[], name: string): string {
  const near = nearestName(
    name,
    table.map((row) => row.name),
  );
  const hint = near === undefined ? "" : `; did you mean -${near}?`;
  return `flag provided but not defined: -${name}${hint}`;
}

function mustRead(row: FlagRow, text: string): FlagValue {
  return readValue(row.kind, text) ?? refuse(unreadableText(row.kind, `-${row.name}`, text));
}

function refuse(message: string): never {
  throw new CairnError("SERVER_CONFIG_INVALID", message, { details: { usage: true } });
}
