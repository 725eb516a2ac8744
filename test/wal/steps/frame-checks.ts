/**
 * Step 01.1: one frame. The table, the zeros, every bit, lengths that lie.
 */
import { type Bytes, errorText } from "#base";
import { equalBytes } from "#bytes";
import { type Check, expectThat, fail } from "#learn";
import { FRAME_HEADER_BYTES, frameExcerpt, joined, rawFrame } from "./raw.ts";
import type { Expected, FoundFrame, FrameParts, WalSubject } from "./subject.ts";

const SEED = 0x1234_5678;
const PAYLOAD: Bytes = new TextEncoder().encode("deposit 100");
const FRAME: FrameParts = { type: 1, lsn: 7, watermark: 5, payload: PAYLOAD };

/** Calls decodeFrame, which must never throw. */
function decode(
  subject: WalSubject,
  source: Bytes,
  offset: number,
  expected: Expected,
): FoundFrame | string {
  try {
    return subject.decodeFrame(source, offset, expected);
  } catch (error) {
    if (error instanceof Error && error.name === "NotWrittenError") throw error;
    return fail(
      {
        happened: `Your decodeFrame threw at byte ${offset} of ${source.length}: ${errorText(error)}. The bytes are damaged, which is no surprise: a string that says what is wrong was expected.`,
        why: "Recovery meets damaged bytes after every power cut. If it stops with an error there, the service does not start.",
        rule: "W5",
        bytes: frameExcerpt("the bytes", source.slice(offset), offset),
      },
      error,
    );
  }
}

const FIELDS = [
  { name: "checksum", from: 0 },
  { name: "length", from: 4 },
  { name: "type", from: 8 },
  { name: "lsn", from: 9 },
  { name: "watermark", from: 17 },
  { name: "payload", from: FRAME_HEADER_BYTES },
];

function fieldAt(offset: number): string {
  return FIELDS.findLast(({ from }) => from <= offset)?.name ?? "";
}

const layout: Check<WalSubject> = {
  name: "the bytes of a frame lie as the table says",
  kind: "unit",
  rule: "W5",
  run(subject) {
    const wanted = rawFrame(FRAME, SEED);
    const bytes = subject.encodeFrame(FRAME, SEED);
    if (equalBytes(bytes, wanted)) return;
    // The checksum covers the rest, so it is the last to be blamed.
    const differs = (at: number) => bytes[at] !== wanted[at];
    const places = [...wanted.keys()].filter(differs);
    const at = places.find((place) => place >= 4) ?? places[0] ?? wanted.length;
    const field = fieldAt(at);
    const isOnlyChecksum = places.length > 0 && at < 4;
    const text = isOnlyChecksum
      ? "All other bytes are right: look at what the checksum covers, and what it begins with."
      : `Byte ${at} belongs to the field ${field}: expected ${wanted[at] ?? "no byte"}, got ${bytes[at] ?? "no byte"}.`;
    fail({
      happened: `Record 7, watermark 5, payload "deposit 100", seed 0x12345678: a frame of ${wanted.length} bytes was expected. Your encodeFrame made ${bytes.length} bytes that differ. ${text}`,
      why: "The layout is a promise to every other reader of the file: yours of next year, npx cairn inspect, the reference.",
      bytes: frameExcerpt("what encodeFrame made", bytes),
    });
  },
};

const roundTrip: Check<WalSubject> = {
  name: "what was encoded is found again, wherever it lies",
  kind: "unit",
  rule: "W4",
  run(subject) {
    for (const lsn of [1, 255, 2 ** 32 + 5, 2 ** 53 - 1]) {
      for (const [offset, payload] of [
        [0, PAYLOAD],
        [41, new Uint8Array(600).fill(9)],
      ] as const) {
        const frame = { type: 1 as const, lsn, watermark: lsn - 1, payload };
        const bytes = subject.encodeFrame(frame, SEED);
        const source = joined(new Uint8Array(offset).fill(0xee), bytes, PAYLOAD);
        const found = decode(subject, source, offset, { seed: SEED, lsn });
        const got = typeof found === "string" ? `"${found}"` : describe(found);
        const wanted = describe({ ...frame, endOffset: offset + bytes.length });
        expectThat(got === wanted, () => ({
          happened: `A frame was encoded and laid at byte ${offset}: ${wanted}. Your decodeFrame found there: ${got}.`,
          why: "What cannot be found again was never saved.",
          bytes: frameExcerpt("the frame", bytes, offset),
        }));
        expectThat(typeof found !== "string" && equalBytes(found.payload, payload), () => ({
          happened: `Record ${lsn} came back with another payload than was encoded, at byte ${offset}.`,
          why: "The right number with the wrong content is an invented record.",
          bytes: frameExcerpt("the frame", bytes, offset),
        }));
      }
    }
  },
};

