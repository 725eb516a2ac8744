/**
 * The planted mistakes: each is a change to a copy of the table's source.
 *
 * Production code has no switch for them. A patch names a text that must occur exactly once, so
 * that a change of the source shows here and not as a mistake that is no longer planted.
 */
import type { Patch } from "../../support/plant.ts";

/** The checks that can catch a mistake: see `checks` in mistakes.test.ts. */
export type CheckName =
  | "against the model"
  | "the filter's formula"
  | "every bit"
  | "misplaced blocks"
  | "a foreign block"
  | "lying lengths"
  | "power cuts"
  | "failing disk"
  | "remains of a crash"
  | "cache under pressure";

/** One mistake. */
export interface Mistake {
  readonly name: string;
  /** The rule that it breaks. */
  readonly rule: string;
  readonly caughtBy: CheckName;
  readonly patches: readonly Patch[];
}

const one = (
  rule: string,
  name: string,
  caughtBy: CheckName,
  ...patches: readonly (readonly [file: string, from: string, to: string])[]
): Mistake => ({
  rule,
  name,
  caughtBy,
  patches: patches.map(([file, from, to]) => ({ file, from, to })),
});

const SYNC = "    this.#handle.sync();\n";
const RENAME = "    this.#disk.rename(this.#path + TEMPORARY_SUFFIX, this.#path);\n";
const SYNC_DIR = "    this.#disk.syncDir(directoryOf(this.#path));\n";
const PATH_TO_REMOVE = 'this.#state === "named" ? this.#path : this.#path + TEMPORARY_SUFFIX';

