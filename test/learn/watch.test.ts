/**
 * The watch mode. Method: the real mode in this process with keys of ours, on a copy of the
 * repository; the code is judged in real child processes.
 */
import { existsSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { createOutput, createStyle, type Keys, openBook, type Runner, runLearn } from "#learn";
import { copyForReader, type ReaderCopy } from "../support/reader-copy.ts";

const WAIT = { timeout: 15_000, interval: 50 };

let copy: ReaderCopy;
let text = "";

beforeAll(() => {
  copy = copyForReader();
  copy.cairn(["start"]);
});

beforeEach(() => {
  text = "";
});

afterAll(() => copy.remove());

/** A keyboard on which the test presses keys. */
function keyboard(): Keys & { press(key: string): void; readonly isGivenBack: boolean } {
  let take: (key: string) => void = () => {};
  let isGivenBack = false;
  return {
    onKey: (f) => {
      take = f;
    },
    end: () => {
      isGivenBack = true;
    },
    press: (key) => take(key),
    get isGivenBack() {
      return isGivenBack;
    },
  };
}

function runner(): Runner {
  const style = createStyle({ isPlain: true, isTerminal: true, environment: {} });
  const stream = { write: (part: string) => (text += part) };
  return {
    book: openBook(copy.root),
    out: createOutput(stream, style),
    now: () => 0,
    ask: null,
  };
}

/** Waits for a text, and forgets all that was printed until then. */
async function until(part: string): Promise<void> {
  await vi.waitFor(() => expect(text).toContain(part), WAIT);
  await vi.waitFor(() => expect(text).toContain("q quit"), WAIT);
  text = "";
}

test("a save is judged, and each key does what it says", async () => {
  const keys = keyboard();
  const control = (): void => {};
  const done = runLearn(runner(), { name: "watch", request: { keys, control } });
  await until("1 of 2 checks failed");
  copy.copy("chapters/00-bytes/solution/first.ts", "work/bytes/first.ts");
  await until("00.1 passed: 2 checks");
  keys.press("n");
  await until("8 of 8 checks wait for your code");
  keys.press("h");
  await until("00.2  Numbers of fixed width: hint 1 of 3");
  keys.press("e");
  await until("How it was checked");
  keys.press("l");
  await until("you are here");
  keys.press("b");
  await until("npx cairn bench 00.");
  keys.press("n");
  await vi.waitFor(() => expect(text).toContain("Press n once more"), WAIT);
  keys.press("n");
  await until("00.3  The order of bytes");
  copy.copy("chapters/00-bytes/solution/compare.ts", "work/bytes/compare.ts");
  await until("00.3 passed");
  keys.press("x");
  await vi.waitFor(() => expect(text).toContain("Press x once more"), WAIT);
  keys.press("x");
  await until("npx cairn reset --undo");
  keys.press("t");
  await until("wait for your code");
  keys.press("q");
  expect(await done).toBe(0);
  expect(keys.isGivenBack).toBe(true);
});

test("the end of a chapter is told, and the next one begins only when asked twice", async () => {
  copy.copy("chapters/00-bytes/solution", "work/bytes");
  expect(copy.cairn(["test", "00"]).code).toBe(0);
  const keys = keyboard();
  const done = runLearn(runner(), { name: "watch", request: { keys, control: () => {} } });
  await until("Chapter 00 is complete. Next: npx cairn start 01");
  keys.press("l");
  await vi.waitFor(() => expect(text).toContain("Chapter 00 is complete."), WAIT);
  expect(text).not.toContain("you are here");
  text = "";
  keys.press("n");
  await vi.waitFor(() => expect(text).toContain("it makes work/wal"), WAIT);
  keys.press("h");
  keys.press("n");
  await vi.waitFor(() => expect(text.match(/Press n once more/g)).toHaveLength(2), WAIT);
  expect(existsSync(`${copy.root}/work/wal`)).toBe(false);
  text = "";
  keys.press("n");
  await until("step 01.1 is yours to do");
  expect(existsSync(`${copy.root}/work/wal/index.ts`)).toBe(true);
  keys.press("q");
  expect(await done).toBe(0);
  const again = copy.cairn(["start", "00"]);
  expect(again).toMatchObject({ code: 0, err: "" });
  expect(again.out).toContain("Chapter 00 is complete: Bytes, disks and lies.");
  expect(again.out).not.toContain("You are at step");
  expect(copy.cairn(["status"]).out).toMatch(/01\.1 .*you are here/);
});

test("without a terminal it says what to do instead", async () => {
  const request = { keys: null, control: () => {} };
  expect(await runLearn(runner(), { name: "watch", request })).toBe(0);
  expect(text).toContain("npx cairn test 01.1");
});
