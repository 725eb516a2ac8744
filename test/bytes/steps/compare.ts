/**
 * Step 00.3: the order of bytes. Method: small examples, random pairs against `Buffer.compare`, and
 * the texts on which JavaScript's own order is another one.
 */
import type { Bytes } from "#base";
import { type Check, expectThat, hexOf } from "#learn";
import { mixSeeds, seededRandom } from "#platform";
import type { Random } from "#platform/types";
import type { BytesSubject } from "./subject.ts";

const RANDOM_PAIRS = 2000;
const LENGTH_MAX = 6;
/** Few different bytes, so that equal pairs and long common beginnings come up; both halves. */
const ALPHABET = [0x00, 0x01, 0x09, 0x0a, 0x7f, 0x80, 0xff];

const bytes = (...values: number[]): Bytes => Uint8Array.from(values);

/** What the sign of a comparison says, in words. */
function inWords(order: number): string {
  if (order === 0) return "they are equal";
  if (Number.isNaN(order)) return "not a number";
  return order < 0 ? "the first comes first" : "the second comes first";
}

function compare(
  subject: BytesSubject,
  pair: { readonly a: Bytes; readonly b: Bytes; readonly wanted: number; readonly why: string },
): void {
  const { a, b, wanted, why } = pair;
  const order = subject.compareBytes(a, b);
  expectThat(Math.sign(order) === Math.sign(wanted), () => ({
    happened:
      `compareBytes([${hexOf(a)}], [${hexOf(b)}]) should be ${wanted}: ${inWords(wanted)}. It ` +
      `returned ${order}: ${inWords(order)}.`,
    why,
  }));
}

const prefixFirst: Check<BytesSubject> = {
  name: "nothing comes first, and a prefix comes before what is longer",
  kind: "unit",
  rule: "E3",
  run(subject) {
    const pairs: [Bytes, Bytes, number][] = [
      [bytes(), bytes(), 0],
      [bytes(), bytes(0), -1],
      [bytes(0), bytes(), 1],
      [bytes(1, 2), bytes(1, 2), 0],
      [bytes(1, 2), bytes(1, 2, 0), -1],
      [bytes(1, 2, 0), bytes(1, 2), 1],
    ];
    for (const [a, b, wanted] of pairs) {
      compare(subject, {
        a,
        b,
        wanted,
        why:
          "Keys have different lengths. If a key equals its own prefix, one of the two is " +
          "lost; if the order of the two is open, a search stops beside the key that it wants.",
      });
    }
  },
};

const firstDifference: Check<BytesSubject> = {
  name: "the first byte that differs decides, whatever the lengths",
  kind: "unit",
  rule: "E3",
  run(subject) {
    const pairs: [Bytes, Bytes, number][] = [
      [bytes(2), bytes(1, 9, 9), 1],
      [bytes(1, 9, 9), bytes(2), -1],
      [bytes(0x7f), bytes(0x80), -1],
      [bytes(0xff), bytes(0x00), 1],
      [bytes(9), bytes(10), -1],
      [bytes(5, 1, 9), bytes(5, 2, 0), -1],
    ];
    for (const [a, b, wanted] of pairs) {
      compare(subject, {
        a,
        b,
        wanted,
        why:
          "A sorted file is searched by halves. One pair out of order sends the search to the " +
          "wrong half, and a key that is there is not found.",
      });
    }
  },
};

const agrees: Check<BytesSubject> = {
  name: "random pairs agree with Buffer.compare",
  kind: "model",
  rule: "E3",
  run(subject, { seed }) {
    const random = seededRandom(mixSeeds(seed, 3));
    for (let round = 0; round < RANDOM_PAIRS; round += 1) {
      const [a, b] = [draw(random), draw(random)];
      compare(subject, {
        a,
        b,
        wanted: Buffer.compare(a, b),
        why:
          "Two programs that share a file must agree on its order, byte for byte. This one " +
          "would look for the key in another place than where the other has put it.",
      });
    }
  },
};

const textByBytes: Check<BytesSubject> = {
  name: "text sorts by its bytes, and not as JavaScript sorts strings",
  kind: "mistake",
  rule: "E3",
  run(subject) {
    const [last, emoji] = ["\uFFFD", "\u{1F600}"];
    const encoder = new TextEncoder();
    const [a, b] = [encoder.encode(last), encoder.encode(emoji)];
    const order = subject.compareBytes(a, b);
    expectThat(order < 0, () => ({
      happened:
        `U+FFFD is ${hexOf(a)} in UTF-8, and U+1F600 (a smiling face) is ${hexOf(b)}. As ` +
        `bytes, the first comes first. Your compareBytes returned ${order}: ${inWords(order)}.`,
      why:
        "JavaScript compares strings by UTF-16 units, and U+1F600 begins with the unit d83d " +
        "there, which is below fffd. Every other program that reads the file sorts by bytes.",
    }));
    const [broken, other] = [bytes(0xff), bytes(0xfe)];
    const rough = subject.compareBytes(broken, other);
    expectThat(rough > 0, () => ({
      happened:
        `compareBytes([ff], [fe]) should be 1. It returned ${rough}: ${inWords(rough)}. ` +
        "Neither is UTF-8, so both become the same text, U+FFFD, when they are decoded.",
      why:
        "Keys are bytes, and any bytes. Two keys that decode to one text would be one key, and " +
        "the second to be written would replace the first.",
    }));
  },
};

const threeAnswers: Check<BytesSubject> = {
  name: "the answer is -1, 0 or 1, and nothing else",
  kind: "mistake",
  rule: "E3",
  run(subject) {
    const pairs: [Bytes, Bytes, number][] = [
      [bytes(0xff), bytes(0x00), 1],
      [bytes(1), bytes(9), -1],
      [bytes(7, 7, 7), bytes(), 1],
      [bytes(), bytes(7, 7, 7), -1],
      [bytes(5), bytes(5), 0],
    ];
    for (const [a, b, wanted] of pairs) {
      const order = subject.compareBytes(a, b);
      expectThat(order === wanted, () => ({
        happened:
          `compareBytes([${hexOf(a)}], [${hexOf(b)}]) should be exactly ${wanted}. It ` +
          `returned ${order}.`,
        why:
          "The signature promises three answers. Somebody who has read it writes `=== 1`, and " +
          "their search turns the wrong way wherever two bytes differ by more than that.",
      }));
    }
  },
};

/** A part of a larger buffer, as parsed keys are. */
function draw(random: Random): Bytes {
  const length = random.below(LENGTH_MAX + 1);
  const memory = new Uint8Array(LENGTH_MAX + 4).fill(0xee);
  const from = random.below(4);
  for (let i = 0; i < length; i += 1) {
    memory[from + i] = ALPHABET[random.below(ALPHABET.length)] ?? 0;
  }
  return memory.subarray(from, from + length);
}

/** The checks of step 00.3. */
export const compareChecks: readonly Check<BytesSubject>[] = [
  prefixFirst,
  firstDifference,
  agrees,
  textByBytes,
  threeAnswers,
];
