/**
 * Step 03.6: lengths that lie under right checksums, and files that nobody wrote.
 */
import type { Bytes } from "#base";
import { putU32, putU64 } from "#bytes";
import { type Check, expectThat, fail, type Step } from "#learn";
import { type Random, seededRandom } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { FOOTER_BYTES, handlesOf, ID, PATH, replace, resealBlock, resealFooter } from "../lab.ts";
import { bytesOf } from "../model.ts";
import { dataBlocksOf } from "./format.ts";
import type { Subject, Version } from "./subject.ts";
import { diskWith, readLines, rightOrCorrupt, spyOn, unlessCorrupt } from "./table-lab.ts";
import { drawVersions, rows } from "./versions.ts";
import { found } from "./words.ts";

/** A lie that costs memory, and yet fits every machine: a quarter of a gigabyte. */
const LARGE = 2 ** 28;
/** Read ahead of a scan: no more than this beyond the file. */
const READ_AHEAD = 256 * 1024;

/** Opens a file whose numbers lie: SSTABLE_CORRUPT, and no read for what is not there. */
function mustRefuse(subject: Subject, disk: SimulatedDisk, file: Bytes, lie: string): void {
  replace(disk, file);
  const spy = spyOn(disk);
  const opened = unlessCorrupt("openTable", lie, () => {
    const table = subject.openTable({ disk: spy.disk, path: PATH, id: ID });
    table.get(bytesOf("row 0007"));
    table.verify();
  });
  const largest = Math.max(0, ...spy.reads.map(({ bytes }) => bytes));
  expectThat(largest <= file.length, () => ({
    happened: `${lie} The file has ${file.length} bytes. Your code took memory for ${largest}, and tried to read them.`,
    why: "Four flipped bits ask for three gigabytes, and the process is gone before it can say which file it was.",
    timeline: readLines(spy.reads),
  }));
  expectThat("corrupt" in opened, () => ({
    happened: `${lie} SSTABLE_CORRUPT was expected. Your table opened, and verify passed.`,
    why: "A right checksum says that the bytes are as they were written. Whoever wrote them may have been wrong.",
  }));
}

const footers: Check<Subject> = {
  name: "a footer that lies about places is refused before anything is read for it",
  kind: "fault",
  rule: "S4",
  run(subject) {
    const disk = diskWith(subject, rows(30, 10), { blockBytes: 256 });
    const whole = disk.content(PATH);
    const footer = whole.length - FOOTER_BYTES;
    const names = ["filter", "properties", "index"];
    for (const [part, name] of names.entries()) {
      const at = footer + 12 + part * 12;
      for (const bytes of [LARGE, whole.length, handlesOf(whole)[part]!.bytes + 1]) {
        const file = whole.slice();
        putU32(file, at + 8, bytes);
        resealFooter(file);
        mustRefuse(
          subject,
          disk,
          file,
          `A footer with a right checksum says that the ${name} block has ${bytes} bytes.`,
        );
      }
      for (const offset of [LARGE, whole.length, 2 ** 53 - 1]) {
        const file = whole.slice();
        putU64(file, at, offset);
        resealFooter(file);
        mustRefuse(
          subject,
          disk,
          file,
          `A footer with a right checksum says that the ${name} block is at byte ${offset}.`,
        );
      }
    }
  },
};

const indexes: Check<Subject> = {
  name: "an index that lies about its blocks is refused",
  kind: "fault",
  rule: "S4",
  run(subject) {
    const disk = diskWith(subject, rows(30, 10), { blockBytes: 256 });
    const whole = disk.content(PATH);
    const { offset, bytes } = handlesOf(whole)[2]!;
    const lies: readonly (readonly [string, (file: Bytes) => void])[] = [
      ["that there are 16,777,216 blocks", (file) => putU32(file, offset, 2 ** 24)],
      ["that there is no block", (file) => putU32(file, offset, 0)],
      ["that the first block has 8,191 bytes", (file) => file.set([0xfe, 0x7f], offset + 4)],
      ["that the first separator has 127 bytes", (file) => file.fill(127, offset + 6, offset + 7)],
    ];
    for (const [what, lie] of lies) {
      const file = whole.slice();
      lie(file);
      resealBlock(file, offset, bytes);
      mustRefuse(subject, disk, file, `An index with a right checksum says ${what}.`);
    }
  },
};

/** A table with one block of one entry: `row 0007`, value `100`. */
const ONE: readonly Version[] = [{ key: bytesOf("row 0007"), value: bytesOf("100"), sequence: 5 }];

const entries: Check<Subject> = {
  name: "an entry that claims more bytes than its block has is refused, not cut short",
  kind: "fault",
  rule: "S4",
  run(subject) {
    const disk = diskWith(subject, ONE, { filterBitsPerKey: 0 });
    const whole = disk.content(PATH);
    const { bytes } = dataBlocksOf(whole)[0]!;
    // The block: shared 0, unshared 8, tag 6, sequence 5, key, value, restart 0, count 1.
    const lies: readonly (readonly [string, (block: Bytes) => void])[] = [
      ["its value has 5 bytes and runs into the restarts", (block) => block.fill(10, 2, 3)],
      ["its value has 50 bytes and runs out of the block", (block) => block.fill(100, 2, 3)],
      ["its key has 60 bytes", (block) => block.fill(60, 1, 2)],
    ];
    for (const [what, lie] of lies) {
      const file = whole.slice();
      lie(file.subarray(0, bytes));
      resealBlock(file, 0, bytes);
      replace(disk, file);
      const damage = `A block with a right checksum holds one entry, and says that ${what}.`;
      const got = unlessCorrupt("get", damage, () => {
        const table = subject.openTable({ disk, path: PATH, id: ID });
        return found(table.get(bytesOf("row 0007")));
      });
      if ("corrupt" in got) continue;
      fail({
        happened: `${damage} SSTABLE_CORRUPT was expected; get("row 0007") gave ${got.value}.`,
        why: "subarray does not fail beyond the end: it gives fewer bytes than were asked for. A value cut short is a wrong answer.",
        bytes: { title: "the block", bytes: file.subarray(0, bytes) },
      });
    }
  },
};

