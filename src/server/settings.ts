/**
 * Where each setting comes from: command line, then environment, then file, then default.
 *
 * Invariant: one rule for all settings, so nobody needs to remember which source wins; and a name
 * that no flag has is refused in a file and on the command line, and told in a warning where it may
 * belong to somebody else: in the environment.
 */
import { CairnError } from "#base";
import { DATA_DIR_KEY, FLAGS } from "./flag-table.ts";
import {
  defaultValue,
  type FlagRow,
  type FlagValue,
  readFlags,
  readValue,
  unreadableText,
} from "./flags.ts";
import { nearestName } from "./nearest-name.ts";
import { readJsonFile } from "./text-file.ts";

/** Sources, the strongest first. */
export type SettingSource = "flag" | "environment" | "file" | "default";

/** Variables of the process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Every setting, and what was noticed on the way. */
export interface Settings {
  value(name: string): FlagValue;
  source(name: string): SettingSource;
  /** Undefined if none was named. */
  readonly dataDir: string | undefined;
  /** Arguments behind the data directory: too many. */
  readonly extra: readonly string[];
  readonly help: boolean;
  /** Sentences for whoever starts the node. */
  readonly warnings: readonly string[];
}

const PREFIX = "CAIRN_";
/** Variables of ours that are no settings: of tests, benches and child processes. */
const OTHER_VARIABLES: ReadonlySet<string> = new Set(
  `EXIT_WITH_PARENT SEED SCALE LIMIT_SECONDS PLAIN UPDATE_GOLDEN TEST_REPORT CHROMIUM MINE
  VERSION DISCO_DNS_HOSTS`.split(/\s+/),
);

const HIDDEN = "(hidden)";

/** The environment variable of a flag: `http-addr` is `CAIRN_HTTP_ADDR`. */
export function variableOf(name: string): string {
  return PREFIX + name.toUpperCase().replaceAll("-", "_");
}

/** Rows that a file and the environment may set. */
export const SETTABLE_FLAGS: readonly FlagRow[] = FLAGS.filter((row) => !row.commandLineOnly);

/**
 * Reads all sources.
 *
 * @param argv - the arguments behind the program's name.
 * @throws `SERVER_CONFIG_INVALID`
 */
export function readSettings(argv: readonly string[], environment: Environment): Settings {
  const given = readFlags(FLAGS, argv);
  const fromEnvironment = readEnvironment(environment);
  const path = String(given.values.get("config") ?? fromEnvironment.values.get("config") ?? "");
  const fromFile = path === "" || given.help ? new Map<string, FlagValue>() : readFile(path);
  const layers: readonly (readonly [SettingSource, ReadonlyMap<string, FlagValue>])[] = [
    ["flag", given.values],
    ["environment", fromEnvironment.values],
    ["file", fromFile],
  ];
  const defaults = new Map(FLAGS.map((row) => [row.name, defaultValue(row)]));
  const layerOf = (name: string) => layers.find(([, values]) => values.has(name));
  const source = (name: string): SettingSource => layerOf(name)?.[0] ?? "default";
  const value = (name: string): FlagValue =>
    layerOf(name)?.[1].get(name) ?? defaults.get(name) ?? refuse(`no flag ${name} in the table`);
  const [positional, ...extra] = given.positional;
  const dataDir =
    positional ?? fromEnvironment.values.get(DATA_DIR_KEY) ?? fromFile.get(DATA_DIR_KEY);
  return {
    value,
    source,
    dataDir: dataDir === undefined ? undefined : String(dataDir),
    extra,
    help: given.help,
    warnings: [...fromEnvironment.warnings, ...effectWarnings(value, source)],
  };
}

/** What `-print-config` prints: every setting, its source if it is not the default, no secrets. */
export function settingsText(settings: Settings, problem: string | undefined): string {
  const shown: Record<string, unknown> = {};
  const from: Record<string, SettingSource> = {};
  if (settings.dataDir !== undefined) shown[DATA_DIR_KEY] = settings.dataDir;
  for (const row of SETTABLE_FLAGS) {
    const source = settings.source(row.name);
    // What is printed may become the file, and a file names no other.
    if (row.name === "config") continue;
    const value = settings.value(row.name);
    shown[row.name] = row.secret && value !== "" ? HIDDEN : shownValue(row, value);
    if (source !== "default") from[row.name] = source;
  }
  const { warnings } = settings;
  const whole = { settings: shown, from, warnings, ...(problem === undefined ? {} : { problem }) };
  return JSON.stringify(whole, null, 2);
}

