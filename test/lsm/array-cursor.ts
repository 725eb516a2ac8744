/**
 * A cursor over an array: the plainest one that there can be, as a model and as a source.
 *
 * It is also strict: its views are spoilt by the next move, so that who keeps one shows; moving
 * where it must not be moved, or after `close`, throws; and it can fail on demand.
 */
import { assert, type Bytes, CairnError, type Cursor, type Sequence } from "#base";
import { compareBytes } from "#bytes";
import type { Random } from "#platform/types";

/** One version of a key. `value` null: a deletion. */
export interface Entry {
  readonly key: Bytes;
  readonly value: Bytes | null;
  readonly sequence: Sequence;
}

/** A cursor that tells what was done with it. */
export interface ArrayCursor extends Cursor {
  readonly closed: boolean;
  readonly moves: number;
}

/** When a cursor fails. */
export interface ArrayCursorFaults {
  /** The move that throws, and every later one: 0 is the first. */
  readonly failAtMove?: number;
  readonly failAtClose?: boolean;
}

/** Fills views that should not be used any more. */
const SPOILT = 0xee;

/** Orders as a cursor does: key, then newest first. */
export function compareEntries(a: Entry, b: Entry): number {
  return compareBytes(a.key, b.key) || b.sequence - a.sequence;
}

/** Makes a cursor over entries in the order of a cursor. */
export function arrayCursor(
  entries: readonly Entry[],
  faults: ArrayCursorFaults = {},
): ArrayCursor {
  let at = -1;
  let moves = 0;
  let closed = false;
  let views: Bytes[] = [];
  const valid = () => at >= 0 && at < entries.length;
  const view = (bytes: Bytes): Bytes => {
    const copy = Uint8Array.from(bytes);
    views.push(copy);
    return copy;
  };
  const move = (to: () => number, needsEntry = false): void => {
    assert(!closed, "test: a closed cursor is left alone");
    if (needsEntry) assert(valid(), "test: only a cursor at an entry goes on");
    const target = to();
    for (const bytes of views) bytes.fill(SPOILT);
    views = [];
    at = -1;
    moves += 1;
    if (moves > (faults.failAtMove ?? Number.POSITIVE_INFINITY)) {
      throw new CairnError("DISK_IO", `test: move ${moves} fails`);
    }
    at = target;
  };
  const current = (): Entry => {
    assert(!closed, "test: a closed cursor is left alone");
    assert(valid(), "test: only a cursor at an entry has one");
    return entries[at]!;
  };
  /** How many entries have a key below this one. */
  const below = (key: Bytes) => entries.filter((entry) => compareBytes(entry.key, key) < 0).length;
  return {
    get valid() {
      return !closed && valid();
    },
    get key() {
      return view(current().key);
    },
    get value() {
      return view(current().value ?? new Uint8Array(0));
    },
    get sequence() {
      return current().sequence;
    },
    get isDeletion() {
      return current().value === null;
    },
    get closed() {
      return closed;
    },
    get moves() {
      return moves;
    },
    seekFirst: () => move(() => 0),
    seekLast: () => move(() => entries.length - 1),
    seek: (key) => move(() => below(key)),
    seekBefore: (key) => move(() => below(key) - 1),
    next: () => move(() => at + 1, true),
    prev: () => move(() => at - 1, true),
    close() {
      if (closed) return;
      closed = true;
      if (faults.failAtClose) throw new CairnError("DISK_IO", "test: closing fails");
    },
  };
}

/** What is at a cursor: copies. Null where it is at no entry. */
export function entryAt(cursor: Cursor): Entry | null {
  if (!cursor.valid) return null;
  const value = cursor.isDeletion ? null : Uint8Array.from(cursor.value);
  return { key: Uint8Array.from(cursor.key), value, sequence: cursor.sequence };
}

/** Everything, from the first to the last. */
export function readAll(cursor: Cursor): Entry[] {
  const entries: Entry[] = [];
  for (cursor.seekFirst(); cursor.valid; cursor.next()) entries.push(entryAt(cursor)!);
  return entries;
}

/** A key of 0 to `bytesMax` bytes out of few, so that keys meet, and are prefixes of each other. */
export function randomKey(random: Random, bytesMax = 3): Bytes {
  const key = random.bytes(random.below(bytesMax + 1));
  return key.map((byte) => (byte % 4 === 3 ? 0xff : byte % 4));
}

/** Versions with rising sequences, in the order of a cursor. */
export function randomEntries(
  random: Random,
  count: number,
  from: { readonly sequence: Sequence } = { sequence: 1 },
): Entry[] {
  const entries = Array.from({ length: count }, (_, i): Entry => {
    const value = random.below(3) === 0 ? null : random.bytes(random.below(6));
    return { key: randomKey(random), value, sequence: from.sequence + i };
  });
  return entries.sort(compareEntries);
}
