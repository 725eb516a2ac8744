/**
 * Steps 03.1 and 03.2: one data block, built, read back, and searched.
 */
import type { Bytes } from "#base";
import { compareBytes } from "#bytes";
import { type Check, expectThat, fail, type Step } from "#learn";
import { seededRandom } from "#platform";
import { around, bytesOf } from "../model.ts";
import { sharingBlock, storedEntries } from "./format.ts";
import type { Subject, Version } from "./subject.ts";
import { drawVersions } from "./versions.ts";
import { errorWords, k, orFail, same, thrownBy, version } from "./words.ts";

const LARGE = 1 << 20;

/** The block of the page: a value, an older value of the same key, and a deletion. */
export const PAGE_VERSIONS: readonly Version[] = [
  { key: bytesOf("apple"), value: bytesOf("red"), sequence: 7 },
  { key: bytesOf("apple"), value: bytesOf("green"), sequence: 3 },
  { key: bytesOf("pear"), value: null, sequence: 5 },
];

/** A block of versions, as the subject builds it. */
export function builtBlock(subject: Subject, versions: readonly Version[]): Bytes {
  const builder = subject.createBlockBuilder(LARGE);
  for (const { key, value, sequence } of versions) builder.add(key, value, sequence);
  return builder.finish();
}

const layout: Check<Subject> = {
  name: "a block has the bytes of the format page",
  kind: "unit",
  rule: "S9",
  run(subject) {
    const block = builtBlock(subject, PAGE_VERSIONS);
    const expected = sharingBlock(PAGE_VERSIONS, 1);
    if (compareBytes(block, expected) === 0) return;
    let at = 0;
    while (block[at] === expected[at]) at += 1;
    fail({
      happened:
        `Your builder was given ${PAGE_VERSIONS.map(version).join("; ")}. ` +
        `The block should be ${expected.length} bytes, and is ${block.length}. ` +
        `Byte ${at} is ${block[at] ?? "missing"}, not ${expected[at] ?? "there"}.`,
      why: "The file outlives the program. Another program, or yours next year, reads these bytes.",
      bytes: {
        title: "what the format page says",
        bytes: expected,
        fields: expectedFields(expected),
      },
    });
  },
};

function expectedFields(block: Bytes): { at: number; bytes: number; name: string }[] {
  const entries = storedEntries(block);
  const count = entries.length;
  return [
    ...entries.map(({ offset, next }, i) => ({
      at: offset,
      bytes: next - offset,
      name: `entry ${i}`,
    })),
    { at: block.length - 4 * (count + 1), bytes: 4 * count, name: "restarts" },
    { at: block.length - 4, bytes: 4, name: "count" },
  ];
}

const readsBack: Check<Subject> = {
  name: "a block reads back as what was added, deletions and empty values too",
  kind: "model",
  rule: "S9",
  run(subject, { seed }) {
    for (let round = 0; round < 60; round += 1) {
      const random = seededRandom(seed * 1000 + round);
      const versions = drawVersions(random, 1 + random.below(12), 3);
      const block = builtBlock(subject, versions);
      const read = orFail(
        () => subject.readBlock(block),
        (error) => ({
          happened: `Your builder made a block of ${versions.length} versions; your readBlock threw ${error}.`,
          why: "What cannot be read back was never stored.",
          bytes: { title: "the block", bytes: block },
        }),
      );
      const wrong = versions.findIndex((one, i) => !same(one, read[i]));
      const index = wrong < 0 && read.length !== versions.length ? versions.length : wrong;
      if (index < 0) continue;
      fail({
        happened:
          `${versions.length} versions went into a block. Your readBlock gave ${read.length}. ` +
          `Number ${index} was ${version(versions[index])}; what came back is ${version(read[index])}.`,
        why: "A deletion that comes back as an empty value is a key that somebody deleted and still sees.",
        bytes: { title: "the block", bytes: block },
      });
    }
  },
};

const order: Check<Subject> = {
  name: "a version that is not behind the last one is refused, and the block goes on",
  kind: "unit",
  rule: "S1",
  run(subject) {
    const b = bytesOf("b");
    const refused: readonly (readonly [string, Bytes, number])[] = [
      ["a smaller key", bytesOf("a"), 9],
      ["the same key with the same sequence", b, 5],
      ["the same key with a newer sequence", b, 6],
      ["the empty key", new Uint8Array(0), 9],
    ];
    for (const [what, key, sequence] of refused) {
      const builder = subject.createBlockBuilder(LARGE);
      builder.add(b, bytesOf("one"), 5);
      const error = thrownBy(() => builder.add(key, bytesOf("two"), sequence));
      expectThat(error instanceof RangeError, () => ({
        happened:
          `After "b" at sequence 5 came ${what}: ${k(key)} at sequence ${sequence}. ` +
          `A RangeError was expected; your add ${errorWords(error)}.`,
        why: "Every search halves the block and trusts its order. What lies out of order is found by nobody, and is lost.",
      }));
      builder.add(b, bytesOf("older"), 4);
      builder.add(bytesOf("ba"), bytesOf("next"), 9);
      const read = subject.readBlock(builder.finish());
      expectThat(read.length === 3, () => ({
        happened: `A block refused ${what} and then took two more versions. It should have 3 entries, and has ${read.length}.`,
        why: "Who is refused may go on: the mistake was one entry, not the table.",
      }));
    }
  },
};

