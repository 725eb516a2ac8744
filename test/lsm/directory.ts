/**
 * What the files of an engine's directory are, by name alone. Support for the tests.
 *
 * Written from the table of names in the appendix, not with the engine's own reader of names: what
 * that one does not know would be invisible here too.
 */
import type { SimulatedDisk } from "#platform/types";

export const DIR = "engine";

/** Every file of the engine, sorted. */
export function filesOf(disk: SimulatedDisk): string[] {
  if (!disk.exists(DIR)) return [];
  return disk.list(DIR).flatMap((name) => {
    const path = `${DIR}/${name}`;
    if (!isDirectoryName(name)) return [path];
    return disk.list(path).map((inside) => `${path}/${inside}`);
  });
}

function isDirectoryName(name: string): boolean {
  return name.startsWith("log-") || name.startsWith("manifest-") || name === "lost";
}

export function isTableFile(path: string): boolean {
  return path.endsWith(".sst");
}

export function isLogFile(path: string): boolean {
  return path.startsWith(`${DIR}/log-`);
}

/** Numbers in the names of tables, logs and manifests, whether something is in them or not. */
export function numbersOf(disk: SimulatedDisk): number[] {
  return disk.exists(DIR)
    ? disk
        .list(DIR)
        .map(numberIn)
        .filter((number) => number > 0)
    : [];
}

/** The number that a name carries, or 0. */
export function numberIn(name: string): number {
  return Number(/^(?:log-|manifest-)?(\d{6,})/.exec(name)?.[1] ?? 0);
}

/** What is left over in the directory of an engine that has just been opened, or is at rest. */
export function strayFiles(disk: SimulatedDisk, tables: number): string[] {
  const files = filesOf(disk);
  const strays = files.filter((path) => !KNOWN.some((known) => known.test(path)));
  const found = files.filter(isTableFile);
  if (found.length !== tables) strays.push(`${found.length} files for ${tables} tables`);
  for (const kind of ["log", "manifest"]) {
    const used = new Set(
      files.map((path) => path.split("/")[1]!).filter((name) => name.startsWith(kind)),
    );
    if (used.size > 1) strays.push([...used].join(" and "));
  }
  return strays;
}

const KNOWN: readonly RegExp[] = [
  /^engine\/(LOCK|CURRENT)$/,
  /^engine\/\d{6,}\.sst$/,
  /^engine\/(log|manifest)-\d{6,}\/\d{16}\.wal$/,
];