function describe({ type, lsn, watermark, payload, endOffset }: FoundFrame): string {
  return `type ${type}, lsn ${lsn}, watermark ${watermark}, ${payload.length} bytes, ends at ${endOffset}`;
}

const emptyAndZeros: Check<WalSubject> = {
  name: "an empty payload is a record, and zeros are not",
  kind: "mistake",
  rule: "W5",
  run(subject) {
    const empty = { type: 1 as const, lsn: 3, watermark: 2, payload: new Uint8Array(0) };
    const bytes = subject.encodeFrame(empty, SEED);
    const found = decode(subject, bytes, 0, { seed: SEED, lsn: 3 });
    expectThat(typeof found !== "string", () => ({
      happened: `Record 3 has an empty payload, which is allowed: its type says that it is there. Your decodeFrame answered "${found}".`,
      why: "Somebody appended it and was told its number. It has to come back.",
      bytes: frameExcerpt("an empty record", bytes),
    }));
    const zeros = new Uint8Array(64);
    for (const seed of [0, SEED]) {
      for (const lsn of [0, null]) {
        const phantom = decode(subject, zeros, 0, { seed, lsn });
        expectThat(typeof phantom === "string", () => ({
          happened: `64 zero bytes were taken for a record: type 0, length 0, LSN 0. The checksum of no bytes is 0, so the zeros vouched for themselves.`,
          why: "A file can grow before its data arrives: the new space reads as zeros (D3). Each of them would be a record that nobody wrote.",
          bytes: frameExcerpt("the record that you accepted", zeros),
        }));
      }
    }
  },
};

const WHAT_A_FLIP_DOES: Readonly<Record<string, string>> = {
  checksum: "A checksum that does not match must not be believed, whichever side is damaged.",
  length: "A wrong length swallows the records behind it, or asks for gigabytes.",
  type: "The type decides what a record is for. One bit, and a put is a delete.",
  lsn: "The bytes of record 7 would come back under another number: a replica applies them twice, or in the wrong place.",
  watermark:
    "The watermark decides between a torn tail and damage. A wrong one cuts off what was promised, or refuses a sound log.",
  payload: "The customer's deposit would come back as another sum.",
};

const everyBit: Check<WalSubject> = {
  name: "every single flipped bit of a frame is noticed",
  kind: "fault",
  rule: "W5",
  run(subject) {
    const good = subject.encodeFrame(FRAME, SEED);
    const sound = decode(subject, good, 0, { seed: SEED, lsn: null });
    expectThat(typeof sound !== "string", () => ({
      happened: `Your decodeFrame refused a frame that your encodeFrame had just made: "${sound}".`,
      why: "What cannot be found again was never saved.",
      bytes: frameExcerpt("the frame", good),
    }));
    for (let bit = 0; bit < good.length * 8; bit += 1) {
      const bytes = good.slice();
      const at = bit >> 3;
      bytes[at]! ^= 1 << (bit & 7);
      const found = decode(subject, bytes, 0, { seed: SEED, lsn: null });
      expectThat(typeof found === "string", () => ({
        happened: `One bit of a frame was flipped: bit ${bit & 7} of byte ${at}, in the field ${fieldAt(at)}. It was 0x${hex(good[at])}, it is 0x${hex(bytes[at])}. Your decodeFrame took the frame for valid.`,
        why: WHAT_A_FLIP_DOES[fieldAt(at)] ?? "",
        bytes: frameExcerpt("the damaged frame", bytes),
      }));
    }
  },
};

const hex = (byte = 0): string => byte.toString(16).padStart(2, "0");

const MIB = 2 ** 20;

