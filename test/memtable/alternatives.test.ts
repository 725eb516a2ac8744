/**
 * The steps of chapter 02 accept what a good reader might do otherwise. Method: change the
 * chapter's solution into another correct design, and run every check on it.
 */
import { expect, test } from "vitest";
import { renderFailure } from "#learn";
import { failuresOf } from "../support/four-way.ts";
import { type Patch, plantIn } from "../support/plant.ts";
import { chapter } from "./steps/index.ts";

const patch = (file: string, from: string, to: string): Patch => ({ file, from, to });

/** Other correct designs, by what is different. */
const DESIGNS: Readonly<Record<string, readonly Patch[]>> = {
  "one draw for all levels, by its logarithm": [
    patch(
      "heights.ts",
      "  let height = 1;\n  while (height < SKIP_LEVELS_MAX && random() < SKIP_CHANCE) height += 1;\n  return height;",
      "  const levels = Math.floor(Math.log(random()) / Math.log(SKIP_CHANCE));\n  return 1 + Math.min(SKIP_LEVELS_MAX - 1, levels);",
    ),
  ],
  "towers of chance 1/2 and twenty levels": [
    patch("heights.ts", "SKIP_CHANCE: number = 1 / 4", "SKIP_CHANCE: number = 1 / 2"),
    patch("heights.ts", "SKIP_LEVELS_MAX = 12", "SKIP_LEVELS_MAX = 20"),
  ],
  "append and sync in place of commit": [
    patch(
      "durable-map.ts",
      "await this.#wal.commit(payload);",
      "this.#wal.append(payload);\n    this.#wal.sync();",
    ),
  ],
  "the map keeps every version and skips the older ones itself": [
    patch("durable-map.ts", "NO_READER: Sequence = 0", "NO_READER: Sequence = 2 ** 53 - 1"),
    patch(
      "durable-map.ts",
      `    for (const { key, value } of this.#state.table.scan(range)) {
      if (value !== null)`,
      `    let last = null;
    for (const { key, value } of this.#state.table.scan(range)) {
      const isOlder = last !== null && Buffer.compare(last, key) === 0;
      last = key.slice();
      if (!isOlder && value !== null)`,
    ),
  ],
  "a scan that copies the whole table when it is called": [
    patch(
      "table.ts",
      "return this.#scan(copyBytes(from ?? new Uint8Array(0)), before && copyBytes(before));",
      "return [...this.#scan(copyBytes(from ?? new Uint8Array(0)), before)].values();",
    ),
  ],
  "sizes that never shrink, as in an arena": [
    patch(
      "table.ts",
      "    this.#bytes += sign * (VERSION",
      "    if (sign > 0 && this.entries < 2000) this.#bytes += 0 * (VERSION",
    ),
    patch(
      "table.ts",
      "key.length + KEY_OVERHEAD_BYTES;",
      "key.length + (value?.length ?? 0) + KEY_OVERHEAD_BYTES;",
    ),
  ],
};

test.each(Object.entries(DESIGNS))("%s", async (_, patches) => {
  const module = await plantIn<object>("chapters/02-memtable/solution", patches);
  for (const { id } of chapter.steps) {
    const failures = await failuresOf(chapter, id, module);
    expect(failures.map((failure) => renderFailure(failure))).toEqual([]);
  }
});
