/**
 * A reader's way through the runner. Method: a copy of the repository, the real program as a
 * process, and what it prints, compared word for word in its plain form.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyForReader, type Ran, type ReaderCopy } from "../support/reader-copy.ts";

const PLAIN = "--plain";

let copy: ReaderCopy;
let before: readonly [bare: Ran, status: Ran];
let started: Ran;

beforeAll(() => {
  copy = copyForReader();
  before = [copy.cairn([]), plain("status")];
  started = plain("start");
});

afterAll(() => copy.remove());

/** Runs in plain mode, which has ASCII characters only. */
function plain(...args: readonly string[]): Ran {
  const ran = copy.cairn([...args, PLAIN]);
  expect(`${ran.out}${ran.err}`).toMatch(/^[\n -~]*$/);
  return ran;
}

/** The tree of the first chapter, whatever else the book has by now. */
function firstChapter(status: string): string {
  return status
    .replace(/^\d\d {2}(?!Bytes).*\n/gm, "")
    .replace(/of \d+ steps passed/, "of N steps passed");
}

function snapshot(name: string): string {
  return `texts/${name}.txt`;
}

describe("a reader who follows the first chapter", () => {
  test("is told how to begin, and begins with green before red", async () => {
    const [bare, status] = before;
    expect(bare.out).toContain("npx cairn start");
    await expect(firstChapter(status.out)).toMatchFileSnapshot(snapshot("status-before"));
    expect(started.code).toBe(0);
    // How many checks the chapter has is not what this is about.
    const out = started.out.replace(/\d+ checks pass/, "N checks pass");
    await expect(out).toMatchFileSnapshot(snapshot("start"));
  });

  test("is red at first, with exit code 1", async () => {
    const red = plain("test", "00.2");
    expect(red.code).toBe(1);
    await expect(red.out).toMatchFileSnapshot(snapshot("waiting"));
  });

  test("gets one hint after the other", async () => {
    const texts = [1, 2, 3].map(() => plain("hint", "00.2").out);
    await expect(texts.join("\n======\n\n")).toMatchFileSnapshot(snapshot("hints"));
    expect(plain("hint", "00.2", "--level", "1").out).toBe(texts[0]);
    expect(plain("hint", "00.3", "--level", "3")).toMatchObject({ code: 2 });
  });

  test("does not see a solution by accident", () => {
    expect(plain("solution", "00.2")).toMatchObject({ code: 1 });
    expect(plain("solution", "00.2", "--give-up", "00.3")).toMatchObject({ code: 1 });
    expect(plain("diff", "00.2")).toMatchObject({ code: 1 });
  });

  test("is taught by a failure, in short and in full", async () => {
    const ints = copy.read("chapters/00-bytes/solution/ints.ts");
    copy.write(
      "work/bytes/ints.ts",
      ints.replace("setUint32(offset, value, true)", "setUint32(offset, value)"),
    );
    const red = plain("test", "00.2");
    expect(red.code).toBe(1);
    await expect(red.out).toMatchFileSnapshot(snapshot("red"));
    await expect(plain("explain").out).toMatchFileSnapshot(snapshot("explain"));
  });

  test("passes, and is shown the way on", async () => {
    copy.copy("chapters/00-bytes/solution/ints.ts", "work/bytes/ints.ts");
    const green = plain("test", "00.2");
    expect(green.code).toBe(0);
    await expect(green.out).toMatchFileSnapshot(snapshot("green"));
    expect(plain("solution", "00.2")).toMatchObject({ code: 0 });
    expect(plain("diff", "00.2").out).toContain("no difference");
    expect(plain("explain").out).toContain("Nothing has failed");
  });

  test("sees what breaks again", () => {
    copy.copy("chapters/00-bytes/solution/first.ts", "work/bytes/first.ts");
    expect(plain("test", "00.1").code).toBe(0);
    copy.copy("chapters/00-bytes/starter/first.ts", "work/bytes/first.ts");
    const broken = plain("test", "00.2");
    expect(broken.code).toBe(1);
    expect(broken.out).toContain("00.1 is red again");
  });

  test("sees all of it in one tree", async () => {
    await expect(firstChapter(plain("status").out)).toMatchFileSnapshot(snapshot("status"));
    await expect(plain("test", "00").out).toMatchFileSnapshot(snapshot("chapter"));
  });

  test("answers questions, and then reads why", async () => {
    const shown = plain("quiz", "00");
    expect(shown.out).not.toContain("is right");
    const answered = plain("quiz", "00", "--answer", "q1=a", "q2=b");
    await expect(answered.out).toMatchFileSnapshot(snapshot("quiz"));
    expect(plain("quiz", "00", "--answer", "q1=z")).toMatchObject({ code: 2 });
  });
});

