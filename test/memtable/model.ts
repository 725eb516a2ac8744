/**
 * What a memtable must be, written as plainly as possible: every version ever put, in a map.
 *
 * Invariant: keys are texts of one character a byte, so that the order of texts is the order of
 * bytes, and nothing here shares code with what it judges.
 */
import type { Bytes, Lookup, Sequence } from "#base";
import type { MemtableEntry } from "#memtable/types";

/** One version, with texts for bytes. */
export interface Version {
  readonly key: string;
  readonly value: string | null;
  readonly sequence: Sequence;
}

/** A range of keys: from (included), before (excluded). */
export interface Range {
  readonly from?: string | undefined;
  readonly before?: string | undefined;
}

export class Model {
  /** Newest first. */
  readonly #versions = new Map<string, Version[]>();
  /** The same, without what nobody can see: see `newestReader` of `put`. */
  readonly #kept = new Map<string, Version[]>();

  record(version: Version, newestReader: Sequence = Number.MAX_SAFE_INTEGER): void {
    const { key } = version;
    this.#versions.set(key, [version, ...(this.#versions.get(key) ?? [])]);
    const seen = (this.#kept.get(key) ?? []).filter((old) => old.sequence <= newestReader);
    this.#kept.set(key, [version, ...seen]);
  }

  /** What a reader sees, as {@link lookupText} writes it. */
  get(key: string, at: Sequence = Number.MAX_SAFE_INTEGER): string {
    const found = this.#versions.get(key)?.find((version) => version.sequence <= at);
    if (found === undefined) return "absent";
    return found.value === null ? "deleted" : `value ${found.value}`;
  }

  /** The kept versions within a range, in the order of a cursor. */
  scan(range: Range = {}): Version[] {
    const { from = "", before } = range;
    return [...this.#kept.keys()]
      .filter((key) => key >= from && (before === undefined || key < before))
      .sort((a, b) => (a < b ? -1 : 1))
      .flatMap((key) => this.#kept.get(key)!);
  }
}

export function textOf(bytes: Bytes): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

export function bytesOf(text: string): Bytes {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function lookupText(lookup: Lookup): string {
  return lookup.kind === "value" ? `value ${textOf(lookup.value)}` : lookup.kind;
}

export function versionOf({ key, value, sequence }: MemtableEntry): Version {
  return { key: textOf(key), value: value === null ? null : textOf(value), sequence };
}

/** Text for messages and comparisons: one line a version. */
export function linesOf(versions: readonly Version[]): string {
  const lines = versions.map(({ key, value, sequence }) => {
    const said = value === null ? "deleted" : JSON.stringify(value);
    return `${JSON.stringify(key)} @${sequence} ${said}`;
  });
  return lines.join("\n");
}