const limit: Check<Subject> = {
  name: "a block stays within its limit, unless its only entry is larger",
  kind: "unit",
  rule: "S7",
  run(subject, { seed }) {
    const random = seededRandom(seed);
    for (const limitBytes of [64, 100, 333, 1000]) {
      const builder = subject.createBlockBuilder(limitBytes);
      let count = 0;
      const add = (): boolean =>
        builder.add(bytesOf(String(1000 + count)), random.bytes(random.below(20)), 1);
      while (count < 500 && add()) count += 1;
      const { bytes } = builder;
      const block = builder.finish();
      expectThat(block.length <= limitBytes && count > 0, () => ({
        happened: `A builder with a limit of ${limitBytes} bytes took ${count} entries before add returned false. The block has ${block.length} bytes.`,
        why: "A lookup reads one block. Blocks that outgrow their limit make every lookup read more than was planned, and the disk reads in pages of 4096 bytes.",
        bytes: {
          title: "the end of the block",
          bytes: block.subarray(-48),
          offset: Math.max(0, block.length - 48),
        },
      }));
      expectThat(bytes === block.length && subject.readBlock(block).length === count, () => ({
        happened: `After ${count} entries (and one that did not fit) builder.bytes was ${bytes}; the block has ${block.length} bytes and ${subject.readBlock(block).length} entries.`,
        why: "The writer of a table asks for these bytes to decide when a table is full.",
      }));
    }
    const builder = subject.createBlockBuilder(64);
    const isAdded = builder.add(bytesOf("k"), new Uint8Array(500), 1);
    expectThat(isAdded, () => ({
      happened:
        "A value of 500 bytes came into an empty block with a limit of 64. Your add said false.",
      why: "It fits no other block either: the writer would open new blocks forever.",
    }));
  },
};

const reuse: Check<Subject> = {
  name: "the caller may use its buffers again as soon as add has returned",
  kind: "mistake",
  rule: "S1",
  run(subject) {
    const builder = subject.createBlockBuilder(LARGE);
    const key = bytesOf("m");
    const value = bytesOf("v1");
    builder.add(key, value, 9);
    key.set(bytesOf("a"));
    value.set(bytesOf("v2"));
    const error = thrownBy(() => builder.add(key, value, 8));
    expectThat(error instanceof RangeError, () => ({
      happened:
        'A caller added "m", wrote "a" into the same array, and added that. A RangeError was expected, ' +
        `since "a" is below "m"; your add ${errorWords(error)}: it compared the array with itself.`,
      why: "The memtable hands out views that it overwrites. A writer that keeps them believes any order.",
    }));
    const [first] = subject.readBlock(builder.finish());
    const expected = { key: bytesOf("m"), value: bytesOf("v1"), sequence: 9 };
    expectThat(same(first, expected), () => ({
      happened: `The block has ${version(first)}, not ${version(expected)}, which was added before the buffers were used again.`,
      why: "Somebody else's bytes under this key: the value of another row.",
    }));
  },
};

const compares: Check<Subject> = {
  name: "versions are ordered by key, and versions of one key newest first",
  kind: "unit",
  rule: "S1",
  run(subject) {
    const inOrder: Version[] = [
      { key: new Uint8Array(0), value: null, sequence: 3 },
      { key: bytesOf("a"), value: null, sequence: 2 ** 40 },
      { key: bytesOf("a"), value: null, sequence: 12 },
      { key: bytesOf("a"), value: null, sequence: 9 },
      { key: bytesOf("a\0"), value: null, sequence: 4 },
      { key: bytesOf("b"), value: null, sequence: 1 },
      { key: Uint8Array.of(255), value: null, sequence: 1 },
    ];
    for (const [i, a] of inOrder.entries()) {
      for (const [j, b] of inOrder.entries()) {
        const sign = Math.sign(subject.compareVersions(a, b));
        expectThat(sign === Math.sign(i - j), () => ({
          happened: `compareVersions of ${k(a.key)} at ${a.sequence} and ${k(b.key)} at ${b.sequence} has the sign ${sign}, not ${Math.sign(i - j)}.`,
          why: "A lookup takes the first version that it meets. If that is not the newest, it returns a value that was overwritten.",
        }));
      }
    }
  },
};

