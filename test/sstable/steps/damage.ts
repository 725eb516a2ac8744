/**
 * Step 03.5: checksums that know where a block belongs, and the reference as a second reader.
 */
import { type ByteExcerpt, type Check, expectThat, type Step } from "#learn";
import { seededRandom } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import * as reference from "#sstable/reference";
import { freshDisk, ID, PATH, replace, TRAILER_BYTES } from "../lab.ts";
import { around, bytesOf } from "../model.ts";
import { type DataBlock, dataBlocksOf, goldenTable, goldenVersions } from "./format.ts";
import type { Subject, Version } from "./subject.ts";
import {
  checkGet,
  diskWith,
  openSound,
  rightOrCorrupt,
  unlessCorrupt,
  writeTable,
} from "./table-lab.ts";
import { drawVersions, rows } from "./versions.ts";
import { errorWords, orFail, same, thrownBy, version } from "./words.ts";

const TYPED = Uint8Array.from([...bytesOf("block"), 1]);
const U32_VALUES = 2 ** 32;

/** Of the page: table, offset, and the checksum of "block" and the type 1. */
export const CHECKSUM_VECTORS: readonly (readonly [id: number, offset: number, sum: number])[] = [
  [7, 0, 0x7552_f7cc],
  [8, 0, 0x23c6_433a],
  [7, 512, 0xca62_49ad],
  [7, 2 * U32_VALUES + 5, 0xa5dc_d72f],
];

const vectors: Check<Subject> = {
  name: "a checksum is made of the block, its table and its offset",
  kind: "unit",
  rule: "S9",
  run(subject) {
    for (const [id, offset, sum] of CHECKSUM_VECTORS) {
      const got = subject.blockChecksum(TYPED, { id, offset });
      expectThat(got === sum, () => ({
        happened: `blockChecksum of "block" and the type 1, in table ${id} at byte ${offset}, should be 0x${sum.toString(16)}. Yours is 0x${got.toString(16)}.`,
        why: "Every other reader of the file would call this block damaged.",
      }));
    }
  },
};

/** Small enough to flip each bit; with a deletion, and two blocks. */
const SMALL: readonly Version[] = [
  { key: bytesOf("ant"), value: bytesOf("100"), sequence: 9 },
  { key: bytesOf("bee"), value: null, sequence: 8 },
  { key: bytesOf("bee"), value: bytesOf("612"), sequence: 3 },
  { key: bytesOf("cat"), value: bytesOf("50"), sequence: 300 },
  { key: bytesOf("dog"), value: bytesOf("7"), sequence: 2 },
];
const SMALL_OPTIONS = { blockBytes: 64, filterBitsPerKey: 10 } as const;

/** Opens a table and verifies it. @returns whether that noticed anything. */
function isNoticedByVerify(subject: Subject, disk: SimulatedDisk, damage: string): boolean {
  const outcome = unlessCorrupt("verify", damage, () => {
    const table = subject.openTable({ disk, path: PATH, id: ID });
    try {
      table.verify();
    } finally {
      table.close();
    }
  });
  return "corrupt" in outcome;
}

/** Verify must notice what has changed. */
function mustNotice(
  subject: Subject,
  disk: SimulatedDisk,
  damage: string,
  bytes: ByteExcerpt,
): void {
  expectThat(isNoticedByVerify(subject, disk, damage), () => ({
    happened: `${damage} Your table opened, and verify found nothing.`,
    why: "verify is what somebody runs who has a doubt. If it is quiet, the file is copied over the last good backup.",
    bytes,
  }));
}

/** Calls `judge` with every bit of a small table flipped, one at a time. */
function withEachBit(
  subject: Subject,
  judge: (disk: SimulatedDisk, damage: string, bytes: ByteExcerpt) => void,
): SimulatedDisk {
  const disk = diskWith(subject, SMALL, SMALL_OPTIONS);
  const { length } = disk.content(PATH);
  for (let at = 0; at < length; at += 1) {
    for (let bit = 0; bit < 8; bit += 1) {
      disk.flipBit(PATH, at, bit);
      const damage = `In a table of ${length} bytes, bit ${bit} of byte ${at} was flipped.`;
      const offset = at - (at % 16);
      const bytes = disk.content(PATH).subarray(offset, offset + 16);
      const fields = [{ at: at - offset, bytes: 1, name: "^" }];
      judge(disk, damage, { title: "the flipped bit", bytes, offset, fields });
      disk.flipBit(PATH, at, bit);
    }
  }
  return disk;
}

