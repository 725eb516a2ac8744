/**
 * The names in an engine's directory, and what they mean.
 *
 * | name              | what it is                                                          |
 * | ----------------- | ------------------------------------------------------------------- |
 * | `LOCK`            | which process has the directory                                     |
 * | `CURRENT`         | which manifest counts                                               |
 * | `manifest-000003` | a log whose records are edits                                       |
 * | `log-000005`      | a log whose records are groups of writes                            |
 * | `000007.sst`      | a table; with `.tmp` behind it, one that is being written           |
 * | `lost`            | what `repairEngine` has replaced                                    |
 *
 * All numbers come from one counter, so that rule L7 is one rule. Invariant: a name is read back as
 * exactly the number that it was made from, and no other name is. Chapter: 04-lsm
 */
import { assert } from "#base";
import type { Disk } from "#platform/types";

/** Six digits sort right up to a million files; behind that only listings look worse. */
const DIGITS = 6;
const MANIFEST_PREFIX = "manifest-";
const LOG_PREFIX = "log-";
const TABLE_SUFFIX = ".sst";
/** As the writer of tables has it. */
const TEMPORARY_SUFFIX = ".tmp";
/** What a crash inside of `replaceFile` leaves behind. */
const REPLACING_NAME = "CURRENT.replacing";

/** What a name in an engine's directory stands for. */
export type EngineFile =
  | { readonly kind: "table" | "temporary table" | "log" | "manifest"; readonly number: number }
  | { readonly kind: "current" | "replacing" | "lock" | "lost" | "unknown" };

/** Where the lock of an engine is. */
export function lockPath(dir: string): string {
  return `${dir}/LOCK`;
}

export function currentPath(dir: string): string {
  return `${dir}/CURRENT`;
}

export function lostPath(dir: string): string {
  return `${dir}/lost`;
}

/** The directory of a manifest. */
export function manifestPath(dir: string, number: number): string {
  return `${dir}/${MANIFEST_PREFIX}${digits(number)}`;
}

/** The directory of a log. */
export function logPath(dir: string, number: number): string {
  return `${dir}/${LOG_PREFIX}${digits(number)}`;
}

/** The file of a table. */
export function tablePath(dir: string, id: number): string {
  return `${dir}/${digits(id)}${TABLE_SUFFIX}`;
}

/** Tells what a name stands for. */
export function parseName(name: string): EngineFile {
  if (name === "CURRENT") return { kind: "current" };
  if (name === "lost") return { kind: "lost" };
  if (name === REPLACING_NAME) return { kind: "replacing" };
  if (name === "LOCK" || name.startsWith("LOCK.")) return { kind: "lock" };
  return (
    numbered("manifest", name, MANIFEST_PREFIX, "") ??
    numbered("log", name, LOG_PREFIX, "") ??
    numbered("table", name, "", TABLE_SUFFIX) ??
    numbered("temporary table", name, "", TABLE_SUFFIX + TEMPORARY_SUFFIX) ?? { kind: "unknown" }
  );
}

/** A name that was found in an engine's directory. */
export interface NamedFile {
  readonly name: string;
  readonly file: EngineFile;
}

/** What is in an engine's directory. */
export function listFiles(disk: Disk, dir: string): NamedFile[] {
  return disk.list(dir).map((name) => ({ name, file: parseName(name) }));
}

/** The number that a name carries, or 0. */
export function numberOf(name: string): number {
  return numberIn(parseName(name));
}

/** As `numberOf`, for what is known of a name. */
export function numberIn(file: EngineFile): number {
  return "number" in file ? file.number : 0;
}

/** Hands out the numbers of tables, logs and manifests, each once (L7). */
export interface Numbers {
  /** Every number below this may have been used. */
  readonly next: number;
  /** Takes a number. */
  take(): number;
  /** From now on nothing below `number` is handed out. */
  raise(number: number): void;
}

/** Starts the counter. */
export function createNumbers(first: number): Numbers {
  return new Counter(first);
}

class Counter implements Numbers {
  #next: number;

  constructor(first: number) {
    this.#next = first;
  }

  get next(): number {
    return this.#next;
  }

  take(): number {
    const number = this.#next;
    assert(Number.isSafeInteger(number), "lsm: numbers of files do not run out");
    this.#next = number + 1;
    return number;
  }

  raise(number: number): void {
    this.#next = Math.max(this.#next, number);
  }
}

function digits(number: number): string {
  assert(Number.isSafeInteger(number), `lsm: a file's number is whole, got ${number}`);
  assert(number > 0, `lsm: a file's number is from 1, got ${number}`);
  return String(number).padStart(DIGITS, "0");
}

function numbered(
  kind: "table" | "temporary table" | "log" | "manifest",
  name: string,
  prefix: string,
  suffix: string,
): EngineFile | null {
  if (!name.startsWith(prefix) || !name.endsWith(suffix)) return null;
  const text = name.slice(prefix.length, name.length - suffix.length);
  if (!/^\d{6,16}$/.test(text)) return null;
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number === 0 || digits(number) !== text) return null;
  return { kind, number };
}