export const mistakes: readonly Mistake[] = [
  /* ---- S1, S8: order and bounds ---- */
  one("S8", "a search of the restarts ignores the sequence", "against the model", [
    "data-block.ts",
    "  return entry.sequence > at;",
    "  return true;",
  ]),
  one("S8", "an entry that shares as much as is matched is skipped", "against the model", [
    "data-block.ts",
    "if (shared > matched) continue;",
    "if (shared >= matched && matched > 0) continue;",
  ]),
  one("S8", "a lookup ignores the sequence", "against the model", [
    "data-block.ts",
    "if (entry.sequence <= at) {",
    "if (at > 0) {",
  ]),
  one("S8", "a separator may be the first key of the next block", "against the model", [
    "separator.ts",
    "if (next.length > shared + 1)",
    "if (next.length >= shared + 1)",
  ]),
  one("S8", "the index loses the last byte of the last key", "against the model", [
    "writer.ts",
    "const last = this.#lastKey.subarray(0, this.#lastKeyBytes);",
    "const last = this.#lastKey.slice(0, this.#lastKeyBytes - (next === null ? 0 : 1));",
  ]),
  one("S8", "the largest key counts as outside", "against the model", [
    "block-search.ts",
    "compareBytes(key, this.#largest) > 0",
    "compareBytes(key, this.#largest) >= 0",
  ]),
  one("S8", "equal heads are taken for equal keys", "against the model", [
    "block-search.ts",
    "(other === head && this.#isBelow(middle, key))",
    "(other === head && this.#isBelow(middle, key) && middle < 0)",
  ]),
  one("S8", "a lookup stops where the versions of a key go on", "against the model", [
    "table.ts",
    "this.#blocks.continues[block] !== 1",
    "this.#blocks.continues[block] !== 2",
  ]),
  one("S8", "going back keeps too many bytes of the key", "against the model", [
    "cursor.ts",
    "const kept = this.#trailShared[this.#trailAt]!;",
    "const kept = this.#trailShared[this.#trailAt]! + 1;",
  ]),
  one("S8", "seekBefore stays where seek goes", "against the model", [
    "cursor.ts",
    "    this.#backFrom(this.#find(key));",
    "    this.#adopt(key, this.#find(key));",
  ]),
  one("S1", "keys are compared by their length", "against the model", [
    "writer.ts",
    "if (shared < key.length) return true;",
    "if (shared < key.length && key.length < 5) return true;",
  ]),
  /* ---- S3, S4: damage ---- */
  one("S3", "a checksum that does not know its offset", "misplaced blocks", [
    "trailer.ts",
    "return (seed + low + Math.imul(high, HIGH_FACTOR)) >>> 0;",
    "return (seed + 0 * low + Math.imul(high, HIGH_FACTOR)) >>> 0;",
  ]),
  one("S3", "a checksum that does not know its table", "a foreign block", [
    "trailer.ts",
    "  return crc32(bytes);",
    "  return 0 * bytes.length;",
  ]),
  one("S3", "blocks are not checked", "every bit", [
    "trailer.ts",
    'if (crc32(source.subarray(from, typeAt + 1), seed) !== stored) return "checksum mismatch";',
    "void stored;\n  void seed;",
  ]),
  one(
    "S3",
    "the checksum leaves the first byte out",
    "every bit",
    [
      "trailer.ts",
      "if (crc32(source.subarray(from, typeAt + 1), seed) !== stored)",
      "if (crc32(source.subarray(from + 1, typeAt + 1), seed) !== stored)",
    ],
    [
      "trailer.ts",
      "const checksum = crc32(target.subarray(from, typeAt + 1), block.seed);",
      "const checksum = crc32(target.subarray(from + 1, typeAt + 1), block.seed);",
    ],
  ),
  one("S3", "the table's number is not compared", "misplaced blocks", [
    "parts.ts",
    "if (footer.id !== id) {",
    "if (footer.id < 0) {",
  ]),
  one("S4", "the footer's lengths are believed", "lying lengths", [
    "footer.ts",
    "if (!isWhole) return",
    "if (!isWhole && fileBytes < 0) return",
  ]),
  /* ---- S5: publishing ---- */
  one("S5", "no sync of the content", "power cuts", ["writer.ts", SYNC, ""]),
  one(
    "S5",
    "the name before the content",
    "power cuts",
    ["writer.ts", SYNC, ""],
    [
      "writer.ts",
      `    this.#handle.close();\n${RENAME}`,
      `${RENAME}${SYNC}    this.#handle.close();\n`,
    ],
  ),
  one("S5", "no sync of the directory", "power cuts", ["writer.ts", SYNC_DIR, ""]),
  one("S5", "written under the final name", "power cuts", [
    "writer.ts",
    'TEMPORARY_SUFFIX = ".tmp"',
    'TEMPORARY_SUFFIX = ""',
  ]),
  one("S5", "the remains of a crash are not cut off", "remains of a crash", [
    "writer.ts",
    "    handle.truncate(0);\n",
    "",
  ]),
  one("S5", "giving up forgets that the name is there", "failing disk", [
    "writer.ts",
    PATH_TO_REMOVE,
    "this.#path + TEMPORARY_SUFFIX",
  ]),
  /* ---- S6: the filter ---- */
  one("S6", "the filter computes with signed numbers", "the filter's formula", [
    "bloom.ts",
    "return false;\n      hash = (hash + step) >>> 0;",
    "return false;\n      hash = (hash + step) | 0;",
  ]),
  one("S6", "the second hash may be zero", "the filter's formula", [
    "bloom.ts",
    "pair[at + 1] = b | 1;",
    "pair[at + 1] = 0;",
  ]),
  one("S6", "the last bytes of a key are not hashed", "the filter's formula", [
    "bloom.ts",
    "rest = (rest << 8) | key[i]!;",
    "rest = (rest << 8) | 1;",
  ]),
  one("S6", "the last key is not in the filter", "the filter's formula", [
    "bloom.ts",
    "for (let at = 0; at < this.#count * PAIR; at += PAIR) {",
    "for (let at = PAIR; at < this.#count * PAIR; at += PAIR) {",
  ]),
  /* ---- the cache ---- */
  one("S3", "an evicted block is not forgotten by its table", "cache under pressure", [
    "block-cache.ts",
    "    owner.slots[this.#ownerBlocks[slot]!] = ABSENT;\n",
    "",
  ]),
  one("S3", "a cursor stays in the cache's memory", "cache under pressure", [
    "read-ahead.ts",
    "this.#point(this.#own, 0, size);",
    "this.#point(bytes, from, size);",
  ]),
  one("S2", "a closed table keeps its slots", "cache under pressure", [
    "block-source.ts",
    "this.#cache?.release(this);",
    "void this.#cache;",
  ]),
  one(
    "S3",
    "large blocks are not counted",
    "cache under pressure",
    [
      "block-cache.ts",
      "this.#largeBytes + count > this.bytesMax) {",
      "0 * count > this.bytesMax) {",
    ],
    [
      "block-cache.ts",
      "return bytes <= this.bytesMax / LARGE_PART_MAX;",
      "return bytes <= this.bytesMax;",
    ],
  ),
];
