/**
 * Step 03.3: a table of blocks, a sparse index, and lookups that read one block.
 */
import { compareBytes } from "#bytes";
import { type Check, expectThat, type Step } from "#learn";
import { seededRandom } from "#platform";
import { freshDisk, handlesOf, ID, PATH } from "../lab.ts";
import { around, bytesOf } from "../model.ts";
import { type DataBlock, dataBlocksOf } from "./format.ts";
import type { Subject } from "./subject.ts";
import { checkGet, diskWith, openSound, readLines, spyOn, touched } from "./table-lab.ts";
import { drawVersions, longHistory, rowKey, rows } from "./versions.ts";
import { errorWords, found, k, thrownBy } from "./words.ts";

/** No filter: step 03.4 makes it. */
const NO_FILTER = { filterBitsPerKey: 0 } as const;

const oneBlock: Check<Subject> = {
  name: "a lookup that finds its key reads one data block, and opening reads none",
  kind: "unit",
  rule: "S7",
  run(subject) {
    const versions = rows(300, 40);
    const disk = diskWith(subject, versions, { ...NO_FILTER, blockBytes: 512 });
    const blocks = dataBlocksOf(disk.content(PATH));
    const spy = spyOn(disk);
    const table = openSound(subject, spy.disk);
    const atOpen = touched(blocks, spy.reads);
    expectThat(atOpen.length === 0, () => ({
      happened: `A table of ${blocks.length} data blocks was opened. Opening should read footer, filter, properties and index; yours read ${atOpen.length} data blocks too.`,
      why: "An engine with a thousand tables would read all of its data before it answers the first question.",
      timeline: readLines(spy.reads),
    }));
    for (let i = 0; i < versions.length; i += 7) {
      spy.reads.length = 0;
      const before = table.reads.blocks;
      checkGet(table, versions, rowKey(i));
      const read = touched(blocks, spy.reads);
      expectThat(read.length === 1, () => ({
        happened: `get(${k(rowKey(i))}) found its key and read from ${read.length} data blocks (${read.join(", ")}) of ${blocks.length}. It should read from one.`,
        why: "The cost of a lookup is one read from the disk: that is what the index is for. Each block more is another wait.",
        timeline: readLines(spy.reads),
      }));
      const counted = table.reads.blocks - before;
      expectThat(counted === 1, () => ({
        happened: `get(${k(rowKey(i))}) read one data block, and table.reads.blocks went up by ${counted}.`,
        why: "The engine's statistics are made of these counts. Nobody can tune what is not counted.",
      }));
    }
    table.close();
  },
};

const sparse: Check<Subject> = {
  name: "the index has one entry for each block, not for each key",
  kind: "unit",
  rule: "S7",
  run(subject) {
    const count = 1000;
    const blockBytes = 4096;
    const file = diskWith(subject, rows(count, 40), NO_FILTER).content(PATH);
    const blocks = dataBlocksOf(file);
    const dataBytes = handlesOf(file)[0]!.offset;
    const blocksExpected = Math.ceil(dataBytes / blockBytes);
    expectThat(blocks.length <= blocksExpected * 2, () => ({
      happened: `A table of ${count} keys in ${dataBytes} bytes of blocks was written with blocks of ${blockBytes}. Its index should have about ${blocksExpected} entries, and has ${blocks.length}.`,
      why: "The index of every open table lies in memory. An entry for each key makes it grow with the data: a gigabyte of small rows would need hundreds of megabytes.",
    }));
    const largest = Math.max(...blocks.map(({ bytes }) => bytes));
    expectThat(largest <= blockBytes, () => ({
      happened: `With blocks of ${blockBytes} bytes, the largest block has ${largest}.`,
      why: "Each lookup reads a whole block: its size is what a lookup costs.",
    }));
  },
};

const finds: Check<Subject> = {
  name: "every key is found at every sequence, and no other key is",
  kind: "model",
  rule: "S8",
  run(subject, { seed }) {
    for (let round = 0; round < 12; round += 1) {
      const random = seededRandom(seed * 1000 + round);
      const versions = drawVersions(random, 2 + random.below(30), 3);
      const disk = diskWith(subject, versions, {
        ...NO_FILTER,
        blockBytes: 64 + random.below(150),
      });
      const table = openSound(subject, disk);
      for (const { key, sequence } of versions) {
        for (const at of [undefined, sequence, sequence - 1]) checkGet(table, versions, key, at);
        for (const near of around(key)) checkGet(table, versions, near);
      }
      table.close();
    }
  },
};

const goesOn: Check<Subject> = {
  name: "versions of a key that go on in the next block are found, the oldest too",
  kind: "unit",
  rule: "S8",
  run(subject) {
    const versions = longHistory(30, 30);
    const disk = diskWith(subject, versions, { ...NO_FILTER, blockBytes: 128 });
    const table = openSound(subject, disk);
    for (const { key, sequence } of versions) checkGet(table, versions, key, sequence);
    checkGet(table, versions, bytesOf("counter"), 0.5);
    const spy = spyOn(disk);
    const blocks = dataBlocksOf(disk.content(PATH));
    const again = openSound(subject, spy.disk);
    spy.reads.length = 0;
    again.get(bytesOf("counter"));
    const read = touched(blocks, spy.reads);
    expectThat(read.length === 1, () => ({
      rule: "S7",
      happened: `"counter" has 30 versions in ${blocks.length} blocks. Its newest is the first of them, and get("counter") read ${read.length} blocks.`,
      why: "A row that is updated often would become slower with each update.",
      timeline: readLines(spy.reads),
    }));
  },
};

