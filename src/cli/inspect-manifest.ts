/**
 * `cairn inspect` of a manifest: its steps, and the tables that they add up to.
 *
 * Invariant: a state is shown only if every step up to it is sound; what follows a problem is
 * listed, but does not count.
 */
import type { Bytes } from "#base";
import { decodeCurrent, type ManifestScan, readSmallFile, scanManifest } from "#lsm";
import type { Disk } from "#platform/types";
import { bytesText } from "./inspect-bytes.ts";
import type { InspectOptions } from "./inspect-log.ts";
import { editText } from "./inspect-payload.ts";
import { createRows, type Problem, type Report, type Section } from "./inspect-report.ts";

/** In front of a file that names a manifest, behind its checksum. */
const CURRENT_MAGIC = "CAIRNCUR";
const CURRENT_MAGIC_OFFSET = 4;

/** A manifest as far as it could be read. */
export interface ManifestInspection {
  readonly scan: ManifestScan;
  readonly facts: Report["facts"];
  readonly problems: readonly Problem[];
  readonly sections: readonly Section[];
}

/** The last part of a path. */
export function nameOf(path: string): string {
  return path.split("/").at(-1) ?? path;
}

/** Reads a manifest. @param options - `path`: its directory. */
export function readManifest(options: InspectOptions): ManifestInspection {
  const steps = createRows(options);
  const scan = scanManifest(
    options.disk,
    options.path,
    ({ offset, bytes, lsn, record, problem }) => {
      steps.add(offset, () => {
        const holds = record === null ? "-" : editText(record);
        return [offset, bytes, lsn, problem === null ? holds : `${holds} (${problem})`];
      });
    },
  );
  const { state, problem, droppedBytes } = scan;
  const problems: Problem[] = [];
  if (problem !== null) {
    problems.push({ file: nameOf(problem.file), offset: problem.offset, text: problem.text });
  }
  const torn = droppedBytes === 0 ? "" : `, then ${droppedBytes} torn bytes, to be cut off`;
  const facts: [string, string | number][] = [["steps", `${scan.records}${torn}`]];
  if (state !== null) {
    const tables = state.version.runs.flatMap((run) => run.tables);
    facts.push(
      ["tables", tables.length],
      ["table bytes", tables.reduce((sum, { bytes }) => sum + bytes, 0)],
      ["log", state.logNumber === 0 ? "none" : `${state.logNumber}, from record ${state.logFrom}`],
      ["sequence", `tables hold changes up to ${state.sequence}`],
      ["next number", state.nextNumber],
    );
  }
  return {
    scan,
    facts,
    problems,
    sections: [
      ...steps.section("steps", ["offset", "bytes", "record", "holds"]),
      ...tableSection(options, scan),
    ],
  };
}

/** The live tables, newest run first. */
function tableSection(options: InspectOptions, { state }: ManifestScan): Section[] {
  const rows = createRows({ ...options, from: 0 });
  for (const { level, number, tables } of state?.version.runs ?? []) {
    for (const { id, bytes, entries, deletions, smallest, largest } of tables) {
      rows.add(0, () => {
        const keys = [bytesText(smallest), bytesText(largest)];
        return [level, number, id, bytes, entries, deletions, ...keys];
      });
    }
  }
  const counts = ["bytes", "entries", "deletions"];
  return rows.section("tables", ["level", "run", "table", ...counts, "smallest", "largest"]);
}

/** The directory of a manifest. */
export function inspectManifestDirectory(options: InspectOptions): Report {
  const { scan, facts, problems, sections } = readManifest(options);
  return {
    kind: "manifest",
    path: options.path,
    verdict: problems.length > 0 ? "damaged" : scan.droppedBytes > 0 ? "torn" : "sound",
    facts,
    problems,
    sections,
  };
}

/** Tells whether a file's first bytes are those of `CURRENT`. */
export function isCurrentFile(head: Bytes): boolean {
  const magic = head.subarray(CURRENT_MAGIC_OFFSET, CURRENT_MAGIC_OFFSET + CURRENT_MAGIC.length);
  return Buffer.from(magic).toString("latin1") === CURRENT_MAGIC;
}

/** Which manifest counts: its number, or what is wrong. */
export function readCurrentFile(disk: Disk, path: string): number | Problem {
  const decoded = decodeCurrent(readSmallFile(disk, path));
  if (typeof decoded === "number") return decoded;
  return { file: nameOf(path), offset: decoded.offset, text: decoded.problem };
}

/** The file `CURRENT`. What it names is looked at by itself. */
export function inspectCurrent(options: InspectOptions): Report {
  const current = readCurrentFile(options.disk, options.path);
  const isNumber = typeof current === "number";
  return {
    kind: "name of a manifest",
    path: options.path,
    verdict: isNumber ? "sound" : "damaged",
    facts: isNumber ? [["manifest", current]] : [],
    problems: isNumber ? [] : [current],
    sections: [],
  };
}
