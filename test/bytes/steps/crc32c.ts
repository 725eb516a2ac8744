/**
 * Step 00.4: the checksum. Method: published values, the definition bit by bit, pieces against the
 * whole, and every flipped bit.
 */
import type { Bytes } from "#base";
import { type Check, expectThat, hexOf } from "#learn";
import { mixSeeds, seededRandom } from "#platform";
import type { BytesSubject } from "./subject.ts";

const text = (value: string): Bytes => new TextEncoder().encode(value);

/** The usual check value, and RFC 3720, appendix B.4 (printed there as bytes, lowest first). */
const PUBLISHED: readonly [string, Bytes, number][] = [
  ['the text "123456789"', text("123456789"), 0xe306_9283],
  ["32 zeros", new Uint8Array(32), 0x8a91_36aa],
  ["32 times ff", new Uint8Array(32).fill(0xff), 0x62a8_ab43],
  ["00 01 02 … 1f", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd_794e],
  ["1f 1e 1d … 00", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113f_db5c],
];

/** What other famous checksums make of "123456789": the cousins that are taken for ours. */
const COUSINS: ReadonlyMap<number, string> = new Map([
  [0xcbf4_3926, "That is CRC-32, the one of zip and Ethernet: it has another polynomial."],
  [0x1cf9_6d7c, "That is CRC-32C without the last step, the inversion of all bits."],
  [0x58e3_fa20, "That is a CRC-32C that began with 0 instead of ffffffff."],
]);

const POLYNOMIAL = 0x82f6_3b78;
const LENGTH_MAX = 80;
const SPLITS = 100;
const FLIPPED_BYTES = 48;

const hex = (value: number): string =>
  value < 0 || !Number.isInteger(value) ? String(value) : value.toString(16).padStart(8, "0");

const published: Check<BytesSubject> = {
  name: "the checksum of known bytes is the published one",
  kind: "unit",
  rule: "E4",
  run(subject) {
    for (const [what, bytes, wanted] of PUBLISHED) {
      const checksum = subject.crc32c(bytes);
      expectThat(checksum === wanted, () => {
        const unsigned = checksum >>> 0;
        const guess =
          unsigned === wanted
            ? " These are the right bits, read as a number with a sign."
            : ` ${COUSINS.get(unsigned) ?? COUSINS.get(~unsigned >>> 0) ?? ""}`.trimEnd();
        return {
          happened:
            `The CRC-32C of ${what} is ${hex(wanted)}. Your crc32c returned ${hex(checksum)}.` +
            guess,
          why:
            "A file is checked by whoever reads it: a later version, a repair tool, another " +
            "node. With another checksum each of them takes every record for damaged.",
        };
      });
    }
  },
};

const nothing: Check<BytesSubject> = {
  name: "the checksum of nothing is 0",
  kind: "unit",
  rule: "E5",
  run(subject) {
    const checksum = subject.crc32c(new Uint8Array(0));
    expectThat(checksum === 0, () => ({
      happened:
        "crc32c of no bytes should be 0: begin with all bits set, add nothing, invert all " +
        `bits. It returned ${hex(checksum)}.`,
      why:
        "Not that 0 is a good answer: it is a trap, since a header of zeros then vouches for " +
        "itself. But all who compute CRC-32C agree on it, and the formats are made for it.",
    }));
  },
};

const definition: Check<BytesSubject> = {
  name: "the checksum agrees with the definition at every length",
  kind: "model",
  rule: "E4",
  run(subject, { seed }) {
    const memory = seededRandom(mixSeeds(seed, 4)).bytes(LENGTH_MAX + 8);
    for (let length = 0; length <= LENGTH_MAX; length += 1) {
      const bytes = memory.subarray(length % 8, (length % 8) + length);
      const [checksum, wanted] = [subject.crc32c(bytes), bitByBit(bytes)];
      expectThat(checksum === wanted, () => ({
        happened:
          `${length} random bytes, a part of a larger buffer from byte ${length % 8} on: the ` +
          `definition, bit by bit, gives ${hex(wanted)}. Your crc32c returned ` +
          `${hex(checksum)}.`,
        why: "A checksum that is wrong for some lengths takes whole records for damaged.",
        bytes: { title: "the bytes", bytes },
      }));
    }
  },
};

const pieces: Check<BytesSubject> = {
  name: "the checksum of pieces, each seeded with the one before, is that of the whole",
  kind: "property",
  rule: "E4",
  run(subject, { seed }) {
    const random = seededRandom(mixSeeds(seed, 5));
    for (let round = 0; round < SPLITS; round += 1) {
      const bytes = random.bytes(1 + random.below(60));
      const cut = random.below(bytes.length + 1);
      const [a, b] = [bytes.subarray(0, cut), bytes.subarray(cut)];
      const [whole, inPieces] = [subject.crc32c(bytes), subject.crc32c(b, subject.crc32c(a))];
      expectThat(whole === inPieces, () => ({
        happened:
          `${bytes.length} bytes were cut in two after byte ${cut}. crc32c(all) returned ` +
          `${hex(whole)}, and crc32c(second, crc32c(first)) returned ${hex(inPieces)}. The two ` +
          "should be the same.",
        why:
          "A record is checked as header and payload, which lie in different places. If that " +
          "gives another checksum, what one part of the program writes, another takes for " +
          "damaged.",
        bytes: {
          title: "the bytes",
          bytes,
          fields: cut === bytes.length ? [] : [{ at: cut, bytes: b.length, name: "second" }],
        },
      }));
    }
  },
};

const flippedBits: Check<BytesSubject> = {
  name: "every flipped bit changes the checksum",
  kind: "fault",
  rule: "E4",
  run(subject, { seed }) {
    const bytes = seededRandom(mixSeeds(seed, 6)).bytes(FLIPPED_BYTES);
    const checksum = subject.crc32c(bytes);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const [at, inByte] = [bit >> 3, bit & 7];
      const flipped = bytes.slice();
      flipped[at] = flipped[at]! ^ (1 << inByte);
      expectThat(subject.crc32c(flipped) !== checksum, () => ({
        happened:
          `Bit ${inByte} of byte ${at} was flipped: ${hexOf(bytes.subarray(at, at + 1))} ` +
          `became ${hexOf(flipped.subarray(at, at + 1))}. The checksum should differ, and is ` +
          `${hex(checksum)} for both.`,
        why: "Disks and memory flip bits. One that the checksum does not see is handed on as data.",
        bytes: { title: "the flipped bytes", bytes: flipped },
      }));
    }
  },
};

function bitByBit(bytes: Bytes): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    }
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}

/** The checks of step 00.4. */
export const crcChecks: readonly Check<BytesSubject>[] = [
  published,
  nothing,
  definition,
  pieces,
  flippedBits,
];
