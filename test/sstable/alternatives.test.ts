/**
 * The steps of chapter 03 accept what a good reader might do otherwise. Method: change the
 * chapter's solution into another correct design, and run every check on it.
 */
import { expect, test } from "vitest";
import { renderFailure } from "#learn";
import { failuresOf } from "../support/four-way.ts";
import { type Patch, plantIn } from "../support/plant.ts";
import { chapter } from "./steps/index.ts";

type Patched = readonly [file: string, from: string, to: string];

const patches = (...list: readonly Patched[]): Patch[] =>
  list.map(([file, from, to]) => ({ file, from, to }));

const ROOM = "if (offsets.length > 0 && bytesWith(offsets.length + 1) + bytes > limitBytes)";

/** Other correct designs, by what is different. */
const DESIGNS: Readonly<Record<string, readonly Patch[]>> = {
  "keys share their beginnings, with a restart every sixteenth entry: the first bonus": patches(
    [
      "block-builder.ts",
      "createBlockBuilder(limitBytes: number): BlockBuilder {",
      "createBlockBuilder(limitBytes: number, interval = 1): BlockBuilder {\n  let count = 0;",
    ],
    [
      "block-builder.ts",
      "const numbers = [0, key.length, tag, sequence];",
      `const isRestart = count % interval === 0;
      let shared = 0;
      if (!isRestart) while (shared < key.length && last!.key[shared] === key[shared]) shared += 1;
      const numbers = [shared, key.length - shared, tag, sequence];`,
    ],
    ["block-builder.ts", "header + key.length +", "header + key.length - shared +"],
    ["block-builder.ts", ROOM, ROOM.replace("+ 1", "+ (isRestart ? 1 : 0)")],
    [
      "block-builder.ts",
      "      offsets.push(entries.length);",
      "      if (isRestart) offsets.push(entries.length);\n      count += 1;",
    ],
    ["block-builder.ts", "entries.raw(key);", "entries.raw(key.subarray(shared));"],
    ["block-builder.ts", "      return offsets.length;", "      return count;"],
    ["writer.ts", "#block = createBlockBuilder(0);", "#block = createBlockBuilder(0, 16);"],
    [
      "writer.ts",
      "this.#block = createBlockBuilder(this.#contentBytesMax);\n  }\n\n  get bytes",
      "this.#block = createBlockBuilder(this.#contentBytesMax, 16);\n  }\n\n  get bytes",
    ],
    [
      "writer.ts",
      "this.#block = createBlockBuilder(this.#contentBytesMax);\n  }\n\n  /** Writes",
      "this.#block = createBlockBuilder(this.#contentBytesMax, 16);\n  }\n\n  /** Writes",
    ],
  ),
  "the file is written in one piece, at the end": patches(
    ["output.ts", "  let bytes = 0;", "  let bytes = 0;\n  const parts: Bytes[] = [];"],
    ["output.ts", "      handle.write(bytes, part);", "      parts.push(part.slice());"],
    [
      "output.ts",
      "      handle.sync();",
      "      handle.write(0, new Uint8Array(Buffer.concat(parts)));\n      handle.sync();",
    ],
  ),
  "a lookup decodes its block and looks at every version": patches(
    [
      "block-seek.ts",
      "  const sought = { key, sequence: at };",
      `  for (const version of readBlock(block)) {
    if (compareVersions(version, { key, sequence: at }) >= 0) return version;
  }
  if (at >= 0) return null;
  const sought = { key, sequence: at };`,
    ],
    ["block-seek.ts", "import { readEntry,", "import { readBlock, readEntry,"],
  ),
};

test.each(Object.keys(DESIGNS))("another correct design passes: %s", async (design) => {
  const module = await plantIn<object>("chapters/03-sstable/solution", DESIGNS[design] ?? []);
  for (const { id } of chapter.steps) {
    const failures = await failuresOf(chapter, id, module);
    expect(failures.map((failure) => renderFailure(failure))).toEqual([]);
  }
});
