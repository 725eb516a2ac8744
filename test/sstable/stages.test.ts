/**
 * A reader who has come as far as a step passes every step up to it. Method: put the solution's
 * files of these steps over the starter, and run their checks; nothing of a later step is there.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { renderFailure } from "#learn";
import { failuresOf } from "../support/four-way.ts";
import { chapter } from "./steps/index.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CHAPTER = join(ROOT, "chapters/03-sstable");

/** The files that are new or rewritten in a step. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  "03.1": ["version.ts", "block-builder.ts", "block-reader.ts"],
  "03.2": ["block-seek.ts"],
  "03.3": ["sparse-index.ts", "writer.ts", "table.ts"],
  "03.4": ["bloom.ts"],
  "03.5": ["trailer.ts", "verify.ts", "table-file.ts"],
  "03.6": [],
  "03.7": ["output.ts"],
  "03.8": ["cursor.ts", "scan.ts"],
};

/** What a file is like until a later step changes it again. */
const UNTIL: readonly { step: string; file: string; from: string; to: string }[] = [
  {
    step: "03.4",
    file: "writer.ts",
    from: "buildFilter(this.#keys, this.#filterBitsPerKey)",
    to: "new Uint8Array(this.#filterBitsPerKey * 0)",
  },
  { step: "03.4", file: "table.ts", from: "part(footer.filter, openFilter)", to: "null" },
  { step: "03.6", file: "table-file.ts", from: "    checkPlaces(footer, file.bytes);\n", to: "" },
];

const ids = Object.keys(FILES);

/** The module of a reader who has done the steps up to this one. */
async function moduleAt(id: string): Promise<object> {
  mkdirSync(join(ROOT, "work"), { recursive: true });
  const dir = mkdtempSync(join(ROOT, "work", ".stage-sstable-"));
  try {
    cpSync(join(CHAPTER, "starter"), dir, { recursive: true });
    const done = ids.slice(0, ids.indexOf(id) + 1);
    for (const file of done.flatMap((step) => FILES[step] ?? [])) {
      const patches = UNTIL.filter((patch) => patch.file === file && !done.includes(patch.step));
      const text = readFileSync(join(CHAPTER, "solution", file), "utf8");
      const patched = patches.reduce((all, { from, to }) => all.replace(from, to), text);
      expect(
        patches.every(({ from }) => text.includes(from)),
        file,
      ).toBe(true);
      writeFileSync(join(dir, file), patched);
    }
    return (await import(/* @vite-ignore */ join(dir, "index.ts"))) as object;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

test("the list names every step, and leaves only given files out", () => {
  expect(ids).toEqual(chapter.steps.map(({ id }) => id));
});

test.each(ids)("after step %s all steps up to it pass", async (id) => {
  const module = await moduleAt(id);
  for (const step of ids.slice(0, ids.indexOf(id) + 1)) {
    const failures = await failuresOf(chapter, step, module);
    expect(failures.map((failure) => renderFailure(failure))).toEqual([]);
  }
});
