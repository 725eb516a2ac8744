/**
 * Code that does what no check expects: it loops for ever, ends the process, cannot be read.
 * Method: the first step of the book with such code in it, and what the reader is told.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyForReader, type Ran, type ReaderCopy } from "../support/reader-copy.ts";

let copy: ReaderCopy;

beforeAll(() => {
  copy = copyForReader();
  copy.cairn(["start"]);
});

afterAll(() => copy.remove());

/** Runs step 00.1 on a file `first.ts` with this text. */
function runWith(text: string, environment: Readonly<Record<string, string>> = {}): Ran {
  copy.write("work/bytes/first.ts", text);
  const ran = copy.cairn(["test", "00.1"], environment);
  expect(ran.code).toBe(1);
  expect(ran.err).toBe("");
  return ran;
}

const saveNote = (body: string): string => `export function saveNote(): unknown {\n  ${body}\n}\n`;

describe("code that does not come back", () => {
  test("is stopped, and told apart from code that is wrong", () => {
    const { out } = runWith(saveNote("for (;;) {}"), { CAIRN_LIMIT_SECONDS: "2" });
    expect(out).toContain("had not come back from this check after 2 seconds");
    expect(out).toContain("✗ 00.1  a note that was saved can be read");
    // The checks behind it did not fail: they never ran.
    expect(out).toContain("  · not run: a note survives the power cut that follows saveNote\n");
    expect(out).toContain("1 of 2 checks failed, 1 did not run");
    const chapter = copy.cairn(["test", "00"], { CAIRN_LIMIT_SECONDS: "2" });
    expect(chapter.out).toContain("✗ 00.1  Your first red: 1 of 2 checks failed, 1 did not run");
    expect(chapter.out).toContain("· 00.2  Numbers of fixed width: not tried");
  });

  test("is noticed at once when it ends the process", () => {
    const { out } = runWith(saveNote("process.exit(3);"));
    expect(out).toContain("The process ended in the middle of this check, with exit code 3");
  });

  test("is told where an error came from that nobody could catch", () => {
    const { out } = runWith(saveNote('\n  Promise.reject(new Error("late"));\n  return 0;'));
    expect(out).toContain("An error escaped that nobody could catch: Error: late");
    expect(out).toContain("work/bytes/first.ts:3");
    expect(out).toContain("✗ 00.1  a note that was saved can be read");
  });
});

describe("code that cannot be loaded", () => {
  test("by its syntax: file and line", () => {
    const { out } = runWith("export function saveNote(: void {\n}\n");
    expect(out).toContain("✗ Your module cannot be loaded");
    expect(out).toContain("TypeScript cannot read your code here");
    expect(out).toContain("work/bytes/first.ts:1");
    expect(out).toContain("00.1 could not run");
  });

  test("by a name that is not exported", () => {
    const { out } = runWith(`import { nothing } from "./ints.ts";\n${saveNote("nothing();")}`);
    expect(out).toContain('imports "nothing" from ./ints.ts');
    expect(out).toContain("work/bytes/first.ts:1");
  });

  test("by a file that is not there", () => {
    const { out } = runWith(`import "./lost.ts";\n${saveNote("")}`);
    expect(out).toContain("An import leads nowhere");
    expect(out).toContain("lost.ts");
  });

  test("by what it does while it is loaded", () => {
    const { out } = runWith(`throw new RangeError("too early");\n${saveNote("")}`);
    expect(out).toContain("Loading your module threw RangeError: too early");
    expect(out).toContain("work/bytes/first.ts:1");
  });
});

describe("code that is merely unusual", () => {
  test("may print, and sees it below the verdict", () => {
    const { out } = runWith(saveNote('console.log("I am here"); return 0;'));
    expect(out).toContain("Your code printed:\n  | I am here");
  });

  test("is told the place where its own error was thrown", () => {
    const { out } = runWith(saveNote('\n  throw new Error("mine");'));
    expect(out).toMatch(/threw.*mine/);
    expect(out).toContain("work/bytes/first.ts:3");
  });

  test("may lack a part: that is a part that is not written", () => {
    copy.write(
      "work/bytes/index.ts",
      copy.read("work/bytes/index.ts").replace(/export \{ saveNote \}.*\n/, ""),
    );
    const { out } = runWith(saveNote(""));
    expect(out).toContain("saveNote is not written yet: step 00.1 is waiting for you");
  });
});
