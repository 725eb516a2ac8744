/**
 * A reader who has come as far as a step passes every step up to it. Method: put the solution's
 * files of these steps over the starter, without what a later step adds, and run their checks.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { renderFailure } from "#learn";
import { failuresOf } from "../support/four-way.ts";
import { chapter } from "./steps/index.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CHAPTER = join(ROOT, "chapters/02-memtable");

/** The files that are new or rewritten in a step. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  "02.1": ["versions.ts", "sorted-array.ts", "table.ts"],
  "02.2": ["skip-list.ts"],
  "02.3": ["heights.ts"],
  "02.4": ["cursor.ts"],
  "02.5": [],
  "02.6": ["durable-map.ts"],
};

/** What a method is like until its step. */
const LATER = 'throw new Error("written later");';

/** What a file is like until a later step changes it again. */
const UNTIL: readonly { step: string; file: string; from: string; to: string }[] = [
  { step: "02.4", file: "table.ts", from: "return createCursor(this.#order);", to: LATER },
  {
    step: "02.4",
    file: "sorted-array.ts",
    from: "return this.#entries[this.#placeOf(entry.key) + 1];",
    to: LATER,
  },
  { step: "02.4", file: "skip-list.ts", from: "return (entry as Tower).next[0];", to: LATER },
  { step: "02.5", file: "table.ts", from: "return this.#bytes;", to: LATER },
  { step: "02.5", file: "table.ts", from: "this.#isFrozen = true;", to: LATER },
  {
    step: "02.5",
    file: "table.ts",
    from: "const older = versionAt(before, newestReader);",
    to: "const older = newestReader < 0 ? null : before;",
  },
  { step: "02.5", file: "table.ts", from: "this.entries += sign;", to: "void sign;" },
];

const ids = Object.keys(FILES);

/** The module of a reader who has done the steps up to this one. */
async function moduleAt(id: string): Promise<object> {
  mkdirSync(join(ROOT, "work"), { recursive: true });
  const dir = mkdtempSync(join(ROOT, "work", ".stage-memtable-"));
  try {
    cpSync(join(CHAPTER, "starter"), dir, { recursive: true });
    const done = ids.slice(0, ids.indexOf(id) + 1);
    for (const file of done.flatMap((step) => FILES[step] ?? [])) {
      const patches = UNTIL.filter((patch) => patch.file === file && !done.includes(patch.step));
      const text = readFileSync(join(CHAPTER, "solution", file), "utf8");
      const lost = patches.filter(({ from }) => text.split(from).length !== 2);
      expect(lost, file).toEqual([]);
      const patched = patches.reduce((all, { from, to }) => all.replace(from, to), text);
      writeFileSync(join(dir, file), patched);
    }
    return (await import(/* @vite-ignore */ join(dir, "index.ts"))) as object;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

test("the list names every step", () => {
  expect(ids).toEqual(chapter.steps.map(({ id }) => id));
});

test.each(ids)("after step %s all steps up to it pass", async (id) => {
  const module = await moduleAt(id);
  for (const step of ids.slice(0, ids.indexOf(id) + 1)) {
    const failures = await failuresOf(chapter, step, module);
    expect(failures.map((failure) => renderFailure(failure))).toEqual([]);
  }
});
