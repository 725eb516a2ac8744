/**
 * Step 03.4: the Bloom filter, its hashes, its size, and what it saves.
 */
import { isCairnError } from "#base";
import { type Check, expectThat, fail, hexOf, type Step } from "#learn";
import { handlesOf, PATH } from "../lab.ts";
import { bytesOf } from "../model.ts";
import type { Subject } from "./subject.ts";
import { checkGet, diskWith, openSound } from "./table-lab.ts";
import { rowKey, rows } from "./versions.ts";
import { errorWords, k, thrownBy } from "./words.ts";

/** Of the page: key, and its two hashes. */
export const HASH_VECTORS: readonly (readonly [key: Uint8Array, a: number, b: number])[] = [
  [new Uint8Array(0), 0x92ca_2f0e, 0x09f4_5f69],
  [bytesOf("a"), 0xe037_1f19, 0xb71a_2721],
  [Uint8Array.of(97, 0), 0xd934_1ee1, 0x68f2_1431],
  [bytesOf("abc"), 0x2803_3225, 0xd663_2c97],
  [bytesOf("abcd"), 0x13e8_d9c2, 0x0f5d_8021],
  [bytesOf("apple"), 0x995b_3154, 0x2e23_44cf],
  [bytesOf("row 0007"), 0xb6b1_c0b2, 0x6ea3_9ea3],
  [Uint8Array.of(255, 255, 255, 255, 255), 0x45e7_c707, 0x5f39_23a1],
];

const KEYS = 10_000;
const BITS_PER_KEY = 10;

const vectors: Check<Subject> = {
  name: "the two hashes of a key are those of the format",
  kind: "unit",
  rule: "S9",
  run(subject) {
    for (const [key, a, b] of HASH_VECTORS) {
      const got = subject.hashKey(key);
      expectThat(got[0] === a && got[1] === b, () => ({
        happened: `hashKey(${k(key)}) should give ${a} and ${b}. Yours gave ${got[0]} and ${got[1]}.`,
        why: "The filter of a file is asked by other programs, and by yours of next year. One bit off, and a key that is there is denied.",
        timeline: arithmeticHint(got, [a, b]),
      }));
    }
  },
};

/** What the difference looks like, if it looks like something. */
function arithmeticHint(got: readonly number[], expected: readonly number[]): string[] {
  const isSigned = got.every((value, i) => value >>> 0 === expected[i]);
  if (isSigned) return ["the same 32 bits, read as a signed number: >>> 0 makes it unsigned"];
  const isWhole = got.every((value) => Number.isSafeInteger(value) && value < 2 ** 32);
  return isWhole ? [] : ["not a whole number below 2^32: a product that left the 32 bits?"];
}

const noDenial: Check<Subject> = {
  name: "none of 10,000 keys that were added is denied",
  kind: "unit",
  rule: "S6",
  run(subject) {
    const keys = Array.from({ length: KEYS }, (_, i) => bytesOf(`member ${i}`));
    const filter = subject.openFilter(subject.buildFilter(keys, BITS_PER_KEY));
    const denied = keys.filter((key) => filter?.mayContain(key) === false);
    expectThat(filter !== null && denied.length === 0, () => ({
      happened: `${KEYS} keys went into a filter of ${BITS_PER_KEY} bits per key. It denies ${denied.length} of them, the first of them ${denied[0] === undefined ? "unknown" : k(denied[0])}.`,
      why: "The engine believes a no, and goes on to older tables: it returns the value before the last one, or none.",
    }));
  },
};

const formula: Check<Subject> = {
  name: "false positives are as many as the formula says, within 30 %",
  kind: "property",
  rule: "S6",
  run(subject) {
    for (const bitsPerKey of [5, BITS_PER_KEY]) {
      const keys = Array.from({ length: KEYS }, (_, i) => bytesOf(`member ${i}`));
      const filter = subject.openFilter(subject.buildFilter(keys, bitsPerKey));
      if (filter === null)
        fail({ happened: "openFilter of a filter gave null.", why: "There is a filter." });
      let maybe = 0;
      for (let i = 0; i < KEYS; i += 1) if (filter.mayContain(bytesOf(`stranger ${i}`))) maybe += 1;
      const measured = maybe / KEYS;
      const probes = Math.round(bitsPerKey * Math.LN2);
      const predicted = (1 - Math.exp(-probes / bitsPerKey)) ** probes;
      // Three standard deviations of so few samples come on top.
      const noise = 3 * Math.sqrt(predicted / KEYS);
      expectThat(Math.abs(measured - predicted) <= predicted * 0.3 + noise, () => ({
        happened: `${KEYS} keys, ${bitsPerKey} bits for each, ${KEYS} strangers. The formula predicts ${percent(predicted)} of maybes, and your filter said maybe to ${percent(measured)}.`,
        why: "Too many, and misses read blocks for nothing. Far too few, and the filter takes memory that nobody asked for.",
      }));
    }
  },
};

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

