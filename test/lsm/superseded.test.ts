/**
 * The rule by which a compaction leaves out keys with timestamps. Method: lists of keys, judged in
 * order; random groups against the definition.
 */
import { describe, expect, test } from "vitest";
import { compareBytes } from "#bytes";
import type { KeySpan } from "#lsm";
import { createSupersededRule } from "#lsm";
import { forEachSeed } from "../support/seeds.ts";

const FIRST_BYTE = 2;

function key(group: string, timestamp: number): Uint8Array {
  const bytes = new Uint8Array(1 + group.length + 2 + 8);
  bytes[0] = FIRST_BYTE;
  bytes.set(new TextEncoder().encode(group), 1);
  bytes.set([0, 1], 1 + group.length);
  new DataView(bytes.buffer).setBigUint64(
    bytes.length - 8,
    BigInt(Number.MAX_SAFE_INTEGER - timestamp),
  );
  return bytes;
}

const value = Uint8Array.of(1, 7);
const deletion = Uint8Array.of(0);
const span = (from: Uint8Array, to: Uint8Array): KeySpan => ({ smallest: from, largest: to });

function judge(
  entries: readonly (readonly [group: string, timestamp: number, kind: "value" | "deletion"])[],
  horizon: number,
  outside: readonly KeySpan[] = [],
): string[] {
  const rule = createSupersededRule({ firstByte: FIRST_BYTE, horizon, outside });
  return entries
    .filter(([group, at, kind]) => !rule.mayGo(key(group, at), kind === "value" ? value : deletion))
    .map(([group, at]) => `${group}@${at}`);
}

describe("06.8 of each group", () => {
  test("the newest at or below the horizon stays, and all above it", () => {
    const entries = [9, 7, 5, 3, 1].map((at) => ["a", at, "value"] as const);
    expect(judge(entries, 5)).toEqual(["a@9", "a@7", "a@5"]);
    expect(judge(entries, 6)).toEqual(["a@9", "a@7", "a@5"]);
    expect(judge(entries, 4)).toEqual(["a@9", "a@7", "a@5", "a@3"]);
    expect(judge(entries, 100)).toEqual(["a@9"]);
    expect(judge(entries, 0)).toEqual(["a@9", "a@7", "a@5", "a@3", "a@1"]);
  });

  test("groups do not share a verdict, also when one begins like another", () => {
    const entries = [
      ["a", 5, "value"],
      ["a", 4, "value"],
      ["ab", 3, "value"],
      ["ab", 2, "value"],
      ["b", 1, "value"],
    ] as const;
    expect(judge(entries, 9)).toEqual(["a@5", "ab@3", "b@1"]);
  });

  test("a deletion at the horizon goes with all that is older", () => {
    const entries = [
      ["a", 5, "deletion"],
      ["a", 4, "value"],
      ["a", 3, "deletion"],
      ["b", 8, "deletion"],
      ["b", 2, "value"],
    ] as const;
    expect(judge(entries, 6)).toEqual(["b@8", "b@2"]);
  });

  test("a deletion stays while a table outside may hold an older version", () => {
    const entries = [
      ["b", 5, "deletion"],
      ["b", 4, "value"],
    ] as const;
    const kept = [
      [span(key("a", 1), key("c", 1)), "around"],
      [span(key("b", 3), key("b", 1)), "inside"],
      [span(key("a", 1), key("b", 2)), "ends in it"],
      [span(key("b", 2), key("z", 2)), "begins in it"],
    ] as const;
    for (const [outside, where] of kept) {
      expect(judge(entries, 9, [outside]), where).toEqual(["b@5"]);
    }
    for (const outside of [span(key("a", 9), key("a", 1)), span(key("ba", 9), key("c", 1))]) {
      expect(judge(entries, 9, [outside])).toEqual([]);
    }
  });
});

test("06.8 other keys are left alone, whatever their length", () => {
  const rule = createSupersededRule({ firstByte: FIRST_BYTE, horizon: 100, outside: [] });
  for (const bytes of [[], [1], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [2], [2, 0, 0, 0, 0, 0, 0, 0]]) {
    expect(rule.mayGo(Uint8Array.from(bytes), deletion), String(bytes)).toBe(false);
  }
});

test("06.8 of many tables outside, each keeps the deletions that it may need", () => {
  forEachSeed(200, (_, random) => {
    const names = Array.from({ length: 12 }, (_, i) => String.fromCharCode(97 + i));
    const outside = Array.from({ length: random.below(5) }, () => {
      const ends = [random.below(12), random.below(12)].sort((one, other) => one - other);
      return span(key(names[ends[0]!]!, 5 + random.below(9)), key(names[ends[1]!]!, 1));
    });
    const groups = names.filter(() => random.below(3) > 0);
    const deletions = groups.map((group) => [group, 4, "deletion"] as const);
    const needed = groups.filter((group) =>
      outside.some(
        ({ smallest, largest }) =>
          compareBytes(smallest, key(group, 0)) <= 0 && compareBytes(largest, key(group, 99)) >= 0,
      ),
    );
    expect(judge(deletions, 9, outside)).toEqual(needed.map((group) => `${group}@4`));
  });
});

test("06.8 every reader at or above the horizon finds what it found, in random groups", () => {
  forEachSeed(300, (_, random) => {
    const horizon = random.below(20);
    const entries: [string, number, "value" | "deletion"][] = [];
    for (const group of ["a", "ab", "b"]) {
      for (let at = 19; at >= 1; at -= 1) {
        if (random.below(3) > 0) continue;
        entries.push([group, at, random.below(3) === 0 ? "deletion" : "value"]);
      }
    }
    const kept = new Set(judge(entries, horizon));
    const find = (group: string, reader: number, isKept: boolean): string | undefined => {
      const found = entries.find(
        ([one, at]) => one === group && at <= reader && (!isKept || kept.has(`${one}@${at}`)),
      );
      return found === undefined || found[2] === "deletion" ? undefined : `${found[0]}@${found[1]}`;
    };
    for (const group of ["a", "ab", "b"]) {
      for (let reader = horizon; reader <= 20; reader += 1) {
        expect(find(group, reader, true)).toBe(find(group, reader, false));
      }
    }
    for (const text of kept) {
      const at = Number(text.split("@")[1]);
      const below = [...kept].filter((other) => other.startsWith(`${text.split("@")[0]}@`));
      if (at < horizon)
        expect(below.filter((o) => Number(o.split("@")[1]) <= horizon)).toEqual([text]);
    }
  });
});
