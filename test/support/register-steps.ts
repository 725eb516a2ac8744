/**
 * Makes tests of a chapter's steps: one for each check on the loaded module, named by its step; and
 * the four ways in which the workbook tests itself.
 */
import { describe, expect, test } from "vitest";
import { type Chapter, failureError, renderFailure, runCheck } from "#learn";
import {
  complaint,
  type FourWay,
  failuresOf,
  loadSolution,
  loadStarter,
  tryMistake,
} from "./four-way.ts";

/** The seed of CAIRN_SEED, or 1. */
const seed = Number(process.env["CAIRN_SEED"] ?? 1);

/** One test for each check of a chapter: `01.4 a torn tail is cut off`. */
export function registerSteps<Subject>(chapter: Chapter<Subject>, module: object): void {
  for (const step of chapter.steps) {
    for (const check of step.checks) {
      test(`${step.id} ${check.name}`, async () => {
        const at = { step: step.id, check, seed };
        const failure = await runCheck(chapter, at, chapter.subjectOf(module));
        if (failure !== null) throw failureError(failure);
      });
    }
  }
}

/**
 * The four ways of one chapter. All failures that a planted mistake brings up are compared with the
 * texts in `failuresPath`.
 */
export function registerFourWay<Subject>(way: FourWay<Subject>, failuresPath: string): void {
  const { chapter, mistakes } = way;

  describe("the starter fails, with the step's own message", () => {
    test.each(chapter.steps.map(({ id }) => id))("%s", async (id) => {
      const failures = await failuresOf(chapter, id, await loadStarter(chapter));
      expect(failures, "nothing is left to do").not.toEqual([]);
      const strange = failures.filter(
        ({ isWaiting, lesson }) => !isWaiting && lesson.happened.startsWith("Your code threw"),
      );
      expect(strange.map((failure) => renderFailure(failure))).toEqual([]);
    });
  });

  describe("the reference passes", () => {
    registerSteps(chapter, way.reference);
  });

  describe("another correct design passes: the solution", () => {
    test.each(chapter.steps.map(({ id }) => id))("%s", async (id) => {
      const failures = await failuresOf(chapter, id, await loadSolution(chapter));
      expect(failures.map((failure) => renderFailure(failure))).toEqual([]);
    });
  });

  describe("each planted mistake is caught by its check", () => {
    const texts = new Map<string, string>();
    for (const mistake of mistakes) {
      test(`${mistake.step} ${mistake.name}`, async () => {
        const caught = await tryMistake(way, mistake);
        expect(complaint(caught)).toBeNull();
        if (caught.failure !== null) texts.set(mistake.name, renderFailure(caught.failure));
      });
    }

    test("the failures read as they did", async () => {
      const all = mistakes.map(({ step, name }) => {
        return `# ${step}: ${name}\n\n${texts.get(name) ?? "(not caught)"}\n`;
      });
      await expect(all.join("\n")).toMatchFileSnapshot(failuresPath);
    });
  });

  test("every step has a mistake that its checks catch", () => {
    const without = chapter.steps.filter(({ id }) => mistakes.every(({ step }) => step !== id));
    expect(without.map(({ id }) => id)).toEqual([]);
  });
}
