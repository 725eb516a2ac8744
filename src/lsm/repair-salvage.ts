/**
 * What can still be read of a damaged table.
 *
 * Invariant: an entry that comes back was in a block whose checksum is right, and what is missing
 * is told by the keys around it. Memory follows the size of one table.
 * Chapter: 04-lsm, "Repair"
 */
import { type Bytes, errorText, isCairnError, type Sequence } from "#base";
import { compareBytes } from "#bytes";
import type { Disk } from "#platform/types";
import { describeTable } from "#sstable";
import type { TableMeta, TablePart } from "#sstable/types";
import type { EntrySource } from "./repair-merge.ts";

/** One version of a key. */
export interface TableEntry {
  readonly key: Bytes;
  readonly value: Bytes | null;
  readonly sequence: Sequence;
  readonly blockOffset: number;
}

/** What came out of a damaged table. */
export interface Salvage {
  /** In the order of a table. */
  readonly entries: readonly TableEntry[];
  /** What could not be read, one line each. */
  readonly lost: readonly string[];
}

/**
 * Reads the sound blocks of a table.
 *
 * @param expected - what the manifest knows of it; null if that is unknown.
 */
export function salvageTable(disk: Disk, path: string, expected: TableMeta | null): Salvage {
  const entries: TableEntry[] = [];
  let parts: readonly TablePart[] = [];
  let meta = expected;
  const lost: string[] = [];
  try {
    const found = describeTable({ disk, path }, (entry) => {
      const last = entries[entries.length - 1];
      if (last === undefined || isBehind(last, entry)) entries.push(entry);
      else lost.push(`${path}: a version of ${keyText(entry.key)} stands in the wrong place`);
    });
    parts = found.parts;
    meta ??= found.meta;
  } catch (error) {
    // A sector that cannot be read ends it: what came before is kept.
    if (!isCairnError(error)) throw error;
    lost.push(`${path}: cannot be read on: ${errorText(error)}`);
  }
  for (const part of parts) {
    if (part.kind === "data" && part.problem !== undefined)
      lost.push(lostBlock(path, part, entries));
  }
  const missing = meta === null ? null : meta.entries - entries.length;
  if (missing === null) lost.push(`${path}: an unknown number of entries`);
  else if (missing > 0) lost.push(lostEntries(path, missing, meta));
  return { entries, lost };
}

/** The lines for a table that is not there at all. */
export function lostTable(path: string, meta: TableMeta): string {
  return lostEntries(path, meta.entries, meta);
}

/** A cursor over salvaged entries, as far as a merge needs one. */
export function createArraySource(entries: readonly TableEntry[]): EntrySource {
  return new ArraySource(entries);
}

class ArraySource implements EntrySource {
  readonly #entries: readonly TableEntry[];
  #at = 0;

  constructor(entries: readonly TableEntry[]) {
    this.#entries = entries;
  }

  get valid(): boolean {
    return this.#at < this.#entries.length;
  }

  get key(): Bytes {
    return this.#entries[this.#at]!.key;
  }

  get value(): Bytes {
    return this.#entries[this.#at]!.value ?? NOTHING;
  }

  get sequence(): Sequence {
    return this.#entries[this.#at]!.sequence;
  }

  get isDeletion(): boolean {
    return this.#entries[this.#at]!.value === null;
  }

  next(): void {
    this.#at += 1;
  }

  close(): void {}
}

const NOTHING: Bytes = new Uint8Array(0);
/** A key in a message is cut after so many characters. */
const KEY_TEXT_MAX = 60;

/** A key for people: as text where it is plain ASCII, otherwise in hexadecimal digits. */
export function keyText(key: Bytes): string {
  const isPlain = key.every((byte) => byte >= 0x20 && byte < 0x7f);
  const text = isPlain
    ? JSON.stringify(String.fromCharCode(...key.subarray(0, KEY_TEXT_MAX)))
    : `0x${Buffer.from(key.subarray(0, KEY_TEXT_MAX / 2)).toString("hex")}`;
  return key.length > KEY_TEXT_MAX ? `${text}...` : text;
}

function isBehind(last: TableEntry, entry: TableEntry): boolean {
  const order = compareBytes(last.key, entry.key);
  return order < 0 || (order === 0 && last.sequence > entry.sequence);
}

function lostBlock(path: string, part: TablePart, entries: readonly TableEntry[]): string {
  const before = entries.findLast(({ blockOffset }) => blockOffset < part.offset);
  const after = entries.find(({ blockOffset }) => blockOffset > part.offset);
  const from = before === undefined ? "the beginning" : keyText(before.key);
  const to = after === undefined ? "the end" : keyText(after.key);
  const { offset, bytes } = part;
  return `${path}: block of ${bytes} bytes at ${offset}: what lies between ${from} and ${to}`;
}

function lostEntries(path: string, count: number, meta: TableMeta | null): string {
  const span =
    meta === null ? "" : ` between ${keyText(meta.smallest)} and ${keyText(meta.largest)}`;
  return `${path}: ${count} entries${span}`;
}