/** As a file would have it. */
function shownValue({ kind }: FlagRow, value: FlagValue): unknown {
  if (kind === "duration") return `${Number(value)}ms`;
  if (kind === "list") return value === "" ? [] : String(value).split(",");
  return value;
}

function effectWarnings(
  value: (name: string) => FlagValue,
  source: (name: string) => SettingSource,
): string[] {
  return FLAGS.flatMap((row) => {
    if (row.noEffect === undefined || source(row.name) === "default") return [];
    // Whoever asks for nothing gets it.
    const asksForNothing = value(row.name) === false || value(row.name) === "";
    return asksForNothing ? [] : [`-${row.name} has no effect: ${row.noEffect}`];
  });
}

function readEnvironment(environment: Environment): {
  readonly values: ReadonlyMap<string, FlagValue>;
  readonly warnings: readonly string[];
} {
  const values = new Map<string, FlagValue>();
  const variables = new Set([variableOf(DATA_DIR_KEY)]);
  for (const row of SETTABLE_FLAGS) {
    const variable = variableOf(row.name);
    variables.add(variable);
    const text = environment[variable];
    // Container tools set what is not set to nothing.
    if (text === undefined || text === "") continue;
    values.set(
      row.name,
      readValue(row.kind, text) ?? refuse(unreadableText(row.kind, variable, text)),
    );
  }
  const dataDir = environment[variableOf(DATA_DIR_KEY)];
  if (dataDir !== undefined && dataDir !== "") values.set(DATA_DIR_KEY, dataDir);
  const warnings: string[] = [];
  for (const name of Object.keys(environment)) {
    if (!name.startsWith(PREFIX) || variables.has(name)) continue;
    if (OTHER_VARIABLES.has(name.slice(PREFIX.length))) continue;
    const near = nearestName(name, variables);
    if (near !== undefined) warnings.push(`${name} is no setting; did you mean ${near}?`);
  }
  return { values, warnings };
}

function readFile(path: string): ReadonlyMap<string, FlagValue> {
  const file = readJsonFile(path);
  if (typeof file !== "object" || file === null || Array.isArray(file)) {
    return refuse(`${path}: must be one JSON object with flags by name`);
  }
  const values = new Map<string, FlagValue>();
  const rows = new Map(SETTABLE_FLAGS.map((row) => [row.name, row]));
  rows.delete("config");
  for (const [name, value] of Object.entries(file)) {
    if (name === DATA_DIR_KEY && typeof value === "string") values.set(name, value);
    else {
      const row = rows.get(name) ?? refuse(`${path}: ${unknownText(name, rows.keys())}`);
      values.set(name, readFileValue(path, row, value));
    }
  }
  return values;
}

function unknownText(name: string, names: Iterable<string>): string {
  const near = nearestName(name, [...names, DATA_DIR_KEY]);
  const hint = near === undefined ? "" : `; did you mean ${JSON.stringify(near)}?`;
  return `unknown setting ${JSON.stringify(name)}${hint}`;
}

/** JSON's own types are taken where they say the same; texts are read as flags are. */
function readFileValue(path: string, row: FlagRow, value: unknown): FlagValue {
  const place = `${row.name} in ${path}`;
  const isNumber = row.kind === "integer" || row.kind === "unsigned";
  const isTexts = Array.isArray(value) && value.every((text) => typeof text === "string");
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (row.kind === "boolean" && typeof value === "boolean") return value;
  if (row.kind === "list" && isTexts) return value.join(",");
  if (row.secret && isObject) return JSON.stringify(value);
  const text = isNumber && typeof value === "number" ? String(value) : value;
  if (typeof text !== "string") {
    return refuse(`${place}: ${JSON.stringify(value)} is no ${row.kind}`);
  }
  return readValue(row.kind, text) ?? refuse(unreadableText(row.kind, place, text));
}

function refuse(message: string): never {
  throw new CairnError("SERVER_CONFIG_INVALID", message, { details: { usage: false } });
}
