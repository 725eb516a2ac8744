/**
 * The watch mode. Method: the real mode in this process with keys of ours, on a copy of the
 * repository; the code is judged in real child processes.
 */
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

test("without a terminal it says what to do instead", async () => {
  const request = { keys: null, control: () => {} };
  expect(await runLearn(runner(), { name: "watch", request })).toBe(0);
  expect(text).toContain("npx cairn test 00.");
});
