/**
 * `cairn inspect` of an engine's directory: every file in it, and whether they fit together.
 *
 * Invariant: everything is read that an opening relies on, and every table to its end, so "sound"
 * is said only of what was checked. An engine that is running changes its files meanwhile: what is
 * then found missing may only have been replaced.
 */
import { isCairnError } from "#base";
import { logPath, manifestPath, parseName, tablePath } from "#lsm";
import type { Disk } from "#platform/types";
import { type InspectOptions, readLog, segmentNames } from "./inspect-log.ts";
import { nameOf, readCurrentFile, readManifest } from "./inspect-manifest.ts";
import {
  type Cell,
  createRows,
  type Problem,
  type Report,
  type Verdict,
  worse,
} from "./inspect-report.ts";
import { inspectTable } from "./inspect-table.ts";

/** What has been found so far. */
interface Findings {
  verdict: Verdict;
  readonly facts: [string, Cell][];
  readonly problems: Problem[];
  /** By name, for the list of files. */
  readonly states: Map<string, string>;
}

/** Tells whether the names in a directory are those of an engine. */
export function isEngineDirectory(names: readonly string[]): boolean {
  const kinds = names.map((name) => parseName(name).kind);
  return kinds.some((kind) => kind === "current" || kind === "manifest" || kind === "table");
}

/** An engine's directory. */
export function inspectEngine(options: InspectOptions): Report {
  const { disk, path } = options;
  const found: Findings = { verdict: "sound", facts: [], problems: [], states: new Map() };
  const live = checkManifest(options, found);
  for (const id of live.tables) checkTable(options, found, id);
  if (live.logNumber > 0) checkLog(options, found, live);
  const rows = createRows({ ...options, from: 0 });
  for (const name of disk.list(path)) {
    const state = found.states.get(name) ?? stateOfOther(name, live.isKnown);
    rows.add(0, () => [name, bytesOf(disk, `${path}/${name}`), parseName(name).kind, state]);
  }
  return {
    kind: "engine",
    path,
    verdict: found.verdict,
    facts: found.facts,
    problems: found.problems,
    sections: [...rows.section("files", ["file", "bytes", "kind", "state"]), ...live.sections],
  };
}

/** What the manifest says is alive. */
interface Live {
  /** Whether the manifest could be read at all. */
  readonly isKnown: boolean;
  readonly tables: readonly number[];
  readonly logNumber: number;
  readonly logFrom: number;
  readonly sections: Report["sections"];
}

const NOTHING_KNOWN: Live = {
  isKnown: false,
  tables: [],
  logNumber: 0,
  logFrom: 0,
  sections: [],
};

function checkManifest(options: InspectOptions, found: Findings): Live {
  const { disk, path } = options;
  if (!disk.exists(`${path}/CURRENT`)) {
    damaged(found, { file: "CURRENT", offset: null, text: "missing" });
    return NOTHING_KNOWN;
  }
  const current = readCurrentFile(disk, `${path}/CURRENT`);
  found.states.set("CURRENT", typeof current === "number" ? "sound" : "damaged");
  if (typeof current !== "number") {
    damaged(found, current);
    return NOTHING_KNOWN;
  }
  const dir = manifestPath(path, current);
  const { scan, facts, problems, sections } = readManifest({ ...options, path: dir });
  found.facts.push(
    ["manifest", current],
    ...facts.map(([name, value]) => [name, value] as [string, Cell]),
  );
  for (const problem of problems) damaged(found, problem);
  if (scan.droppedBytes > 0) found.verdict = worse(found.verdict, "torn");
  const torn = scan.droppedBytes > 0 ? "torn" : "sound";
  found.states.set(nameOf(dir), problems.length > 0 ? "damaged" : torn);
  const { state } = scan;
  if (state === null) return { ...NOTHING_KNOWN, sections };
  const tables = state.version.runs.flatMap((run) => run.tables.map(({ id }) => id));
  const { logNumber, logFrom } = state;
  return { isKnown: problems.length === 0, tables, logNumber, logFrom, sections };
}

function checkTable(options: InspectOptions, found: Findings, id: number): void {
  const file = tablePath(options.path, id);
  const name = nameOf(file);
  if (!options.disk.exists(file)) {
    damaged(found, { file: name, offset: null, text: "missing, but named by the manifest" });
    return;
  }
  const report = inspectTable({ ...options, path: file, keys: false, limit: 0 });
  found.states.set(name, report.verdict);
  for (const problem of report.problems) damaged(found, { ...problem, file: name });
}

function checkLog(options: InspectOptions, found: Findings, live: Live): void {
  const dir = logPath(options.path, live.logNumber);
  const name = nameOf(dir);
  const isThere = options.disk.exists(dir) && segmentNames(options.disk.list(dir)).length > 0;
  if (!isThere) {
    damaged(found, { file: name, offset: null, text: "missing, but named by the manifest" });
    return;
  }
  const log = readLog({ ...options, path: dir });
  found.facts.push(["log records", log.records]);
  found.states.set(name, log.verdict);
  found.verdict = worse(found.verdict, log.verdict);
  for (const problem of log.problems) {
    found.problems.push({ ...problem, file: `${name}/${problem.file}` });
  }
  const { firstLsn, nextLsn } = log;
  if (firstLsn === null || nextLsn === null) return;
  if (firstLsn <= live.logFrom && live.logFrom <= nextLsn) return;
  const text = `to be replayed from record ${live.logFrom}, and it holds ${log.records}`;
  damaged(found, { file: name, offset: null, text });
}

function damaged(found: Findings, problem: Problem): void {
  found.verdict = "damaged";
  found.problems.push(problem);
}

/** The state of a file that nothing names. */
function stateOfOther(name: string, isManifestKnown: boolean): string {
  const { kind } = parseName(name);
  if (kind === "lock") return "not looked at";
  if (kind === "lost") return "replaced by a repair";
  if (kind === "unknown") return "not of the engine";
  return isManifestKnown ? "counts no more: the next opening removes it" : "not looked at";
}

/** Bytes of a file, or of the files in a directory; null for what may not be read. */
function bytesOf(disk: Disk, path: string): number | null {
  try {
    const handle = disk.open(path, "read");
    try {
      return handle.size();
    } finally {
      handle.close();
    }
  } catch (error) {
    if (!isCairnError(error)) throw error;
    return bytesInside(disk, path);
  }
}

function bytesInside(disk: Disk, dir: string): number | null {
  try {
    return disk.list(dir).reduce((sum, name) => sum + (bytesOf(disk, `${dir}/${name}`) ?? 0), 0);
  } catch (error) {
    if (!isCairnError(error)) throw error;
    // Neither file nor directory, or forbidden: there is no size to show.
    return null;
  }
}
