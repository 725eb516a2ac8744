/**
 * Versions to be put into tables, with keys and values that a person can read in a failure.
 */
import type { Bytes } from "#base";
import { compareBytes } from "#bytes";
import type { Random } from "#platform";
import { bytesOf } from "../model.ts";
import type { Version } from "./subject.ts";

/** Few, so that keys share beginnings and are beginnings of each other. */
const LETTERS = "abz";
const KEY_LETTERS_MAX = 6;
const DELETION_CHANCE = 0.15;
/** Now and then a sequence that needs more than 32 bits. */
const LARGE_CHANCE = 0.05;
const LARGE = 2 ** 33;

/** Draws versions in the order of a table: `keys` keys with 1 to `versionsMax` versions each. */
export function drawVersions(random: Random, keys: number, versionsMax: number): Version[] {
  const drawn = new Set<string>();
  while (drawn.size < keys) {
    const letters = Array.from(
      { length: random.below(KEY_LETTERS_MAX + 1) },
      () => LETTERS[random.below(LETTERS.length)],
    );
    drawn.add(letters.join(""));
  }
  const sorted = [...drawn].map(bytesOf).sort(compareBytes);
  return sorted.flatMap((key) => versionsOf(random, key, 1 + random.below(versionsMax)));
}

/** Versions of one key, newest first. */
function versionsOf(random: Random, key: Bytes, count: number): Version[] {
  let sequence = random.below(10);
  const versions = Array.from({ length: count }, (): Version => {
    sequence += 1 + random.below(9) + (random.fraction() < LARGE_CHANCE ? LARGE : 0);
    const text = "v".repeat(random.below(3)) + (random.below(4) === 0 ? "" : sequence);
    return { key, value: random.fraction() < DELETION_CHANCE ? null : bytesOf(text), sequence };
  });
  return versions.reverse();
}

/** Numbered rows: `row 0007` with a value that names it and fills `valueBytes`. */
export function rows(count: number, valueBytes = 0): Version[] {
  return Array.from({ length: count }, (_, i) => ({
    key: rowKey(i),
    value: bytesOf(`value ${i}`.padEnd(valueBytes, ".")),
    sequence: i + 1,
  }));
}

/** `row 0007` */
export function rowKey(i: number): Bytes {
  return bytesOf(`row ${String(i).padStart(4, "0")}`);
}

/** Many versions of one key between two others: they fill several blocks. */
export function longHistory(versions: number, valueBytes: number): Version[] {
  const history = Array.from({ length: versions }, (_, i) => ({
    key: bytesOf("counter"),
    value: bytesOf(`value ${versions - i}`.padEnd(valueBytes, ".")),
    sequence: versions - i,
  }));
  const first = { key: bytesOf("a"), value: bytesOf("first"), sequence: 1 };
  const last = { key: bytesOf("z"), value: bytesOf("last"), sequence: 2 };
  return [first, ...history, last];
}
