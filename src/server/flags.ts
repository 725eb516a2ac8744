/**
 * Command-line flags by the rules of Go's `flag` package, which operators of the reference know.
 *
 * `-x v`, `-x=v`, `--x v` and `--x=v` are the same; a boolean takes a value only with `=`; flags
 * end at `--` or at the first argument that is none. Invariant: nothing is ignored; what is not
 * understood is an error that names it.
 */
import { CairnError } from "#base";
import { parseDuration } from "./duration.ts";

/** What a flag's value is. Durations become milliseconds. */
export type FlagKind = "boolean" | "string" | "integer" | "duration";

export type FlagValue = boolean | string | number;

/** One line of a table of flags. */
export interface FlagRow {
  readonly name: string;
  readonly kind: FlagKind;
  /** As it would be typed. */
  readonly default: string;
  /** For the usage text: what it does. A sentence without a full stop. */
  readonly meaning: string;
}

/** Flags that were read, and the arguments behind them. */
export interface ReadFlags {
  /** The value of a flag of the table, or its default. */
  value(name: string): FlagValue;
  readonly positional: readonly string[];
  /** `-h` or `-help` was given. */
  readonly help: boolean;
}

const TRUE = new Set(["1", "t", "T", "true", "TRUE", "True"]);
const FALSE = new Set(["0", "f", "F", "false", "FALSE", "False"]);

/**
 * Reads flags by a table.
 *
 * @param refused - flags of the reference that this program lacks, so that the error can say so.
 * @throws `SERVER_CONFIG_INVALID` with detail `usage: true` for anything that cannot be read.
 */
export function readFlags(
  table: readonly FlagRow[],
  refused: ReadonlySet<string>,
  argv: readonly string[],
): ReadFlags {
  const rows = new Map(table.map((row) => [row.name, row]));
  const values = new Map(table.map((row) => [row.name, mustRead(row, row.default)]));
  const read = (positional: readonly string[], help: boolean): ReadFlags => ({
    value: (name) => values.get(name) ?? refuse(`no flag ${name} in the table`),
    positional,
    help,
  });
  let at = 0;
  for (; at < argv.length; at += 1) {
    const argument = argv[at] ?? "";
    if (argument === "--") return read(argv.slice(at + 1), false);
    if (argument.length < 2 || !argument.startsWith("-")) break;
    const { name, given } = splitFlag(argument);
    const row = rows.get(name);
    if (row === undefined) {
      if (name === "h" || name === "help") return read([], true);
      if (refused.has(name)) refuse(`flag -${name} is part of rqlite but not supported yet`);
      return refuse(`flag provided but not defined: -${name}`);
    }
    if (given !== undefined) values.set(name, mustRead(row, given));
    else if (row.kind === "boolean") values.set(name, true);
    else {
      at += 1;
      values.set(name, mustRead(row, argv[at] ?? refuse(`flag needs an argument: -${name}`)));
    }
  }
  return read(argv.slice(at), false);
}

/** The text that lists every flag of a table with its default. */
export function flagsText(table: readonly FlagRow[]): string {
  const lines: string[] = [];
  for (const { name, kind, default: usual, meaning } of table) {
    const unsaid = usual === "" || (kind === "boolean" && usual === "false");
    lines.push(`  -${name}${kind === "boolean" ? "" : ` ${kind}`}`);
    lines.push(`    \t${meaning}${unsaid ? "" : ` (default ${usual})`}`);
  }
  return lines.join("\n");
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

function mustRead(row: FlagRow, text: string): FlagValue {
  const value = readValue(row.kind, text);
  if (value !== undefined) return value;
  const quoted = JSON.stringify(text);
  return row.kind === "boolean"
    ? refuse(`invalid boolean value ${quoted} for -${row.name}: parse error`)
    : refuse(`invalid value ${quoted} for flag -${row.name}: parse error`);
}

function readValue(kind: FlagKind, text: string): FlagValue | undefined {
  switch (kind) {
    case "boolean":
      return TRUE.has(text) ? true : FALSE.has(text) ? false : undefined;
    case "integer": {
      const value = /^[-+]?\d+$/.test(text) ? Number(text) : Number.NaN;
      return Number.isSafeInteger(value) ? value : undefined;
    }
    case "duration":
      return parseDuration(text);
    case "string":
      return text;
  }
}

function refuse(message: string): never {
  throw new CairnError("SERVER_CONFIG_INVALID", message, { details: { usage: true } });
}
