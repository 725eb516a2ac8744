/**
 * What readers of chapter 00 get wrong, as patches on its solution: each is caught by the check
 * that is named for it.
 */
import type { StepMistake } from "../../support/four-way.ts";
import { replaceMistakes } from "./mistakes-replace.ts";

export const mistakes: readonly StepMistake[] = [
  {
    name: "no sync at all",
    step: "00.1",
    caughtBy: "a note survives the power cut that follows saveNote",
    rule: "D0",
    patches: [{ file: "first.ts", from: "  file.sync();\n", to: "" }],
  },
  {
    name: "the sync comes before the write",
    step: "00.1",
    caughtBy: "a note survives the power cut that follows saveNote",
    rule: "D0",
    patches: [
      {
        file: "first.ts",
        from: "  file.write(0, content);\n  file.sync();\n",
        to: "  file.sync();\n  file.write(0, content);\n",
      },
    ],
  },
  {
    name: "the sync comes after the close",
    step: "00.1",
    caughtBy: "a note that was saved can be read",
    rule: "D0",
    patches: [
      {
        file: "first.ts",
        from: "  file.sync();\n  file.close();\n",
        to: "  file.close();\n  file.sync();\n",
      },
    ],
  },
  {
    name: "a promise instead of a durable note",
    step: "00.1",
    caughtBy: "a note that was saved can be read",
    rule: "D0",
    patches: [
      { file: "first.ts", from: "export function saveNote", to: "export async function saveNote" },
      { file: "first.ts", from: "): void {", to: "): Promise<void> {" },
      { file: "first.ts", from: "  file.sync();\n", to: "  await file.syncAsync();\n" },
    ],
  },
  {
    name: "numbers with a sign: 2^31 comes back negative",
    step: "00.2",
    caughtBy: "every u32 comes back as it was written",
    rule: "E1",
    patches: [{ file: "ints.ts", from: ".getUint32(offset, true)", to: ".getInt32(offset, true)" }],
  },
  {
    name: "the high half by a shift, which sees only 32 bits",
    step: "00.2",
    caughtBy: "every u64 comes back as it was written",
    rule: "E1",
    patches: [{ file: "ints.ts", from: "Math.floor(value / U32_VALUES)", to: "value >>> 32" }],
  },
  {
    name: "big-endian, because DataView is so by default",
    step: "00.2",
    caughtBy: "the lowest byte comes first, and no other byte is touched",
    rule: "E2",
    patches: [
      { file: "ints.ts", from: ".setUint32(offset, value, true)", to: ".setUint32(offset, value)" },
      { file: "ints.ts", from: ".getUint32(offset, true)", to: ".getUint32(offset)" },
    ],
  },
  {
    name: "a number that is too large wraps around",
    step: "00.2",
    caughtBy: "a number that does not fit is refused, and nothing is written",
    rule: "E1",
    patches: [{ file: "ints.ts", from: "  checkNumber(value, U32_MAX);\n", to: "" }],
  },
  {
    name: "half of a u64 is written before it turns out not to fit",
    step: "00.2",
    caughtBy: "an offset outside the array is refused",
    rule: "E1",
    patches: [{ file: "ints.ts", from: "  checkRoom(target, offset, U64_BYTES);\n", to: "" }],
  },
  {
    name: "2^53 and more come back rounded",
    step: "00.2",
    caughtBy: "a u64 of 2^53 or more is refused when it is read",
    rule: "E1",
    patches: [
      {
        file: "ints.ts",
        from: "  checkNumber(value, Number.MAX_SAFE_INTEGER);\n  return value;",
        to: "  return value;",
      },
    ],
  },
  {
    name: "a view of the whole buffer, not of the part",
    step: "00.2",
    caughtBy: "a part of a larger buffer is read and written at its own place",
    rule: "E1",
    patches: [
      {
        file: "ints.ts",
        from: "new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)",
        to: "new DataView(bytes.buffer)",
      },
    ],
  },
  {
    name: "the shorter one comes first",
    step: "00.3",
    caughtBy: "the first byte that differs decides, whatever the lengths",
    rule: "E3",
    patches: [
      {
        file: "compare.ts",
        from: "  for (let i = 0",
        to: "  if (a.length !== b.length) return Math.sign(a.length - b.length);\n  for (let i = 0",
      },
    ],
  },
  {
    name: "a prefix equals what is longer",
    step: "00.3",
    caughtBy: "nothing comes first, and a prefix comes before what is longer",
    rule: "E3",
    patches: [
      { file: "compare.ts", from: "return Math.sign(a.length - b.length)", to: "return 0" },
    ],
  },
  {
    name: "the difference of two bytes is the answer",
    step: "00.3",
    caughtBy: "the answer is -1, 0 or 1, and nothing else",
    rule: "E3",
    patches: [
      { file: "compare.ts", from: "return Math.sign(difference)", to: "return difference" },
    ],
  },
  {
    name: "bytes with a sign: 80 comes before 7f",
    step: "00.3",
    caughtBy: "the first byte that differs decides, whatever the lengths",
    rule: "E3",
    patches: [
      {
        file: "compare.ts",
        from: "const difference = a[i]! - b[i]!",
        to: "const difference = ((a[i]! << 24) - (b[i]! << 24)) >> 24",
      },
    ],
  },
  {
    name: "arrays compared with <, which makes text of them: 10 comes before 9",
    step: "00.3",
    caughtBy: "the first byte that differs decides, whatever the lengths",
    rule: "E3",
    patches: [
      {
        file: "compare.ts",
        from: "  for (let i = 0",
        to: "  if (String(a) !== String(b)) return a < b ? -1 : 1;\n  for (let i = 0",
      },
    ],
  },
  {
    name: "decoded to text and compared as strings",
    step: "00.3",
    caughtBy: "text sorts by its bytes, and not as JavaScript sorts strings",
    rule: "E3",
    patches: [
      {
        file: "compare.ts",
        from: "  for (let i = 0",
        to:
          "  const [s, t] = [a, b].map((bytes) => new TextDecoder().decode(bytes));\n" +
          "  if (s !== t) return s! < t! ? -1 : 1;\n  for (let i = 0",
      },
    ],
  },
  {
    name: "the polynomial of zip and Ethernet",
    step: "00.4",
    caughtBy: "the checksum of known bytes is the published one",
    rule: "E4",
    patches: [{ file: "crc32c.ts", from: "0x82f6_3b78", to: "0xedb8_8320" }],
  },
  {
    name: "a checksum with a sign",
    step: "00.4",
    caughtBy: "the checksum of known bytes is the published one",
    rule: "E4",
    patches: [{ file: "crc32c.ts", from: "return ~crc >>> 0", to: "return ~crc" }],
  },
  {
    name: "the bits are not inverted at the end",
    step: "00.4",
    caughtBy: "the checksum of nothing is 0",
    rule: "E5",
    patches: [{ file: "crc32c.ts", from: "return ~crc >>> 0", to: "return crc >>> 0" }],
  },
  {
    name: "a seed that is not inverted again: pieces do not add up",
    step: "00.4",
    caughtBy: "the checksum of pieces, each seeded with the one before, is that of the whole",
    rule: "E4",
    patches: [
      { file: "crc32c.ts", from: "let crc = ~seed", to: "let crc = seed === 0 ? ~0 : seed" },
    ],
  },
  {
    name: "a shift that drags the sign along",
    step: "00.4",
    caughtBy: "the checksum agrees with the definition at every length",
    rule: "E4",
    patches: [{ file: "crc32c.ts", from: "(crc >>> BYTE_BITS)", to: "(crc >> BYTE_BITS)" }],
  },
  {
    name: "predicted: a write is all or nothing",
    step: "00.5",
    caughtBy: "a file that is overwritten without a sync ends as you predicted",
    rule: "D2",
    patches: [
      {
        file: "predict.ts",
        from: "  torn: true,\n  zeros: true,\n  gone: false,\n};\n\n/** Written beside",
        to: "  torn: false,\n  zeros: false,\n  gone: false,\n};\n\n/** Written beside",
      },
    ],
  },
  {
    name: "predicted: an unsynced write can take the name with it",
    step: "00.5",
    caughtBy: "a file that is overwritten without a sync ends as you predicted",
    rule: "D1",
    patches: [
      {
        file: "predict.ts",
        from: "  gone: false,\n};\n\n/** Written beside",
        to: "  gone: true,\n};\n\n/** Written beside",
      },
    ],
  },
  {
    name: "predicted: a rename makes the content durable",
    step: "00.5",
    caughtBy: "a file that is renamed without a sync ends as you predicted",
    rule: "D3",
    patches: [
      {
        file: "predict.ts",
        from: "  old: false,\n  new: true,\n  torn: true,\n  zeros: true,",
        to: "  old: false,\n  new: true,\n  torn: true,\n  zeros: false,",
      },
    ],
  },
  {
    name: "predicted: the old content comes back after a rename",
    step: "00.5",
    caughtBy: "a file that is renamed without a sync ends as you predicted",
    rule: "D1",
    patches: [{ file: "predict.ts", from: "  old: false,", to: "  old: true," }],
  },
  ...replaceMistakes,
];