const restarts: Check<Subject> = {
  name: "restarts that lie end in a right answer or in SSTABLE_CORRUPT",
  kind: "fault",
  rule: "S4",
  run(subject) {
    const versions = rows(3, 4);
    const disk = diskWith(subject, versions, { filterBitsPerKey: 0 });
    const whole = disk.content(PATH);
    const { bytes } = dataBlocksOf(whole)[0]!;
    for (const [what, at, value] of [
      ["there are 4,294,967,295 restarts", bytes - 4, 2 ** 32 - 1],
      ["there are 1,000 restarts", bytes - 4, 1000],
      ["the second entry begins at byte 2,147,483,648", bytes - 8, 2 ** 31],
      ["the last entry begins where the restarts begin", bytes - 8, bytes - 16],
    ] as const) {
      const file = whole.slice();
      putU32(file, at, value);
      resealBlock(file, 0, bytes);
      replace(disk, file);
      const damage = `A block with a right checksum says that ${what}.`;
      for (const { key } of versions) {
        unlessCorrupt("get", damage, () => {
          const table = subject.openTable({ disk, path: PATH, id: ID });
          return table.get(key);
        });
      }
    }
  },
};

/** Changes a file in one of the ways in which files change. @returns the file, and words for it. */
function damaged(file: Bytes, random: Random): readonly [Bytes, string] {
  const at = random.below(file.length);
  const count = 1 + random.below(Math.min(40, file.length - at));
  switch (random.below(6)) {
    case 0:
      file[at]! ^= 1 << random.below(8);
      return [file, `A bit of byte ${at} was flipped.`];
    case 1:
      file.fill(random.below(2) * 255, at, at + count);
      return [file, `${count} bytes from byte ${at} on were all made 0, or all 255.`];
    case 2:
      file.set(random.bytes(count), at);
      return [file, `${count} bytes from byte ${at} on were made random.`];
    case 3:
      file.copyWithin(at, random.below(file.length), random.below(file.length));
      return [file, `Some bytes were copied to byte ${at}.`];
    case 4:
      return [file.slice(0, at), `The file was cut at byte ${at}.`];
    default:
      return [
        Uint8Array.from([...file.subarray(0, at), ...file.subarray(at + count)]),
        `${count} bytes from byte ${at} on were taken out.`,
      ];
  }
}

const FUZZ_TABLES = 10;
const FUZZ_FILES = 120;

const fuzz: Check<Subject> = {
  name: "2,400 files that nobody wrote end in right answers or in SSTABLE_CORRUPT",
  kind: "fault",
  rule: "S3",
  run(subject, { seed }) {
    for (let round = 0; round < FUZZ_TABLES; round += 1) {
      const random = seededRandom(seed * 1000 + round);
      const versions = drawVersions(random, 2 + random.below(6), 2);
      const disk = diskWith(subject, versions, { blockBytes: 64 + random.below(60) });
      const whole = disk.content(PATH);
      const spy = spyOn(disk);
      const size = `A table of ${whole.length} bytes.`;
      for (let i = 0; i < FUZZ_FILES; i += 1) {
        const [file, what] = damaged(whole.slice(), random);
        replace(disk, file);
        rightOrCorrupt(subject, spy.disk, versions, `${size} ${what}`);
        resealed(subject, disk, whole.slice(), random);
      }
      const largest = Math.max(0, ...spy.reads.map(({ bytes }) => bytes));
      expectThat(largest <= whole.length + READ_AHEAD, () => ({
        rule: "S4",
        happened: `A damaged table of at most ${whole.length} bytes made your code read ${largest} at once.`,
        why: "Memory for a damaged table stays in proportion to its file.",
      }));
    }
  },
};

/** Changes a block and gives it a right checksum: any answer will do, but no other error. */
function resealed(subject: Subject, disk: SimulatedDisk, file: Bytes, random: Random): void {
  const blocks = [...dataBlocksOf(file), ...handlesOf(file)].filter(({ bytes }) => bytes > 0);
  const { offset, bytes } = blocks[random.below(blocks.length)]!;
  const at = offset + random.below(bytes);
  const value = [0, 1, 0x7f, 0x80, 0xff, random.below(256)][random.below(6)]!;
  file[at] = value;
  resealBlock(file, offset, bytes);
  replace(disk, file);
  const damage = `Byte ${at} was made ${value}, and its block got a right checksum again.`;
  unlessCorrupt("openTable, get or verify", damage, () => {
    const table = subject.openTable({ disk, path: PATH, id: ID });
    table.get(bytesOf("ab"));
    table.get(bytesOf("bz"));
    table.verify();
    table.close();
  });
}

export const lengthSteps: readonly Step<Subject>[] = [
  { id: "03.6", checks: [footers, indexes, entries, restarts, fuzz] },
];