const lyingLength: Check<WalSubject> = {
  name: "a length that lies is no frame, and allocates nothing",
  kind: "fault",
  rule: "W5",
  run(subject) {
    for (const length of [0xffff_ffff, 256 * MIB, PAYLOAD.length + 1]) {
      const bytes = subject.encodeFrame(FRAME, SEED);
      new DataView(bytes.buffer, bytes.byteOffset).setUint32(4, length, true);
      const before = process.memoryUsage().arrayBuffers;
      const found = decode(subject, bytes, 0, { seed: SEED, lsn: 7 });
      const grown = process.memoryUsage().arrayBuffers - before;
      expectThat(typeof found === "string", () => ({
        happened: `A frame of ${bytes.length} bytes says that its payload has ${length}. Your decodeFrame took it for valid.`,
        why: "The scan would go on far behind the end of the file.",
        bytes: frameExcerpt("the frame", bytes),
      }));
      expectThat(grown < 64 * MIB, () => ({
        happened: `A frame of ${bytes.length} bytes says that its payload has ${length}. Your decodeFrame refused it, but first it made an array for all of it.`,
        why: "One flipped bit in a length, and recovery asks for gigabytes: the process dies, is started again, and dies again.",
        bytes: frameExcerpt("the frame", bytes),
      }));
    }
  },
};

const cutAnywhere: Check<WalSubject> = {
  name: "a frame that is cut off at any byte is no frame",
  kind: "unit",
  rule: "W5",
  run(subject) {
    const whole = subject.encodeFrame(FRAME, SEED);
    for (let count = 0; count < whole.length; count += 1) {
      const found = decode(subject, whole.slice(0, count), 0, { seed: SEED, lsn: 7 });
      expectThat(typeof found === "string", () => ({
        happened: `Only ${count} of ${whole.length} bytes of a frame were there. Your decodeFrame took them for a frame.`,
        why: "A half-written record would be handed out as a whole one.",
        bytes: frameExcerpt("what was there", whole.slice(0, count)),
      }));
    }
  },
};

const otherNumber: Check<WalSubject> = {
  name: "a whole frame with another number is refused, unless any number will do",
  kind: "mistake",
  rule: "W5",
  run(subject) {
    const bytes = subject.encodeFrame(FRAME, SEED);
    for (const lsn of [6, 8]) {
      const found = decode(subject, bytes, 0, { seed: SEED, lsn });
      expectThat(typeof found === "string", () => ({
        happened: `Record ${lsn} was expected at this place. The frame that lies there is whole, its checksum is right, and it is record 7. Your decodeFrame took it.`,
        why: "Bytes of an earlier life of the file are whole records too. Only the number tells that they are not the next one.",
        bytes: frameExcerpt("record 7", bytes),
      }));
    }
    const any = decode(subject, bytes, 0, { seed: SEED, lsn: null });
    expectThat(typeof any !== "string" && any.lsn === 7, () => ({
      happened: `With lsn: null any number will do. Your decodeFrame answered ${typeof any === "string" ? `"${any}"` : `LSN ${any.lsn}`} for record 7.`,
      why: "Step 01.5 looks for a witness, and does not know its number beforehand.",
      bytes: frameExcerpt("record 7", bytes),
    }));
  },
};

const otherSegment: Check<WalSubject> = {
  name: "a frame of another segment is no frame here",
  kind: "mistake",
  rule: "W5",
  run(subject) {
    const bytes = subject.encodeFrame(FRAME, SEED);
    const found = decode(subject, bytes, 0, { seed: SEED + 1, lsn: 7 });
    expectThat(typeof found === "string", () => ({
      happened:
        "A frame was made with the seed 0x12345678 and looked for with 0x12345679, as if its bytes lay in another segment file. Your decodeFrame took it for valid.",
      why: "Blocks of a deleted segment are given to the next one. Where that is not yet overwritten, the old records would be replayed.",
      bytes: frameExcerpt("a frame of another segment", bytes),
    }));
  },
};

export const frameChecks: readonly Check<WalSubject>[] = [
  layout,
  roundTrip,
  emptyAndZeros,
  everyBit,
  lyingLength,
  cutAnywhere,
  otherNumber,
  otherSegment,
];