const between: Check<Subject> = {
  name: "a key that is not there is absent, for one block at most",
  kind: "unit",
  rule: "S7",
  run(subject) {
    const versions = rows(120, 40);
    const disk = diskWith(subject, versions, { ...NO_FILTER, blockBytes: 256 });
    const blocks = dataBlocksOf(disk.content(PATH));
    const spy = spyOn(disk);
    const table = openSound(subject, spy.disk);
    const outside = [bytesOf("a"), bytesOf("row"), bytesOf("s"), new Uint8Array(0)];
    for (const key of [...outside, ...blocks.slice(0, -1).map(behind)]) {
      spy.reads.length = 0;
      checkGet(table, versions, key);
      const read = touched(blocks, spy.reads);
      expectThat(read.length <= 1, () => ({
        happened: `get(${k(key)}), which is not in the table, read ${read.length} of ${blocks.length} data blocks.`,
        why: "Most lookups of an engine miss most of its tables. A miss that reads on is the dearest answer of all.",
        timeline: readLines(spy.reads),
      }));
    }
    table.close();
  },
};

/** A key just above the last one of a block. */
function behind({ separator }: DataBlock): Uint8Array {
  return Uint8Array.from([...separator, 0]);
}

const order: Check<Subject> = {
  name: "the order holds from block to block, and a table without entries is refused",
  kind: "unit",
  rule: "S1",
  run(subject) {
    const disk = freshDisk();
    const value = new Uint8Array(90);
    const writer = subject.createTableWriter({ disk, path: PATH, id: ID, blockBytes: 128 });
    const empty = thrownBy(() => writer.finish());
    expectThat(empty instanceof RangeError, () => ({
      happened: `A writer was finished before anything was added. A RangeError was expected; your finish ${errorWords(empty)}.`,
      why: "A table has a smallest key. An empty one would be asked for it.",
    }));
    const next = subject.createTableWriter({
      disk: freshDisk(),
      path: PATH,
      id: ID,
      blockBytes: 128,
    });
    next.add(bytesOf("k1"), value, 5);
    next.add(bytesOf("k3"), value, 5);
    for (const [key, sequence] of [
      [bytesOf("k2"), 5],
      [bytesOf("k3"), 5],
      [bytesOf("k3"), 6],
    ] as const) {
      const error = thrownBy(() => next.add(key, value, sequence));
      expectThat(error instanceof RangeError, () => ({
        happened: `Blocks hold one entry here. After "k1" and "k3" at sequence 5 came ${k(key)} at ${sequence}. A RangeError was expected; your add ${errorWords(error)}.`,
        why: "Each block would be in order, and the table is not: the index leads past the entry, and it is lost.",
      }));
    }
    next.add(bytesOf("k3"), null, 4);
    const meta = next.finish();
    expectThat(meta.entries === 3, () => ({
      happened: `A writer took three versions and refused three. meta.entries is ${meta.entries}, not 3.`,
      why: "Who is refused may go on: the mistake was one entry, not the table.",
    }));
  },
};

const tells: Check<Subject> = {
  name: "the meta of a written and of an opened table says what is in it",
  kind: "unit",
  rule: "S9",
  run(subject) {
    const disk = freshDisk();
    const writer = subject.createTableWriter({ disk, path: PATH, id: ID, blockBytes: 128 });
    writer.add(bytesOf("a"), bytesOf("1"), 12);
    writer.add(bytesOf("b"), null, 30);
    writer.add(bytesOf("b"), bytesOf("2"), 4);
    writer.add(bytesOf("c"), bytesOf("3"), 7);
    const written = writer.finish();
    const table = openSound(subject, disk);
    const bytes = disk.content(PATH).length;
    const expected = `id ${ID}, ${bytes} bytes, 4 entries, 1 deletions, "a" to "c", sequences 4 to 30`;
    for (const [who, meta] of [
      ["finish()", written],
      ["openTable().meta", table.meta],
    ] as const) {
      const told =
        `id ${meta.id}, ${meta.bytes} bytes, ${meta.entries} entries, ` +
        `${meta.deletions} deletions, ` +
        `${k(meta.smallest)} to ${k(meta.largest)}, sequences ${meta.sequenceMin} to ${meta.sequenceMax}`;
      expectThat(told === expected, () => ({
        happened: `A table was written with four versions. ${who} should say: ${expected}. It says: ${told}.`,
        why: "The manifest keeps this, and the engine decides by it which tables to ask. A wrong bound hides a key.",
      }));
    }
    table.close();
  },
};

const staysSame: Check<Subject> = {
  name: "a table answers the same again, whatever the caller does with a value",
  kind: "mistake",
  rule: "S2",
  run(subject) {
    const versions = rows(20, 12);
    const disk = diskWith(subject, versions, NO_FILTER);
    const cache = subject.createBlockCache(1 << 20);
    const table = subject.openTable({ disk, path: PATH, id: ID, cache });
    for (const { key, value } of versions) {
      const first = table.get(key);
      if (first.kind === "value") first.value.fill(0);
      const second = table.get(key);
      const isSame = second.kind === "value" && compareBytes(second.value, value!) === 0;
      expectThat(isSame, () => ({
        happened: `A caller got the value of ${k(key)} and filled it with zeros. The next get gave ${found(second)}.`,
        why: "The value is the caller's own copy. A view of a kept block lets one caller change what all others read.",
      }));
    }
    table.close();
  },
};

export const tableSteps: readonly Step<Subject>[] = [
  { id: "03.3", checks: [finds, oneBlock, sparse, between, goesOn, order, tells, staysSame] },
];
