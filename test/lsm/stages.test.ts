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
const CHAPTER = join(ROOT, "chapters/04-lsm");

/** The files that are new or rewritten in a step. */
const FILES: Readonly<Record<string, readonly string[]>> = {
  "04.1": ["merge.ts"],
  "04.2": ["read.ts"],
  "04.3": ["flush.ts"],
  "04.4": ["manifest.ts"],
  "04.5": ["recover.ts", "store.ts"],
  "04.6": ["compaction.ts", "tables.ts"],
  "04.7": ["keep-rule.ts"],
  "04.8": ["leveled-picker.ts", "tiered-picker.ts"],
  "04.9": ["pressure.ts"],
};

/** What a function is like until its step. */
const LATER = 'throw new Error("written later");';

/** What a file is like until a later step changes it again. */
const UNTIL: readonly { step: string; file: string; from: string; to: string }[] = [
  {
    step: "04.6",
    file: "store.ts",
    from: "    this.#release = this.#tables.hold(this.#version);\n  }\n\n  put(",
    to: "    this.#release = () => {};\n  }\n\n  put(",
  },
  {
    step: "04.6",
    file: "store.ts",
    from: "const release = this.#tables.hold(view.version);",
    to: "const release = (): void => {};",
  },
  { step: "04.6", file: "store.ts", from: "checkPlan(this.#version, plan);", to: LATER },
  {
    step: "04.6",
    file: "store.ts",
    from: "    this.#release = this.#tables.hold(this.#version);\n    release();",
    to: "    this.#release = release;",
  },
  {
    step: "04.7",
    file: "compaction.ts",
    from: "createKeepRule(job.snapshots, job.older);",
    to: "{ survivors: (_key: Bytes, all: readonly KeyVersion[]) => all };",
  },
  {
    step: "04.9",
    file: "store.ts",
    from: "readonly #stalls = createStallMeter();",
    to: "readonly #stalls = { stops: 0, stopMs: (_now: Ms) => 0 };",
  },
  { step: "04.9", file: "store.ts", from: "    this.#holdBack();\n", to: "" },
  { step: "04.9", file: "store.ts", from: "this.#stalls.stopped(this.#now);", to: "" },
  { step: "04.9", file: "store.ts", from: "reason: this.#pressure(),", to: "reason: null," },
  {
    step: "04.9",
    file: "store.ts",
    from: "    if (this.#pressure() === null) this.#stalls.released(this.#now);\n",
    to: "",
  },
];

const ids = Object.keys(FILES);

/** The module of a reader who has done the steps up to this one. */
async function moduleAt(id: string): Promise<object> {
  mkdirSync(join(ROOT, "work"), { recursive: true });
  const dir = mkdtempSync(join(ROOT, "work", ".stage-lsm-"));
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
