/**
 * A reader who had only the pages passes every step of chapter 01. Method: run all checks on the
 * log that such a reader wrote, which is neither the reference nor the solution.
 */
import { expect, test } from "vitest";
import { renderFailure } from "#learn";
import { failuresOf } from "../support/four-way.ts";
import * as standIn from "./stand-in/index.ts";
import { chapter } from "./steps/index.ts";

test.each(chapter.steps.map(({ id }) => id))("a reader's log passes step %s", async (id) => {
  const failures = await failuresOf(chapter, id, standIn);
  expect(failures.map((failure) => renderFailure(failure))).toEqual([]);
});
