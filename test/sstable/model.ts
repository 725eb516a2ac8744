/**
 * What a table must answer, the slow way: a sorted list of versions, searched from its beginning.
 *
 * Also makes such lists at random, with keys that are prefixes of each other, share long beginnings
 * and hold the bytes 0 and 255, since these are where comparisons go wrong.
 */
import { type Bytes, errorText, type Lookup } from "#base";
import { compareBytes } from "#bytes";
import type { Random } from "#platform";

/** One version. */
export interface Version {
  readonly key: Bytes;
  /** null: a deletion. */
  readonly value: Bytes | null;
  readonly sequence: number;
}

/** What a table did that no table may do. */
export class Violation extends Error {
  override readonly name = "Violation";
}

/** Runs a step that must succeed. @throws Violation with what went wrong as its cause. */
export function mustWork<T>(what: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof Violation) throw error;
    throw new Violation(`${what}: ${errorText(error)}`, { cause: error });
  }
}

/** Throws a Violation unless the condition holds. */
export function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Violation(what);
}

/** Lists to draw. */
export interface Shape {
  readonly keys: number;
  /** Most versions of one key. Default 1. */
  readonly versionsMax?: number;
  /** Most bytes of a value. Default 20. */
  readonly valueBytesMax?: number;
  /** Most bytes of a key. Default 8. */
  readonly keyBytesMax?: number;
}

/** Bytes that keys are made of: few, so that prefixes are shared, and both ends of the order. */
const LETTERS = [0, 1, 97, 98, 254, 255];
const DELETION_CHANCE = 0.15;

/** Draws versions in the order of a table. */
export function randomVersions(random: Random, shape: Shape): Version[] {
  const { keys, versionsMax = 1, valueBytesMax = 20, keyBytesMax = 8 } = shape;
  const found = new Map<string, Bytes>();
  const prefix = random.bytes(random.below(4));
  while (found.size < keys) {
    const tail = Array.from({ length: random.below(keyBytesMax + 1) }, () =>
      random.fraction() < 0.2 ? random.below(256) : LETTERS[random.below(LETTERS.length)]!,
    );
    const key = Uint8Array.from([...prefix, ...tail]);
    found.set(key.join(), key);
  }
  const sorted = [...found.values()].sort(compareBytes);
  return sorted.flatMap((key) => {
    let sequence = 1 + random.below(1000);
    const versions = Array.from({ length: 1 + random.below(versionsMax) }, (): Version => {
      sequence += 1 + random.below(random.fraction() < 0.05 ? 2 ** 32 : 50);
      const value = random.bytes(random.below(valueBytesMax + 1));
      return { key, value: random.fraction() < DELETION_CHANCE ? null : value, sequence };
    });
    return versions.reverse();
  });
}

/** Versions of numbered keys, one each: `key` of the number, and a value that names it. */
export function numbered(count: number, key: (i: number) => string = String): Version[] {
  return Array.from({ length: count }, (_, i) => ({
    key: bytesOf(key(i)),
    value: bytesOf(`value ${i}`),
    sequence: i + 1,
  })).sort((a, b) => compareBytes(a.key, b.key));
}

export function bytesOf(text: string): Bytes {
  return new TextEncoder().encode(text);
}

/** What a lookup must give. */
export function lookup(versions: readonly Version[], key: Bytes, at = Infinity): Lookup {
  for (const version of versions) {
    if (version.sequence > at || compareBytes(version.key, key) !== 0) continue;
    return version.value === null ? { kind: "deleted" } : { kind: "value", value: version.value };
  }
  return { kind: "absent" };
}

/** Where `seek` must go: the first version at or above the key. */
export function indexAtOrAbove(versions: readonly Version[], key: Bytes): number {
  const index = versions.findIndex((version) => compareBytes(version.key, key) >= 0);
  return index < 0 ? versions.length : index;
}

/** A key and its closest neighbours in the order of bytes, and some further off. */
export function around(key: Bytes): Bytes[] {
  const last = key.length - 1;
  const near = [key, Uint8Array.from([...key, 0]), Uint8Array.from([...key, 255])];
  if (last < 0) return near;
  near.push(key.slice(0, last));
  for (const step of [-1, 1]) {
    const other = key.slice();
    other[last]! += step;
    near.push(other);
  }
  return near;
}

/** As {@link shown}, of a value that must be there. */
export function shownValue(value: Bytes | null): string {
  return value === null ? "deleted" : shown({ kind: "value", value });
}

/** A lookup as text, to compare and to show. */
export function shown(result: Lookup): string {
  return result.kind === "value" ? `value ${[...result.value].join()}` : result.kind;
}
