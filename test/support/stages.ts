/**
 * A reader who has come as far as a step passes every step up to it. Method: put the solution's
 * files of these steps over the starter, without what a later step adds, and run their checks.
 */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Chapter, renderFailure } from "#learn";
import { failuresOf } from "./four-way.ts";
import { inCopy, load, type Patch, patched, ROOT } from "./plant.ts";

/** How the solution of a chapter comes about, step by step. */
export interface Stages {
  /** By step: the files that are new or rewritten in it. */
  readonly files: Readonly<Record<string, readonly string[]>>;
  /** What a file is like until a later step changes it again. */
  readonly until: readonly (Patch & { readonly step: string })[];
}

/** What a function is like until its step. */
export const LATER = 'throw new Error("written later");';

/** One test for each step of a chapter. */
export function registerStages<Subject>(chapter: Chapter<Subject>, stages: Stages): void {
  const ids = Object.keys(stages.files);
  const upTo = (id: string): string[] => ids.slice(0, ids.indexOf(id) + 1);

  test("the list names every step", () => {
    expect(ids).toEqual(chapter.steps.map((step) => step.id));
  });

  test.each(ids)("after step %s all steps up to it pass", async (id) => {
    const module = await moduleAt(chapter.name, stages, upTo(id));
    for (const step of upTo(id)) {
      const failures = await failuresOf(chapter, step, module);
      expect(failures.map((failure) => renderFailure(failure))).toEqual([]);
    }
  });
}

/** The module of a reader who has done these steps. */
function moduleAt(
  name: string,
  { files, until }: Stages,
  done: readonly string[],
): Promise<object> {
  return inCopy(`stage-${name}`, (dir) => {
    cpSync(join(ROOT, "chapters", name, "starter"), dir, { recursive: true });
    for (const file of done.flatMap((step) => files[step] ?? [])) {
      const source = `chapters/${name}/solution/${file}`;
      const patches = until.filter((patch) => patch.file === file && !done.includes(patch.step));
      const text = readFileSync(join(ROOT, source), "utf8");
      const early = patches.reduce((all, patch) => patched(all, source, patch), text);
      writeFileSync(join(dir, file), early);
    }
    return load<object>(dir);
  });
}
