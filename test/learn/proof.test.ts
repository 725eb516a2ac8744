/**
 * What the runner proves, and to whom: certificates, the table of the four ways, agendas. Method: a
 * copy of the repository, the real program.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { copyForReader, type ReaderCopy } from "../support/reader-copy.ts";

let copy: ReaderCopy;

beforeAll(() => {
  copy = copyForReader();
  copy.cairn(["start", "--git", "00"]);
  copy.copy("chapters/00-bytes/solution", "work/bytes");
});

afterAll(() => copy.remove());

test("a certificate can be checked by running it again, and notices other code", () => {
  copy.cairn(["hint", "00.2"]);
  copy.cairn(["start", "01"]);
  const made = copy.cairn(["certify", "--out", "certificate.json"]);
  expect(made).toMatchObject({ code: 0, err: "" });
  expect(made.out).toContain("Self-attested");
  expect(made.out).toContain("· 01-wal  left out: none of its steps has passed yet");
  const certificate = JSON.parse(copy.read("certificate.json")) as {
    chapters: { chapter: string; steps: { passed: boolean }[]; attested: { hints: number } }[];
  };
  const [chapter, ...others] = certificate.chapters;
  expect(others).toEqual([]);
  expect(chapter?.steps.every(({ passed }) => passed)).toBe(true);
  expect(chapter?.attested.hints).toBe(1);
  expect(copy.cairn(["certify", "--verify", "certificate.json"])).toMatchObject({ code: 0 });
  copy.copy("chapters/00-bytes/starter/crc32c.ts", "work/bytes/crc32c.ts");
  const other = copy.cairn(["certify", "--verify", "certificate.json"]);
  expect(other.code).toBe(1);
  expect(other.out).toContain("work/bytes/crc32c.ts is another file");
  expect(other.out).toContain("00.4 passed there and failed here");
  expect(copy.cairn(["certify", "--verify", "package.json"])).toMatchObject({ code: 2 });
}, 60_000);

test("a certificate calls nothing broken that is not written", () => {
  copy.copy("chapters/01-wal/solution/frame.ts", "work/wal/frame.ts");
  const begun = copy.cairn(["certify", "--out", "begun.json"]);
  expect(begun.code).toBe(1);
  expect(begun.out).toMatch(/✗ 01-wal {2}1 of 9 steps, crash lab: waits for step 01\.\d, seed/);
  copy.copy("chapters/00-bytes/starter", "work/bytes");
  copy.copy("chapters/01-wal/starter", "work/wal");
  const nothing = copy.cairn(["certify", "--out", "nothing.json"]);
  expect(nothing.code).toBe(1);
  expect(nothing.out).toContain("there is nothing to certify");
  expect(`${begun.out}${nothing.out}`).not.toContain("a promise broken");
  copy.copy("chapters/00-bytes/solution", "work/bytes");
  expect(copy.node(["-e", 'fs.rmSync("work/wal", { recursive: true })']).code).toBe(0);
}, 60_000);

test("the table of the four ways is printed by one command", () => {
  const { code, out } = copy.cairn(["teach", "check", "00"]);
  expect(out).toMatch(/1 chapters?, 6 steps, \d+ checks; (\d+) planted mistakes, \1 caught\./);
  expect(code).toBe(0);
  expect(copy.cairn(["teach", "check", "nothing"]).code).toBe(2);
}, 60_000);

test("an agenda adds up the minutes of the steps", () => {
  const { code, out } = copy.cairn(["teach", "agenda", "90-minutes"]);
  expect(code).toBe(0);
  expect(out).toMatch(/90 min {2}in all/);
  expect(copy.cairn(["teach", "agenda", "year"]).code).toBe(2);
});

test("--git makes a repository of the reader's own, without what the runner remembers", () => {
  expect(copy.read("work/.gitignore")).toContain(".cairn/");
  expect(copy.read("work/.git/HEAD")).toContain("ref:");
});

test("--bare gives a door and nothing else", () => {
  const { out } = copy.cairn(["start", "--bare", "01"]);
  expect(out).toContain("1 file for you");
  expect(copy.read("work/wal/index.ts")).toContain("01.1  encodeFrame, decodeFrame");
  expect(out).toContain("encodeFrame is not written yet: step 01.1 is waiting for you");
  // Checks of chapter 04 put given parts of the reader's module to use.
  const { out: lsm } = copy.cairn(["start", "--bare", "04"]);
  expect(lsm).toMatch(/Your module does not export "\w+" yet/);
  expect(lsm).toContain("work/lsm/index.ts");
});
