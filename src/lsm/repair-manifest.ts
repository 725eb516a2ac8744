/**
 * Which manifest a repair can trust.
 *
 * That is the one that `CURRENT` names, if both can be read. If only `CURRENT` is damaged, it is
 * the newest manifest that is sound. In either case it must fit what lies there: where tables are
 * missing that it names, and others are there that it does not, it is an older state, whose later
 * edits are lost. Invariant: looking changes nothing.
 * Chapter: 04-lsm, "Repair"
 */
import { errorText, isCairnError } from "#base";
import type { Disk } from "#platform/types";
import { decodeCurrent, readSmallFile } from "./current-file.ts";
import { currentPath, logPath, manifestPath, parseName } from "./file-names.ts";
import { scanManifest } from "./manifest-scan.ts";
import type { ManifestState } from "./parts.ts";
import { walkLog } from "./repair-log.ts";
import { allTables } from "./version-query.ts";

/** What was found. */
export interface FoundManifest {
  /** Null: no manifest can be trusted. */
  readonly state: ManifestState | null;
  /** `CURRENT` does not name this manifest. */
  readonly isNew: boolean;
  readonly isCurrentDamaged: boolean;
  /** One line each. */
  readonly findings: readonly string[];
}

/** Looks at `CURRENT` and at the manifests. */
export function findManifest(disk: Disk, dir: string, names: readonly string[]): FoundManifest {
  const findings: string[] = [];
  const current = names.includes("CURRENT") ? currentNumber(disk, dir, findings) : null;
  if (!names.includes("CURRENT")) findings.push(`${currentPath(dir)}: missing`);
  const isCurrentDamaged = names.includes("CURRENT") && current === null;
  const candidates = current !== null ? [current] : manifestsNewestFirst(names);
  for (const number of candidates) {
    const state = soundState(disk, manifestPath(dir, number), findings);
    if (state === null) continue;
    const doubt = doubtAbout(disk, dir, { names, state });
    if (doubt === null) return { state, isNew: current === null, isCurrentDamaged, findings };
    findings.push(`${manifestPath(dir, number)}: ${doubt}`);
    break;
  }
  return { state: null, isNew: true, isCurrentDamaged, findings };
}

function currentNumber(disk: Disk, dir: string, findings: string[]): number | null {
  const file = currentPath(dir);
  try {
    const result = decodeCurrent(readSmallFile(disk, file));
    if (typeof result === "number") return result;
    findings.push(`${file} at byte ${result.offset}: ${result.problem}`);
  } catch (error) {
    if (!isCairnError(error)) throw error;
    findings.push(errorText(error));
  }
  return null;
}

function manifestsNewestFirst(names: readonly string[]): number[] {
  return names
    .map(parseName)
    .flatMap((file) => (file.kind === "manifest" ? [file.number] : []))
    .sort((a, b) => b - a);
}

function soundState(disk: Disk, path: string, findings: string[]): ManifestState | null {
  try {
    const { state, problem } = scanManifest(disk, path);
    if (problem === null) return state;
    findings.push(`${problem.file} at byte ${problem.offset}: ${problem.text}`);
  } catch (error) {
    if (!isCairnError(error)) throw error;
    findings.push(errorText(error));
  }
  return null;
}

/** Why a sound manifest is an older state than what lies there; null: it fits, or nothing tells. */
function doubtAbout(
  disk: Disk,
  dir: string,
  { names, state }: { readonly names: readonly string[]; readonly state: ManifestState },
): string | null {
  const named = new Set(allTables(state.version).map(({ id }) => id));
  const files = names.map(parseName);
  const there = new Set(files.flatMap((file) => (file.kind === "table" ? [file.number] : [])));
  const strangers = [...there].filter((id) => !named.has(id));
  if (strangers.length === 0) return null;
  const missing = [...named].filter((id) => !there.has(id));
  const others = `tables ${strangers.join(", ")} are there, of which it knows nothing`;
  if (missing.length > 0) return `tables ${missing.join(", ")} are missing, and ${others}`;
  if (state.logNumber === 0) return null;
  const log = logPath(dir, state.logNumber);
  if (!disk.exists(log)) return `its log is missing, and ${others}`;
  const { firstLsn } = walkLog(disk, log, () => {});
  if (firstLsn <= state.logFrom) return null;
  return `its log begins with ${firstLsn} and not ${state.logFrom}, and ${others}`;
}