const flips: Check<Subject> = {
  name: "whichever bit is flipped, a lookup is right or throws SSTABLE_CORRUPT",
  kind: "fault",
  rule: "S3",
  run(subject) {
    withEachBit(subject, (disk, damage, bytes) => {
      rightOrCorrupt(subject, disk, SMALL, damage, bytes);
    });
  },
};

const verifies: Check<Subject> = {
  name: "whichever bit is flipped, verify notices it, and no bit more",
  kind: "fault",
  rule: "S3",
  run(subject) {
    const disk = withEachBit(subject, (one, damage, bytes) => {
      mustNotice(subject, one, damage, bytes);
    });
    expectThat(!isNoticedByVerify(subject, disk, "Nothing happened to a table."), () => ({
      happened: "Every bit was flipped back, the table is sound, and verify threw SSTABLE_CORRUPT.",
      why: "An alarm that rings always is switched off.",
    }));
  },
};

const cuts: Check<Subject> = {
  name: "a table that is cut off anywhere, or has a byte too many, does not open",
  kind: "fault",
  rule: "S3",
  run(subject) {
    const disk = diskWith(subject, SMALL, SMALL_OPTIONS);
    const whole = disk.content(PATH);
    for (let length = 0; length <= whole.length + 1; length += 1) {
      if (length === whole.length) continue;
      const file = new Uint8Array(length);
      file.set(whole.subarray(0, length));
      replace(disk, file);
      const damage = `Of a table of ${whole.length} bytes ${length} are there.`;
      const opened = unlessCorrupt("openTable", damage, () =>
        subject.openTable({ disk, path: PATH, id: ID }),
      );
      expectThat("corrupt" in opened, () => ({
        happened: `${damage} Your openTable opened it.`,
        why: "Half a table answers absent for the other half. The keys are gone, and no error says so.",
      }));
    }
  },
};

/** Two blocks of one size in a table of rows. */
function twoBlocks(subject: Subject): {
  readonly disk: SimulatedDisk;
  readonly versions: readonly Version[];
  readonly pair: readonly [DataBlock, DataBlock];
} {
  const versions = rows(40, 12).map((one) => ({ ...one, sequence: 5 }));
  const disk = diskWith(subject, versions, { blockBytes: 128 });
  const blocks = dataBlocksOf(disk.content(PATH));
  const first = blocks[1]!;
  const second = blocks.find(({ offset, bytes }) => offset > first.offset && bytes === first.bytes);
  return { disk, versions, pair: [first, second ?? first] };
}

const swapped: Check<Subject> = {
  name: "two blocks that have changed places are noticed",
  kind: "fault",
  rule: "S3",
  run(subject) {
    const { disk, versions, pair } = twoBlocks(subject);
    const [first, second] = pair;
    const file = disk.content(PATH);
    const changed = file.slice();
    const bytes = first.bytes + TRAILER_BYTES;
    changed.set(file.subarray(second.offset, second.offset + bytes), first.offset);
    changed.set(file.subarray(first.offset, first.offset + bytes), second.offset);
    replace(disk, changed);
    const damage = `The disk wrote the block of byte ${first.offset} at byte ${second.offset}, and the other way round.`;
    rightOrCorrupt(subject, disk, versions, damage);
    const there = changed.subarray(first.offset, first.offset + bytes);
    mustNotice(subject, disk, damage, {
      title: "the block that does not belong there",
      bytes: there,
      offset: first.offset,
    });
  },
};

