/**
 * Files that nobody wrote: the right answer or a coded error, and memory in proportion to the file.
 *
 * Method: change whole tables at random in many ways. Half of the files are only damaged. The other
 * half get right checksums afterwards, as from a writer that is wrong: these may answer anything,
 * but may not fail in any other way. Every read is watched, since nothing is allocated for a part
 * of the file that is not read.
 */
import { afterAll, expect, test } from "vitest";
import type { Bytes } from "#base";
import { putU32 } from "#bytes";
import type { Random } from "#platform";
import * as sstable from "#sstable";
import { runSeeds, SCALE } from "../support/seeds.ts";
import { lyingLengths, rightOrCorrupt } from "./checks.ts";
import {
  type freshDisk,
  handlesOf,
  ID,
  made,
  PATH,
  readSpy,
  replace,
  resealBlock,
  resealFooter,
  TRAILER_BYTES,
  unlessCorrupt,
} from "./lab.ts";
import { must, randomVersions } from "./model.ts";

const FILES_PER_SEED = 100;
const SEEDS = 100;
/** A cursor reads ahead at most so much. */
const READ_BYTES_CONSTANT = 256 * 1024;
/** The heap and the arrays outside of it may move by so much, whatever the file says. */
const MEMORY_BYTES_MAX = 256 * 1024 * 1024;

let files = 0;
let opened = 0;

afterAll(() => console.log(`sstable: ${files} fuzzed files, ${opened} of them opened`));

/** Changes a file in one of the ways in which files change. */
function mutate(file: Bytes, random: Random): Bytes {
  const at = random.below(file.length);
  const count = 1 + random.below(Math.min(64, file.length - at));
  const kind = random.below(8);
  if (kind === 0) file[at]! ^= 1 << random.below(8);
  else if (kind === 1) file.fill(random.below(2) * 255, at, at + count);
  else if (kind === 2) file.set(random.bytes(count), at);
  else if (kind === 3) file.copyWithin(at, random.below(file.length), random.below(file.length));
  else if (kind === 4) return file.slice(0, at);
  else if (kind === 5) return Uint8Array.from([...file, ...random.bytes(count)]);
  else if (kind === 6) return Uint8Array.from([...file.slice(0, at), ...file.slice(at + count)]);
  else if (at + 4 <= file.length) putU32(file, at, [0, 2 ** 31, 2 ** 32 - 1][random.below(3)]!);
  return file;
}

/** Changes a block, or the footer, and gives it a right checksum. */
function mutateAndReseal(file: Bytes, blocks: readonly Place[], random: Random): Bytes {
  if (random.below(4) === 0) {
    file[file.length - 60 + 4 + random.below(48)] = random.below(256);
    resealFooter(file);
    return file;
  }
  const block = blocks[random.below(blocks.length)]!;
  if (block.bytes === 0) return file;
  for (let changes = 1 + random.below(3); changes > 0; changes -= 1) {
    const at = block.offset + random.below(block.bytes);
    file[at] = [0, 1, 0x7f, 0x80, 0xff, random.below(256)][random.below(6)]!;
  }
  if (random.below(20) === 0) file[block.offset + block.bytes] = random.below(4);
  resealBlock(file, block.offset, block.bytes);
  return file;
}

interface Place {
  readonly offset: number;
  readonly bytes: number;
}

/** Uses a table of an unknown kind in every way. Only coded errors may come of it. */
function useAll(disk: ReturnType<typeof freshDisk>, key: Bytes): void {
  const open = () => sstable.openTable({ disk, path: PATH, id: ID });
  const table = unlessCorrupt("open", open);
  if (table === null) return;
  opened += 1;
  unlessCorrupt("get", () => table.get(key));
  unlessCorrupt("get at a sequence", () => table.get(key, 5));
  const cursor = table.cursor();
  const steps = (move: () => void): void => {
    for (let step = 0; step < 200 && cursor.valid; step += 1) {
      must(cursor.key.length + cursor.value.length <= 1e6, "an entry larger than its file");
      move();
    }
  };
  unlessCorrupt("scan", () => {
    cursor.seekFirst();
    steps(() => cursor.next());
  });
  unlessCorrupt("scan back", () => {
    cursor.seekLast();
    steps(() => cursor.prev());
  });
  unlessCorrupt("seek", () => {
    cursor.seek(key);
    steps(() => cursor.prev());
    cursor.seekBefore(key);
  });
  unlessCorrupt("verify", () => table.verify());
  table.close();
}

test("03.6 fuzzed files give right answers or coded errors", { timeout: 600_000 }, () => {
  const memoryBefore = memory();
  const name = expect.getState().currentTestName ?? "";
  runSeeds({ count: SEEDS, name }, (_, random) => {
    const versions = randomVersions(random, { keys: 2 + random.below(10), versionsMax: 2 });
    const compression = random.below(3) === 0 ? "deflate" : "none";
    const options = { blockBytes: 64 + random.below(120), compression } as const;
    const { disk } = made(sstable, versions, options);
    const whole = disk.content(PATH);
    const { parts } = sstable.describeTable({ disk, path: PATH });
    const data = parts.filter(({ kind }) => kind === "data");
    const places = data.map(({ offset, bytes }) => ({ offset, bytes: bytes - TRAILER_BYTES }));
    const blocks = [...places, ...handlesOf(whole), ...handlesOf(whole)];
    const spy = readSpy(disk);
    for (let i = 0; i < FILES_PER_SEED; i += 1) {
      const isDamage = i % 2 === 0;
      const copy = whole.slice();
      const file = isDamage ? mutate(copy, random) : mutateAndReseal(copy, blocks, random);
      replace(disk, file);
      if (isDamage) rightOrCorrupt(sstable, disk, versions);
      else useAll(disk, versions[random.below(versions.length)]!.key);
      unlessCorrupt("describe", () => sstable.describeTable({ disk: spy.disk, path: PATH }));
      must(spy.largest() <= file.length + READ_BYTES_CONSTANT, `read of ${spy.largest()} bytes`);
      files += 1;
    }
  });
  expect(memory() - memoryBefore).toBeLessThan(MEMORY_BYTES_MAX);
});

test("03.6 lengths that lie, under right checksums, are not believed", () => {
  lyingLengths(sstable);
});

test("03.6 a deflated block that claims to be huge is refused before it is made", () => {
  const value = new Uint8Array(2000).fill(1);
  const versions = [{ key: new Uint8Array(1), value, sequence: 1 }];
  const { disk } = made(sstable, versions, { compression: "deflate" });
  const file = disk.content(PATH);
  const block = sstable.describeTable({ disk, path: PATH }).parts[0]!;
  for (const claim of [0, 2 ** 20, 2 ** 32 - 1]) {
    putU32(file, block.offset, claim);
    resealBlock(file, block.offset, block.bytes - TRAILER_BYTES);
    replace(disk, file);
    const table = sstable.openTable({ disk, path: PATH, id: ID });
    expect(() => table.get(versions[0]!.key)).toThrow(/claims/);
  }
});

test("the fuzz test really runs, and some files open", () => {
  expect(files).toBeGreaterThanOrEqual(10_000 * Math.min(1, SCALE));
  expect(opened).toBeGreaterThan(files / 20);
});

function memory(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
