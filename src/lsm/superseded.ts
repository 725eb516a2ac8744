/**
 * Which keys a compaction may leave out because a layer above keeps versions in keys of its own.
 *
 * Such a key begins with a byte that the layer has chosen, and ends in a timestamp. Keys that are
 * equal up to the timestamp are versions of one thing, newest first:
 *
 * | offset | bytes | field     | type   | meaning                                        |
 * | -----: | ----: | --------- | ------ | ---------------------------------------------- |
 * |      0 |     1 | firstByte | u8     | of every key with a timestamp, and of no other |
 * |      1 |     n | group     | bytes  | no group is the beginning of another one       |
 * |    n+1 |     8 | inverted  | u64 BE | 2^53 - 1 minus the timestamp                   |
 *
 * A value that begins with a zero byte is a deletion. Nobody reads below the horizon. So of each
 * group the newest version at or below the horizon stays, and all above it; what is older goes. If
 * that newest one is a deletion, it goes as well, unless a table that is no input may hold an older
 * version. Memtables cannot: what they hold is newer than all tables.
 *
 * Invariant: every reader at or above the horizon sees the same before and after.
 * Chapter: 04-lsm, and 06-mvcc
 */
import type { Bytes } from "#base";
import { compareBytes } from "#bytes";
import { createHeldBytes } from "./held-bytes.ts";
import { uniteSpans } from "./keep-rule.ts";
import type { KeySpan, SupersededKeys } from "./parts.ts";

const TIMESTAMP_BYTES = 8;
const TWO_32 = 2 ** 32;
const DELETION = 0;

/** Judges keys in the order of a cursor: they never go down. */
export interface SupersededRule {
  /** Whether an entry may be left out. */
  mayGo(key: Bytes, value: Bytes): boolean;
}

/** Makes the rule for one job. */
export function createSupersededRule(keys: SupersededKeys): SupersededRule {
  return new Rule(keys);
}

class Rule implements SupersededRule {
  readonly #firstByte: number;
  readonly #horizon: number;
  /** Ascending, and apart from each other. */
  readonly #outside: readonly KeySpan[];
  /** Spans before this one lie below every group that is still to come. */
  #span = 0;
  /** The part before the timestamp that the last versions had in common. */
  readonly #group = createHeldBytes();
  /** Whether the group's newest version at or below the horizon has been met. */
  #isDecided = false;

  constructor({ firstByte, horizon, outside }: SupersededKeys) {
    this.#firstByte = firstByte;
    this.#horizon = horizon;
    this.#outside = uniteSpans(outside);
  }

  mayGo(key: Bytes, value: Bytes): boolean {
    const groupBytes = key.length - TIMESTAMP_BYTES;
    if (key[0] !== this.#firstByte || groupBytes < 1) return false;
    const group = key.subarray(0, groupBytes);
    if (!this.#group.equals(group)) {
      this.#group.set(group);
      this.#isDecided = false;
    }
    if (timestampOf(key, groupBytes) > this.#horizon) return false;
    if (this.#isDecided) return true;
    this.#isDecided = true;
    return value[0] === DELETION && !this.#mayBeOutside(group);
  }

  /** Whether a table that is no input reaches into the keys of a group. */
  #mayBeOutside(group: Bytes): boolean {
    const outside = this.#outside;
    while (this.#span < outside.length && compareBytes(outside[this.#span]!.largest, group) < 0) {
      this.#span += 1;
    }
    const span = outside[this.#span];
    if (span === undefined) return false;
    return compareBytes(span.smallest, group) <= 0 || beginsWith(span.smallest, group);
  }
}

function timestampOf(key: Bytes, offset: number): number {
  let high = 0;
  let low = 0;
  for (let i = 0; i < TIMESTAMP_BYTES / 2; i += 1) {
    high = high * 256 + key[offset + i]!;
    low = low * 256 + key[offset + TIMESTAMP_BYTES / 2 + i]!;
  }
  return Number.MAX_SAFE_INTEGER - (high * TWO_32 + low);
}

function beginsWith(key: Bytes, group: Bytes): boolean {
  if (key.length < group.length) return false;
  for (let i = 0; i < group.length; i += 1) if (key[i] !== group[i]) return false;
  return true;
}