describe("the reader's files", () => {
  test("are never copied over", () => {
    copy.write("work/bytes/mine.ts", "export const mine = 1;\n");
    const ints = copy.read("work/bytes/ints.ts");
    const again = plain("start");
    expect(again.out).toContain("nothing was copied over it");
    expect(copy.read("work/bytes/ints.ts")).toBe(ints);
  });

  test("are put aside by a reset, and come back", () => {
    const ints = copy.read("work/bytes/ints.ts");
    const reset = plain("reset", "00.2");
    expect(copy.read("work/bytes/ints.ts")).toBe(copy.read("chapters/00-bytes/starter/ints.ts"));
    const undo = /npx cairn reset --undo (\S+)/.exec(reset.out)?.[1] ?? "";
    expect(plain("reset", "--undo", undo).code).toBe(0);
    expect(copy.read("work/bytes/ints.ts")).toBe(ints);
    expect(copy.read("work/bytes/mine.ts")).toContain("mine");
    expect(plain("reset", "--undo", "77-bytes")).toMatchObject({ code: 2 });
  });

  test("type-check with the configuration that start writes", () => {
    const { out, code } = copy.node(["node_modules/typescript/bin/tsc", "-p", "work"]);
    expect(out).toBe("");
    expect(code).toBe(0);
  });

  test("survive a damaged progress, which is put aside", () => {
    copy.write("work/.cairn/progress.json", '{"version":1,"steps":');
    const damaged = plain("status");
    expect(damaged.code).toBe(2);
    expect(damaged.err).toContain("status --repair");
    expect(plain("status", "--repair").out).toContain("progress.damaged-1.json");
    expect(copy.read("work/.cairn/progress.damaged-1.json")).toContain('"steps":');
    expect(plain("status").code).toBe(0);
    plain("test", "--all");
    expect(plain("status").out).toContain("+ 00.2");
  });
});

describe("the crash lab", () => {
  const path = "work/bytes/replace-file.ts";

  test("waits for a step that is not written, names it, and calls nothing broken", async () => {
    copy.copy("chapters/00-bytes/starter/replace-file.ts", path);
    const waiting = plain("crash", "00");
    expect(waiting.code).toBe(1);
    await expect(waiting.out).toMatchFileSnapshot(snapshot("crash-waiting"));
  });

  test("tells a history that fails by itself from a broken promise", () => {
    const stub = copy.read("chapters/00-bytes/starter/replace-file.ts");
    copy.write(path, stub.replace(/notWritten\([^)]*\);/, 'throw new Error("not today");'));
    const { code, out } = plain("crash", "00");
    expect(code).toBe(1);
    expect(out).toContain("not today");
    expect(out).toContain("Again           npx cairn crash 00\n");
    expect(out).toContain("The lab ended before any power cut: no promise was tried.");
    expect(out).not.toContain("A promise was broken");
  });

  test("keeps the columns of an experiment", () => {
    const { out } = plain("crash", "00", "--experiment", "unsynced");
    expect(out).toMatch(/^history {10,}old/m);
  });
});

describe("modules", () => {
  test("are the reader's where they are used only if the reader says so", () => {
    expect(plain("use").out).toMatch(/bytes +reference/);
    expect(plain("use", "bytes=mine").out).toMatch(/bytes +mine/);
    expect(plain("use", "wal=mine")).toMatchObject({ code: 2 });
    expect(plain("use", "bytes=yours")).toMatchObject({ code: 2 });
    expect(plain("use", "all=reference").out).toMatch(/bytes +reference/);
  });

  test("of earlier chapters can be put on the reference for a room", () => {
    plain("use", "bytes=mine");
    expect(plain("teach", "catch-up", "01.2").out).toContain("You are at 01.2");
    expect(plain("use").out).toMatch(/bytes +reference/);
  });
});

describe("an empty door", () => {
  test("is judged, and an experiment waits for what it needs", () => {
    expect(plain("start", "wal", "--bare").code).toBe(0);
    expect(plain("test", "01.1").out).toContain("waiting for you");
    const { code, out } = plain("crash", "01", "--experiment", "kill9");
    expect(code).toBe(1);
    expect(out).toContain("The experiment waits for a step: 01.2");
  });
});

describe("a door that is gone", () => {
  test("is named, and comes back without touching the other files", () => {
    const path = "work/wal/index.ts";
    copy.copy("chapters/01-wal/solution/frame.ts", "work/wal/frame.ts");
    copy.copy(path, "work/wal/door.ts");
    copy.node(["-e", `fs.unlinkSync("${path}")`]);
    const { code, err } = plain("test", "01.1");
    expect(code).toBe(2);
    expect(err).toContain("work/wal/index.ts is missing");
    const frame = copy.read("work/wal/frame.ts");
    expect(plain("start", "wal").code).toBe(0);
    expect(copy.read("work/wal/frame.ts")).toBe(frame);
  });
});

describe("wrong usage", () => {
  test.each([
    [["nonsense"]],
    [["test", "77.1"]],
    [["test", "00.77"]],
    [["test", "--seed", "x"]],
    [["crash"]],
    [["hint", "zero"]],
    [["reset"]],
  ])("%s ends with exit code 2 and says what there is", (args) => {
    const { code, err } = copy.cairn(args);
    expect(code).toBe(2);
    expect(err).not.toBe("");
    expect(err).not.toContain("    at ");
  });

  test("help and version are no errors", () => {
    expect(copy.cairn(["--help"]).code).toBe(0);
    expect(copy.cairn(["test", "--help"]).out).toContain("0 passed, 1 red, 2 wrong usage");
    expect(copy.cairn(["--version"]).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
