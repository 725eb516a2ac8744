/**
 * Step 00.2: whole numbers as fixed-width bytes. Method: every edge there and back, the bytes as
 * they lie, everything that must be refused, and random numbers against `DataView`.
 */
import { type Check, expectThat, fail, hexOf } from "#learn";
import { mixSeeds, seededRandom } from "#platform";
import { insteadOfRangeError } from "./refusal.ts";
import type { BytesSubject } from "./subject.ts";

const U32_EDGES = [0, 1, 255, 256, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const U64_EDGES = [...U32_EDGES, 2 ** 32, 2 ** 32 + 1, 2 ** 48, 2 ** 53 - 1];
const NOT_WHOLE = [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY];
/** What the arrays hold before anything is put: a byte that no put writes by accident. */
const UNTOUCHED = 0xee;
const RANDOM_NUMBERS = 300;

const WIDTHS = [
  { name: "U32", bytes: 4, edges: U32_EDGES, tooLarge: 2 ** 32 },
  { name: "U64", bytes: 8, edges: U64_EDGES, tooLarge: 2 ** 53 },
] as const;

type Width = (typeof WIDTHS)[number];

const putOf = (subject: BytesSubject, { name }: Width) =>
  name === "U32" ? subject.putU32 : subject.putU64;
const getOf = (subject: BytesSubject, { name }: Width) =>
  name === "U32" ? subject.getU32 : subject.getU64;

function roundTrip(width: Width): Check<BytesSubject> {
  const { name, bytes, edges } = width;
  return {
    name: `every ${name.toLowerCase()} comes back as it was written`,
    kind: "unit",
    rule: "E1",
    run(subject) {
      for (const value of edges) {
        const target = new Uint8Array(bytes + 6).fill(UNTOUCHED);
        putOf(subject, width)(target, 3, value);
        const back = getOf(subject, width)(target, 3);
        if (back === value) continue;
        fail({
          happened:
            `put${name} wrote ${value} (0x${value.toString(16)}) at offset 3. get${name} at ` +
            `offset 3 then returned ${back}.`,
          why:
            "Offsets, lengths and sequence numbers are stored like this. One that comes back " +
            "as another number leads to another record, or past the end of the file.",
          bytes: {
            title: "the array",
            bytes: target,
            fields: [{ at: 3, bytes, name: name.toLowerCase() }],
          },
        });
      }
    },
  };
}

const lowestFirst: Check<BytesSubject> = {
  name: "the lowest byte comes first, and no other byte is touched",
  kind: "unit",
  rule: "E2",
  run(subject) {
    const cases: [Width, number, number[]][] = [
      [WIDTHS[0], 0x0102_0304, [4, 3, 2, 1]],
      [WIDTHS[1], 0x0002_0304_0506_0708, [8, 7, 6, 5, 4, 3, 2, 0]],
    ];
    for (const [width, value, order] of cases) {
      const { name, bytes } = width;
      const target = new Uint8Array(bytes + 4).fill(UNTOUCHED);
      putOf(subject, width)(target, 2, value);
      const wanted = Uint8Array.from([UNTOUCHED, UNTOUCHED, ...order, UNTOUCHED, UNTOUCHED]);
      expectThat(hexOf(target) === hexOf(wanted), () => ({
        happened:
          `put${name} wrote 0x${value.toString(16)} at offset 2 of an array full of ee. It ` +
          `should read ${hexOf(wanted)}, and it reads ${hexOf(target)}.`,
        why:
          "A file is read by other programs, and by the next version of yours. They find the " +
          "number only where the format says that it is.",
        bytes: {
          title: "the array",
          bytes: target,
          fields: [{ at: 2, bytes, name: name.toLowerCase() }],
        },
      }));
    }
  },
};

const refusesNumbers: Check<BytesSubject> = {
  name: "a number that does not fit is refused, and nothing is written",
  kind: "unit",
  rule: "E1",
  run(subject) {
    for (const width of WIDTHS) {
      for (const value of [width.tooLarge, ...NOT_WHOLE]) {
        const target = new Uint8Array(width.bytes).fill(UNTOUCHED);
        const instead = insteadOfRangeError(() => putOf(subject, width)(target, 0, value));
        const changed = target.some((byte) => byte !== UNTOUCHED);
        if (instead === null && !changed) continue;
        fail({
          happened:
            `put${width.name} was asked to write ${value} and should have thrown a RangeError ` +
            "with the array as it was (full of ee). " +
            (instead === null
              ? "It threw, but only after it had changed the array."
              : `Instead ${instead}${changed ? ", and the array was changed" : ""}.`),
          why:
            "A length that is wrapped to fit is a wrong length with a good checksum: nobody " +
            "will ever notice. An error at the moment of writing costs one request.",
          bytes: { title: "the array", bytes: target },
        });
      }
    }
  },
};

const refusesOffsets: Check<BytesSubject> = {
  name: "an offset outside the array is refused",
  kind: "unit",
  rule: "E1",
  run(subject) {
    for (const width of WIDTHS) {
      const { name, bytes } = width;
      const array = new Uint8Array(bytes + 2).fill(UNTOUCHED);
      for (const offset of [-1, 3, bytes, bytes + 2, bytes + 3]) {
        const put = insteadOfRangeError(() => putOf(subject, width)(array, offset, 7));
        const get = insteadOfRangeError(() => getOf(subject, width)(array, offset));
        const changed = array.some((byte) => byte !== UNTOUCHED);
        if (put === null && get === null && !changed) continue;
        const isGet = put === null && !changed;
        const [call, instead] = isGet ? [`get${name}`, get] : [`put${name}`, put];
        fail({
          happened:
            `An array has ${array.length} bytes. ${call} at offset ${offset} needs bytes that ` +
            "are not there and should have thrown a RangeError with the array as it was. " +
            (instead === null
              ? "It threw, but bytes of the array have changed."
              : `Instead ${instead}.`),
          why:
            "An array drops what is written past its end and reads as undefined there, without " +
            "a word. The half that fits is then a record that looks whole.",
          bytes: { title: "the array", bytes: array },
        });
      }
    }
  },
};

const refusesLarge: Check<BytesSubject> = {
  name: "a u64 of 2^53 or more is refused when it is read",
  kind: "unit",
  rule: "E1",
  run(subject) {
    const cases: [string, number[]][] = [
      ["2^53 + 1", [1, 0, 0, 0, 0, 0, 0x20, 0]],
      ["2^64 - 1", [255, 255, 255, 255, 255, 255, 255, 255]],
    ];
    for (const [value, bytes] of cases) {
      const source = Uint8Array.from(bytes);
      const instead = insteadOfRangeError(() => subject.getU64(source, 0));
      expectThat(instead === null, () => ({
        happened:
          `Eight bytes hold ${value}. A JavaScript number is exact only up to 2^53 - 1, so ` +
          `getU64 should have thrown a RangeError. Instead ${instead}.`,
        why:
          "2^53 + 1 becomes 2^53 without a word. Two records then have one number, and one of " +
          "the two is found under the name of the other.",
        bytes: { title: "the array", bytes: source, fields: [{ at: 0, bytes: 8, name: "u64" }] },
      }));
    }
  },
};

const views: Check<BytesSubject> = {
  name: "a part of a larger buffer is read and written at its own place",
  kind: "mistake",
  rule: "E1",
  run(subject) {
    for (const width of WIDTHS) {
      const { name, bytes } = width;
      const memory = new Uint8Array(32).fill(UNTOUCHED);
      const part = memory.subarray(16);
      putOf(subject, width)(part, 0, 0x0a0b_0c0d);
      const back = getOf(subject, width)(memory.slice(16), 0);
      expectThat(back === 0x0a0b_0c0d, () => ({
        happened:
          `A buffer has 32 bytes. put${name} wrote 0x0a0b0c0d at offset 0 of \`subarray(16)\`, ` +
          `which is byte 16 of the buffer. There the buffer now has ` +
          `${hexOf(memory.subarray(16, 16 + bytes))}.`,
        why:
          "Every record that you parse is a part of a larger read. Written at the place of " +
          "another one, a number destroys a record that was whole.",
        bytes: {
          title: "the buffer",
          bytes: memory,
          fields: [{ at: 16, bytes, name: "here" }],
        },
      }));
    }
  },
};

const agrees: Check<BytesSubject> = {
  name: "random numbers agree with DataView",
  kind: "model",
  rule: "E2",
  run(subject, { seed }) {
    const random = seededRandom(mixSeeds(seed, 2));
    for (let round = 0; round < RANDOM_NUMBERS; round += 1) {
      const low = random.below(2 ** 32);
      // As often a small number as a large one: half of the bits are drawn away at random.
      const value = random.below(2 ** random.below(22)) * 2 ** 32 + low;
      const target = new Uint8Array(12);
      const view = new DataView(target.buffer);
      subject.putU64(target, 0, value);
      subject.putU32(target, 8, low);
      const [long, short] = [view.getBigUint64(0, true), view.getUint32(8, true)];
      const back = [subject.getU64(target, 0), subject.getU32(target, 8)];
      const right = long === BigInt(value) && short === low && back[0] === value && back[1] === low;
      expectThat(right, () => ({
        happened:
          `Number ${round + 1} of ${RANDOM_NUMBERS}: putU64 wrote ${value}, DataView reads ` +
          `${long}, getU64 reads ${back[0]}. putU32 wrote ${low}, DataView reads ${short}, ` +
          `getU32 reads ${back[1]}.`,
        why: "A number that only some values survive is the worst kind: your tests use the others.",
        bytes: {
          title: "the array",
          bytes: target,
          fields: [
            { at: 0, bytes: 8, name: "u64" },
            { at: 8, bytes: 4, name: "u32" },
          ],
        },
      }));
    }
  },
};

/** The checks of step 00.2. */
export const intChecks: readonly Check<BytesSubject>[] = [
  roundTrip(WIDTHS[0]),
  roundTrip(WIDTHS[1]),
  lowestFirst,
  refusesNumbers,
  refusesOffsets,
  refusesLarge,
  views,
  agrees,
];