/** Compares a seek with a search from the first version on. */
function checkSeek(
  subject: Subject,
  block: Bytes,
  versions: readonly Version[],
  sought: { readonly key: Bytes; readonly at?: number },
): void {
  const { key, at } = sought;
  const expected = versions.find((one) => {
    const byKey = compareBytes(one.key, key);
    return byKey > 0 || (byKey === 0 && one.sequence <= (at ?? Number.MAX_SAFE_INTEGER));
  });
  const what = `seekInBlock(${k(key)}${at === undefined ? "" : `, ${at}`})`;
  const timeline = versions.slice(0, 12).map((one, i) => `${i}  ${version(one)}`);
  const got = orFail(
    () => subject.seekInBlock(block, key, at),
    (error) => ({
      rule: "S8",
      happened: `${what} in a block of ${versions.length} versions should give ${version(expected)}. It threw ${error}.`,
      why: "The block is sound. A lookup would report damage that is not there.",
      timeline,
    }),
  );
  expectThat(same(got, expected), () => ({
    rule: "S8",
    happened: `${what} in a block of ${versions.length} versions should give ${version(expected)}. It gave ${version(got)}.`,
    why: "A key that is in the file and is not found was lost, for whoever asked.",
    timeline,
  }));
}

const fourPlaces: Check<Subject> = {
  name: "a seek finds the first version at or behind a key, wherever the key lies",
  kind: "unit",
  rule: "S8",
  run(subject) {
    for (const count of [1, 2, 3, 7, 8]) {
      const versions = Array.from({ length: count }, (_, i) => ({
        key: bytesOf(`k${"bdfhjlnp"[i]}`),
        value: bytesOf(`value ${i}`),
        sequence: i + 1,
      }));
      const block = builtBlock(subject, versions);
      checkSeek(subject, block, versions, { key: bytesOf("a") });
      for (const { key } of versions) {
        for (const near of around(key)) checkSeek(subject, block, versions, { key: near });
      }
      checkSeek(subject, block, versions, { key: bytesOf("z") });
    }
  },
};

const linear: Check<Subject> = {
  name: "a seek agrees with a search from the first version on, at every sequence",
  kind: "model",
  rule: "S8",
  run(subject, { seed }) {
    for (let round = 0; round < 25; round += 1) {
      const random = seededRandom(seed * 1000 + round);
      const versions = drawVersions(random, 1 + random.below(10), 4);
      const block = builtBlock(subject, versions);
      for (const { key, sequence } of versions) {
        for (const at of [undefined, sequence, sequence - 1, sequence + 1, 1]) {
          checkSeek(subject, block, versions, at === undefined ? { key } : { key, at });
        }
        for (const near of around(key)) checkSeek(subject, block, versions, { key: near });
      }
    }
  },
};

const sharing: Check<Subject> = {
  name: "a block whose keys share their beginnings is read and searched too",
  kind: "model",
  rule: "S9",
  run(subject, { seed }) {
    for (let round = 0; round < 20; round += 1) {
      const random = seededRandom(seed * 1000 + round);
      const versions = drawVersions(random, 2 + random.below(20), 3);
      const block = sharingBlock(versions, 1 + random.below(6));
      const timeline = versions.slice(0, 12).map((one, i) => `${i}  ${version(one)}`);
      const read = orFail(
        () => subject.readBlock(block),
        (error) => ({
          happened: `A block with shared beginnings holds ${versions.length} versions, from ${version(versions[0])} on. Your readBlock threw ${error}.`,
          why: "The reference writes such blocks. An engine that it filled would seem damaged to your code.",
          timeline,
        }),
      );
      const wrong = versions.findIndex((one, i) => !same(one, read[i]));
      expectThat(wrong < 0 && read.length === versions.length, () => ({
        happened: `In a block that the reference might have written, version ${wrong} is ${version(versions[wrong])}. Your readBlock gave ${version(read[wrong])}.`,
        why: "An engine that was filled by the reference would read wrong keys, or lose them.",
        timeline,
      }));
      for (const { key, sequence } of versions) {
        checkSeek(subject, block, versions, { key, at: sequence });
        for (const near of around(key)) checkSeek(subject, block, versions, { key: near });
      }
    }
  },
};

export const blockSteps: readonly Step<Subject>[] = [
  { id: "03.1", checks: [compares, layout, readsBack, order, reuse, limit] },
  { id: "03.2", checks: [fourPlaces, linear, sharing] },
];
