/**
 * A manifest for people: every step with its place, the state at the end, and what is wrong.
 *
 * Given `CURRENT`, a manifest's directory, or one file of its log. Invariant: looking changes
 * nothing, and what is damaged does not hide what can be read.
 * Chapter: 04-lsm
 */
import { CairnError } from "#base";
import { directoryOf } from "#bytes";
import type { Disk } from "#platform/types";
import { decodeCurrent, readSmallFile } from "./current-file.ts";
import { EditKind } from "./edit-codec.ts";
import { manifestPath, parseName } from "./file-names.ts";
import { type ManifestPlace, type ScannedRecord, scanManifest } from "./manifest-scan.ts";
import type { ManifestState, VersionEdit } from "./parts.ts";
import { keyText } from "./repair-salvage.ts";

/** One step of a manifest. */
export interface DescribedEdit extends ManifestPlace {
  readonly lsn: number;
  /** Of the whole frame in the log. */
  readonly bytes: number;
  /** `unreadable`: the frame is sound, its content is not. */
  readonly kind: "snapshot" | "edit" | "unreadable";
  /** What it says, one line each. */
  readonly lines: readonly string[];
}

/** A manifest as `cairn inspect` shows it. */
export interface ManifestDescription {
  /** What the given file is. */
  readonly given: "CURRENT" | "manifest";
  /** The manifest's directory; null if `CURRENT` does not tell. */
  readonly dir: string | null;
  readonly edits: readonly DescribedEdit[];
  /** After the last good step; null: there is none. */
  readonly state: ManifestState | null;
  /** The state for people, one line each. */
  readonly stateLines: readonly string[];
  /** Bytes of a torn end, as a crash leaves them. */
  readonly droppedBytes: number;
  /** What is wrong, with file and offset. Empty: nothing is. */
  readonly problems: readonly string[];
}

/** Tells whether a path is `CURRENT`, a manifest's directory, or a file in one, by its names. */
export function isManifestPath(path: string): boolean {
  return manifestDirOf(path) !== null || isCurrent(path);
}

/**
 * Describes a manifest.
 *
 * @param place - `path`: `CURRENT`, a directory `manifest-…`, or a file in one: then the whole
 * directory is described, since one segment says nothing without those before it.
 * @throws `LSM_NOT_FOUND` for another path; disk errors as they come.
 */
export function describeManifest(place: {
  readonly disk: Disk;
  readonly path: string;
}): ManifestDescription {
  const { disk, path } = place;
  const problems: string[] = [];
  const given = isCurrent(path) ? "CURRENT" : "manifest";
  const dir = isCurrent(path) ? currentDir(disk, path, problems) : manifestDirOf(path);
  if (given === "manifest" && dir === null) {
    throw new CairnError("LSM_NOT_FOUND", `lsm: ${path}: neither CURRENT nor part of a manifest`);
  }
  if (dir === null) {
    const nothing = { edits: [], state: null, stateLines: [], droppedBytes: 0 };
    return { given, dir, ...nothing, problems };
  }
  const edits: DescribedEdit[] = [];
  const scan = scanManifest(disk, dir, (record) => edits.push(describe(record)));
  if (scan.problem !== null) {
    problems.push(`${scan.problem.file} at byte ${scan.problem.offset}: ${scan.problem.text}`);
  }
  const { state, droppedBytes } = scan;
  const stateLines = state === null ? [] : linesOfState(state);
  return { given, dir, edits, state, stateLines, droppedBytes, problems };
}

function isCurrent(path: string): boolean {
  return path === "CURRENT" || path.endsWith("/CURRENT");
}

/** The manifest's directory that a path is, or lies in; null: neither. */
function manifestDirOf(path: string): string | null {
  const trimmed = path.replace(/\/+$/, "");
  for (const dir of [trimmed, trimmed.includes("/") ? directoryOf(trimmed) : ""]) {
    const name = dir.slice(dir.lastIndexOf("/") + 1);
    if (parseName(name).kind === "manifest") return dir;
  }
  return null;
}

function currentDir(disk: Disk, path: string, problems: string[]): string | null {
  const result = decodeCurrent(readSmallFile(disk, path));
  if (typeof result === "number") return manifestPath(directoryOf(path), result);
  problems.push(`${path} at byte ${result.offset}: ${result.problem}`);
  return null;
}

function describe(scanned: ScannedRecord): DescribedEdit {
  const { file, offset, lsn, bytes, record, problem } = scanned;
  const wrong = problem === null ? [] : [`wrong: ${problem}`];
  if (record === null) return { file, offset, lsn, bytes, kind: "unreadable", lines: wrong };
  const kind = record.kind === EditKind.snapshot ? "snapshot" : "edit";
  return { file, offset, lsn, bytes, kind, lines: [...linesOfEdit(record.edit), ...wrong] };
}

function linesOfEdit(edit: VersionEdit): string[] {
  const lines = edit.remove.map(({ level, id }) => `remove table ${id} from level ${level}`);
  for (const { level, run, table } of edit.add) {
    lines.push(`add to level ${level}, run ${run}: ${tableText(table)}`);
  }
  for (const name of ["logNumber", "logFrom", "nextNumber", "sequence"] as const) {
    if (edit[name] !== undefined) lines.push(`${name} ${edit[name]}`);
  }
  return lines;
}

function linesOfState(state: ManifestState): string[] {
  const { logNumber, logFrom, nextNumber, sequence } = state;
  const lines = [
    `log ${logNumber} from record ${logFrom}, next number ${nextNumber}, sequence ${sequence}`,
  ];
  for (const { level, number, tables } of state.version.runs) {
    lines.push(`level ${level}, run ${number}: ${tables.length} tables`);
    for (const table of tables) lines.push(`  ${tableText(table)}`);
  }
  return lines;
}

function tableText(table: VersionEdit["add"][number]["table"]): string {
  const { id, bytes, entries, deletions, sequenceMin, sequenceMax } = table;
  const keys = `${keyText(table.smallest)} to ${keyText(table.largest)}`;
  const counts = `${entries} entries, ${deletions} deletions, ${bytes} bytes`;
  return `table ${id}: ${keys}, ${counts}, sequences ${sequenceMin} to ${sequenceMax}`;
}