const foreign: Check<Subject> = {
  name: "a block of another table, and another table in this one's place, are noticed",
  kind: "fault",
  rule: "S3",
  run(subject) {
    const { disk, versions, pair } = twoBlocks(subject);
    const [block] = pair;
    const other = freshDisk();
    const writer = subject.createTableWriter({
      disk: other,
      path: PATH,
      id: ID + 1,
      blockBytes: 128,
    });
    for (const { key, sequence } of versions) writer.add(key, bytesOf("another row!"), sequence);
    writer.finish();
    const theirs = other.content(PATH);
    const file = disk.content(PATH);
    file.set(
      theirs.subarray(block.offset, block.offset + block.bytes + TRAILER_BYTES),
      block.offset,
    );
    replace(disk, file);
    const damage = `The block at byte ${block.offset} of table ${ID} was replaced by that of table ${ID + 1}, from the same offset.`;
    rightOrCorrupt(subject, disk, versions, damage);
    replace(disk, theirs);
    const place = `Under the name of table ${ID} lies table ${ID + 1}, whole.`;
    const opened = unlessCorrupt("openTable", place, () =>
      subject.openTable({ disk, path: PATH, id: ID }),
    );
    expectThat("corrupt" in opened, () => ({
      happened: `${place} Your openTable({ id: ${ID} }) opened it.`,
      why: "A restore that mixed up two files would go unnoticed: every checksum is right.",
    }));
  },
};

const readByReference: Check<Subject> = {
  name: "the reference reads this table, version by version, and finds nothing wrong",
  kind: "model",
  rule: "S9",
  run(subject, { seed }) {
    for (let round = 0; round < 15; round += 1) {
      const random = seededRandom(seed * 1000 + round);
      const versions = drawVersions(random, 1 + random.below(40), 3);
      const filterBitsPerKey = random.below(2) * 10;
      const disk = freshDisk();
      writeTable(subject, disk, versions, { blockBytes: 64 + random.below(200), filterBitsPerKey });
      const read: Version[] = [];
      const { problems } = reference.describeTable({ disk, path: PATH }, (one) => read.push(one));
      const wrong = versions.findIndex((one, i) => !same(one, read[i]));
      const error = thrownBy(() => reference.openTable({ disk, path: PATH, id: ID }).verify());
      const isSound = problems.length === 0 && wrong < 0 && error === null;
      expectThat(isSound && read.length === versions.length, () => ({
        happened:
          `Your writer made a table of ${versions.length} versions. The reference read ${read.length} of them. ` +
          (wrong < 0
            ? ""
            : `Number ${wrong} should be ${version(versions[wrong])}, and is ${version(read[wrong])}. `) +
          `Its verify ${errorWords(error)}.`,
        why: "npx cairn inspect, npx cairn doctor and the engine's repair read tables with the reference's eyes.",
        timeline: problems.slice(0, 6),
      }));
    }
  },
};

const readsReference: Check<Subject> = {
  name: "a table that the reference has written is read, and passes verify",
  kind: "model",
  rule: "S9",
  run(subject, { seed }) {
    for (let round = 0; round < 10; round += 1) {
      const random = seededRandom(seed * 1000 + round);
      const versions = drawVersions(random, 1 + random.below(40), 3);
      const disk = diskWith(reference, versions, {
        blockBytes: 64 + random.below(200),
        restartInterval: 1 + random.below(8),
        filterBitsPerKey: random.below(2) * 10,
      });
      checkAll(subject, disk, versions);
    }
    const disk = freshDisk();
    replace(disk, goldenTable());
    checkAll(subject, disk, goldenVersions);
  },
};

/** Asks a sound table of the reference everything. */
function checkAll(subject: Subject, disk: SimulatedDisk, versions: readonly Version[]): void {
  const table = openSound(subject, disk);
  for (const { key, sequence } of versions) {
    for (const at of [undefined, sequence]) checkGet(table, versions, key, at);
    for (const near of around(key)) checkGet(table, versions, near);
  }
  orFail(
    () => table.verify(),
    (error) => ({
      happened: `The reference wrote a table of ${versions.length} versions. Its keys share beginnings, and its separators are shorter than keys. Your verify threw ${error}.`,
      why: "An engine that was filled by the reference would seem damaged.",
    }),
  );
  table.close();
}

export const damageSteps: readonly Step<Subject>[] = [
  {
    id: "03.5",
    checks: [flips, vectors, cuts, swapped, foreign, verifies, readByReference, readsReference],
  },
];