const distinctBits: Check<Subject> = {
  name: "the probes of a key are all different bits",
  kind: "mistake",
  rule: "S6",
  run(subject) {
    for (let i = 0; i < 200; i += 1) {
      const key = bytesOf(`key ${i}`);
      const content = subject.buildFilter([key], BITS_PER_KEY);
      const probes = content[0]!;
      const bits = content.subarray(1).reduce((sum, byte) => sum + ones(byte), 0);
      expectThat(bits === probes, () => ({
        happened: `A filter of 64 bits got one key, ${k(key)}, with ${probes} probes. ${bits} bits are set: a step that has a divisor in common with 64 comes back to bits that it has set.`,
        why: "With a step of 0 all probes are one. Such keys are told apart by one bit instead of seven, and the rate is not what the formula says.",
        bytes: { title: "the filter block", bytes: content },
      }));
    }
  },
};

function ones(byte: number): number {
  return byte.toString(2).replaceAll("0", "").length;
}

const price: Check<Subject> = {
  name: "ten times fewer false positives cost 4.79 bits per key, each time",
  kind: "unit",
  rule: "S6",
  run(subject) {
    for (const [rate, bits] of [
      [0.1, 4.79],
      [0.01, 9.59],
      [0.001, 14.38],
    ] as const) {
      const got = subject.bitsPerKeyFor(rate);
      expectThat(Math.abs(got - bits) < 0.01, () => ({
        happened: `bitsPerKeyFor(${rate}) should be ${bits}. Yours gave ${Number(got.toFixed(2))}.`,
        why: "Who believes that ten times fewer cost ten times the memory does not buy them. They cost 4.79 bits.",
      }));
    }
  },
};

const nonsense: Check<Subject> = {
  name: "a filter block of nonsense is refused, and no bytes are no filter",
  kind: "fault",
  rule: "S4",
  run(subject) {
    const none = subject.openFilter(new Uint8Array(0));
    expectThat(none === null && subject.buildFilter([bytesOf("a")], 0).length === 0, () => ({
      happened:
        "With 0 bits per key a filter block has no bytes, and openFilter of no bytes gives null. Yours did not.",
      why: "A table without a filter must not deny everything.",
    }));
    for (const [what, content] of [
      ["a number of probes and no bits", [7]],
      ["0 probes", [0, 1, 2, 3]],
      ["31 probes", [31, 1, 2, 3]],
      ["255 probes", [255, 1, 2, 3]],
    ] as const) {
      const error = thrownBy(() => subject.openFilter(Uint8Array.from(content)));
      expectThat(isCairnError(error, "BYTES_MALFORMED"), () => ({
        happened: `A filter block has ${what}: ${hexOf(Uint8Array.from(content))}. BYTES_MALFORMED was expected; your openFilter ${errorWords(error)}.`,
        why: "No writer makes such a block. With 0 probes it says maybe to all, without bits it divides by zero, and nobody notices.",
      }));
    }
  },
};

const asksFirst: Check<Subject> = {
  name: "a table asks its filter before it reads, and finds every key of its own",
  kind: "unit",
  rule: "S6",
  run(subject) {
    const count = 600;
    const versions = rows(count, 20);
    const table = openSound(
      subject,
      diskWith(subject, versions, { filterBitsPerKey: BITS_PER_KEY }),
    );
    for (const { key } of versions) checkGet(table, versions, key);
    const hits = table.reads.blocks;
    const { filtered } = table.reads;
    expectThat(filtered === 0, () => ({
      happened: `${count} lookups found their keys, and table.reads.filtered is ${filtered}: it counts lookups that the filter answered with no.`,
      why: "The filter's worth is measured with this count.",
    }));
    const misses = count - 1;
    for (let i = 0; i < misses; i += 1)
      checkGet(table, versions, Uint8Array.from([...rowKey(i), 33]));
    const read = table.reads.blocks - hits;
    expectThat(read <= misses * 0.05, () => ({
      happened: `${misses} lookups of keys that are not there, within the bounds of the table, read ${read} data blocks. With ${BITS_PER_KEY} bits per key about ${Math.round(misses * 0.0082)} were expected.`,
      why: "An engine asks table after table. Without filters every miss costs a read in each of them.",
    }));
    expectThat(table.reads.filtered === misses - read, () => ({
      happened: `Of ${misses} misses ${read} read a block, so the filter answered ${misses - read}. table.reads.filtered is ${table.reads.filtered}.`,
      why: "The filter's worth is measured with this count.",
    }));
  },
};

const filterBytes: Check<Subject> = {
  name: "the filter block of a table has the bytes of the format",
  kind: "unit",
  rule: "S9",
  run(subject) {
    // Two versions of one key: a filter is over keys.
    const versions = [...rows(3), { key: rowKey(2), value: null, sequence: 1 }];
    const file = diskWith(subject, versions, { filterBitsPerKey: BITS_PER_KEY }).content(PATH);
    const { offset, bytes } = handlesOf(file)[0]!;
    const content = file.subarray(offset, offset + bytes);
    expectThat(hexOf(content) === FILTER_OF_THREE_ROWS, () => ({
      happened: `A table has the keys "row 0000", "row 0001" and "row 0002", the last in two versions. Its filter block should be ${FILTER_OF_THREE_ROWS}, and is ${hexOf(content) || "empty"}.`,
      why: "Another reader of this file asks these bits. If they lie elsewhere, it denies keys that are there.",
    }));
  },
};

/** One byte for the probes, and 64 bits. */
const FILTER_OF_THREE_ROWS = "07 48 30 20 42 81 10 e9 8f";

export const filterSteps: readonly Step<Subject>[] = [
  {
    id: "03.4",
    checks: [vectors, noDenial, distinctBits, formula, price, nonsense, asksFirst, filterBytes],
  },
];
