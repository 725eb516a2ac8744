/**
 * What readers get wrong in steps 01.4 to 01.6, as patches on the chapter's solution.
 */
import type { StepMistake } from "../../support/four-way.ts";

export const tailMistakes: readonly StepMistake[] = [
  {
    name: "a header of zeros is an empty record",
    step: "01.4",
    caughtBy: "recovery keeps acknowledged records when the tail is torn",
    rule: "W5",
    trap: "T2",
    patches: [
      {
        file: "frame.ts",
        from: "putU32(bytes, CHECKSUM_OFFSET, crc32c(bytes.subarray(LENGTH_OFFSET), seed));",
        to: "putU32(bytes, CHECKSUM_OFFSET, crc32c(frame.payload));",
      },
      {
        file: "frame.ts",
        from: "source.subarray(offset + LENGTH_OFFSET, endOffset);",
        to: "source.subarray(offset + FRAME_HEADER_BYTES, endOffset);",
      },
      { file: "frame.ts", from: "crc32c(checked, expected.seed)", to: "crc32c(checked)" },
      {
        file: "frame.ts",
        from: "if (type !== FrameType.record && type !== FrameType.mark) return",
        to: "if (type === undefined || (type as number) > FrameType.mark) return",
      },
      {
        file: "frame.ts",
        from: '  if (expected.lsn !== null && lsn !== expected.lsn) return "unexpected lsn";\n',
        to: "",
      },
      {
        file: "scan.ts",
        from: "    if (frame.type === FrameType.record) {",
        to: "    if (frame.type !== FrameType.mark) {",
      },
    ],
  },
  {
    name: "zeros behind the end are counted as a torn tail",
    step: "01.4",
    caughtBy: "recovery keeps acknowledged records when the tail is torn",
    rule: "W6",
    patches: [
      {
        file: "scan.ts",
        from: "tail.findLastIndex((byte) => byte !== 0) + 1",
        to: "tail.length",
      },
    ],
  },
  {
    name: "the torn tail is left where it is, and written over",
    step: "01.4",
    caughtBy: "what is appended after a torn tail survives the next power cut",
    rule: "W6",
    trap: "T7",
    patches: [
      {
        file: "recovery.ts",
        from: "  if (handle.size() > segment.endOffset) handle.truncate(segment.endOffset);\n",
        to: "",
      },
    ],
  },
  {
    name: "recovery does not sync what it has handed out",
    step: "01.4",
    caughtBy: "what openWal has handed out survives the next power cut",
    rule: "W8",
    trap: "T7",
    patches: [{ file: "recovery.ts", from: "  handle.sync();\n", to: "" }],
  },
  {
    name: "recovery empties the file and writes the good records again",
    step: "01.4",
    caughtBy: "a power cut in the middle of recovery loses nothing",
    rule: "W8",
    patches: [
      {
        file: "recovery.ts",
        from: "  if (handle.size() > segment.endOffset) handle.truncate(segment.endOffset);\n",
        to: `  const good = new Uint8Array(segment.endOffset);
  handle.read(0, good);
  handle.truncate(0);
  handle.sync();
  handle.write(0, good);\n`,
      },
    ],
  },
  {
    name: "the report forgets the tail",
    step: "01.4",
    caughtBy: "a record that ends at any byte is dropped, and the report says how much",
    rule: "W6",
    patches: [
      {
        file: "open.ts",
        from: 'scan.droppedBytes > 0 ? "torn-tail"',
        to: 'scan.droppedBytes < 0 ? "torn-tail"',
      },
    ],
  },
  {
    name: "the first bad record is the end of the log, whatever follows",
    step: "01.5",
    caughtBy: "damage to a record that a later one vouches for is refused, with its place",
    rule: "W6",
    trap: "T5",
    patches: [{ file: "witness.ts", from: "return true;", to: "return false;" }],
  },
  {
    name: "any valid record behind a bad one is called corruption",
    step: "01.5",
    caughtBy: "records that arrive without one before them, promised to nobody, are no damage",
    rule: "W6",
    patches: [
      {
        file: "witness.ts",
        from: 'typeof frame !== "string" && frame.watermark >= bad.lsn',
        to: 'typeof frame !== "string"',
      },
    ],
  },
  {
    name: "the search for a witness jumps by the damaged length",
    step: "01.5",
    caughtBy: "damage to a record that a later one vouches for is refused, with its place",
    rule: "W6",
    patches: [
      {
        file: "witness.ts",
        from: "  for (let offset = 1;",
        to: `  const length = tail.length < 8 ? 0 : (tail[4]! | (tail[5]! << 8) | (tail[6]! << 16));
  for (let offset = 25 + length;`,
      },
    ],
  },
  {
    name: "a witness must vouch for more than the bad record",
    step: "01.5",
    caughtBy: "damage to a record that a later one vouches for is refused, with its place",
    rule: "W6",
    patches: [
      { file: "witness.ts", from: "frame.watermark >= bad.lsn", to: "frame.watermark > bad.lsn" },
    ],
  },
  {
    name: "every bad record is called corruption",
    step: "01.5",
    caughtBy: "damage that no later record vouches for is a torn tail",
    rule: "W6",
    patches: [{ file: "witness.ts", from: "  return false;\n", to: "  return true;\n" }],
  },
  {
    name: "the file is cut first, and refused then",
    step: "01.5",
    caughtBy: "damage to a record that a later one vouches for is refused, with its place",
    rule: "W6",
    patches: [
      {
        file: "scan.ts",
        from: "    throw walCorrupt(",
        to: `    const file = settings.disk.open(segment.path, "read-write");
    file.truncate(offset);
    throw walCorrupt(`,
      },
    ],
  },
  {
    name: "the directory is not synced",
    step: "01.6",
    caughtBy: "records in a new segment survive, whenever the power is cut",
    rule: "W9",
    trap: "T4",
    patches: [{ file: "segment.ts", from: "  disk.syncDir(dir);\n", to: "" }],
  },
  {
    name: "the header is not synced before records follow",
    step: "01.6",
    caughtBy: "records in a new segment survive, whenever the power is cut",
    rule: "W9",
    patches: [{ file: "segment.ts", from: "  handle.sync();\n", to: "" }],
  },
  {
    name: "the old segment is not synced before a new one is made",
    step: "01.6",
    caughtBy: "a segment is made only when everything before it is durable",
    rule: "W9",
    patches: [
      {
        file: "log.ts",
        from: "    this.#syncNow();\n    this.#continueIn(",
        to: "    this.#continueIn(",
      },
    ],
  },
  {
    name: "a half-made last segment is refused",
    step: "01.6",
    caughtBy: "records in a new segment survive, whenever the power is cut",
    rule: "W9",
    patches: [{ file: "segment.ts", from: "if (isLast && holdsNothing()) return null;", to: "" }],
  },
  {
    name: "segments are sorted as texts",
    step: "01.6",
    caughtBy: "a segment ends at its limit, and all of them are read in order",
    rule: "W9",
    patches: [{ file: "segment.ts", from: "numbers.sort((a, b) => a - b)", to: "numbers.sort()" }],
  },
  {
    name: "an empty segment is left for a record that is too large",
    step: "01.6",
    caughtBy: "a record larger than a segment gets one of its own",
    rule: "W9",
    patches: [
      {
        file: "log.ts",
        from: "    if (!isFull || this.nextLsn === this.#last.firstLsn) return;",
        to: "    if (!isFull) return;",
      },
    ],
  },
  {
    name: "nobody asks whether a segment reaches the next one",
    step: "01.6",
    caughtBy: "a segment that is missing, cut short or without a header is refused",
    rule: "W6",
    patches: [
      {
        file: "scan.ts",
        from: "before !== null && nextLsn < before",
        to: "before !== null && false",
      },
    ],
  },
  {
    name: "frames are not bound to their segment",
    step: "01.6",
    caughtBy: "old records of another segment are not replayed",
    rule: "W4",
    trap: "T3",
    patches: [
      {
        file: "segment.ts",
        from: "return { ...header, path,",
        to: "return { ...header, seed: 0, path,",
      },
    ],
  },
];
