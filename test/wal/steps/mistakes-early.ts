/**
 * What readers get wrong in steps 01.1 to 01.3, as patches on the chapter's solution.
 */
import type { StepMistake } from "../../support/four-way.ts";

const CHECKSUM_MADE =
  "putU32(bytes, CHECKSUM_OFFSET, crc32c(bytes.subarray(LENGTH_OFFSET), seed));";
const CHECKSUM_CHECKED = "source.subarray(offset + LENGTH_OFFSET, endOffset);";

export const earlyMistakes: readonly StepMistake[] = [
  {
    name: "the checksum covers the payload only",
    step: "01.1",
    caughtBy: "every single flipped bit of a frame is noticed",
    rule: "W5",
    trap: "T1",
    patches: [
      {
        file: "frame.ts",
        from: CHECKSUM_MADE,
        to: "putU32(bytes, CHECKSUM_OFFSET, crc32c(frame.payload, seed));",
      },
      {
        file: "frame.ts",
        from: CHECKSUM_CHECKED,
        to: "source.subarray(offset + FRAME_HEADER_BYTES, endOffset);",
      },
    ],
  },
  {
    name: "zeros vouch for themselves: type 0 is let through, and the checksum covers the payload",
    step: "01.1",
    caughtBy: "an empty payload is a record, and zeros are not",
    rule: "W5",
    trap: "T2",
    patches: [
      {
        file: "frame.ts",
        from: CHECKSUM_MADE,
        to: "putU32(bytes, CHECKSUM_OFFSET, crc32c(frame.payload, seed));",
      },
      {
        file: "frame.ts",
        from: CHECKSUM_CHECKED,
        to: "source.subarray(offset + FRAME_HEADER_BYTES, endOffset);",
      },
      {
        file: "frame.ts",
        from: "if (type !== FrameType.record && type !== FrameType.mark) return",
        to: "if (type === undefined || (type as number) > FrameType.mark) return",
      },
    ],
  },
  {
    name: "the payload is allocated before its length is checked",
    step: "01.1",
    caughtBy: "a length that lies is no frame, and allocates nothing",
    rule: "W5",
    trap: "T1",
    patches: [
      {
        file: "frame.ts",
        from: "  if (length > left - FRAME_HEADER_BYTES) return",
        to: "  const room = new Uint8Array(length);\n  if (room.length > left - FRAME_HEADER_BYTES) return",
      },
    ],
  },
  {
    name: "the length is not held against the end of the file",
    step: "01.1",
    caughtBy: "a frame that is cut off at any byte is no frame",
    rule: "W5",
    patches: [
      {
        file: "frame.ts",
        from: "(crc32c(checked, expected.seed) !== getU32(source, offset + CHECKSUM_OFFSET)) {",
        to: `(
    endOffset <= source.length &&
    crc32c(checked, expected.seed) !== getU32(source, offset)
  ) {`,
      },
      {
        file: "frame.ts",
        from: '  if (length > left - FRAME_HEADER_BYTES) return "length beyond the end";\n',
        to: "",
      },
    ],
  },
  {
    name: "the number is kept in four bytes",
    step: "01.1",
    caughtBy: "what was encoded is found again, wherever it lies",
    rule: "W4",
    patches: [
      {
        file: "frame.ts",
        from: "  putU64(bytes, LSN_OFFSET, frame.lsn);",
        to: "  putU32(bytes, LSN_OFFSET, frame.lsn % 2 ** 32);",
      },
    ],
  },
  {
    name: "the number of a frame is not looked at",
    step: "01.1",
    caughtBy: "a whole frame with another number is refused, unless any number will do",
    rule: "W5",
    trap: "T3",
    patches: [
      {
        file: "frame.ts",
        from: '  if (expected.lsn !== null && lsn !== expected.lsn) return "unexpected lsn";\n',
        to: "",
      },
    ],
  },
  {
    name: "the checksum does not begin with the segment's",
    step: "01.1",
    caughtBy: "a frame of another segment is no frame here",
    rule: "W5",
    patches: [
      {
        file: "frame.ts",
        from: "crc32c(bytes.subarray(LENGTH_OFFSET), seed)",
        to: "crc32c(bytes.subarray(LENGTH_OFFSET))",
      },
      { file: "frame.ts", from: "crc32c(checked, expected.seed)", to: "crc32c(checked)" },
    ],
  },
  {
    name: "payloads are kept until flush, not copied",
    step: "01.2",
    caughtBy: "what the caller does to its array after append changes no record",
    rule: "W4",
    patches: [
      {
        file: "log.ts",
        from: "    this.#handle.write(segment.endOffset, frame);\n",
        to: `    const at = segment.endOffset;
    const again = { type: FrameType.record, lsn, watermark, payload };
    this.#later.push(() => this.#handle.write(at, encodeFrame(again, segment.seed)));\n`,
      },
      {
        file: "log.ts",
        from: "  flush(): void {\n    this.#guard.check();\n",
        to: "  readonly #later: (() => void)[] = [];\n  flush(): void {\n    for (const write of this.#later.splice(0)) write();\n",
      },
    ],
  },
  {
    name: "numbers begin with 1 again after opening",
    step: "01.2",
    caughtBy: "after opening again, numbers go on where they ended",
    rule: "W1",
    patches: [
      {
        file: "log.ts",
        from: "    this.nextLsn = start.nextLsn;",
        to: "    this.nextLsn = 1;",
      },
    ],
  },
  {
    name: "scanning notes no offsets",
    step: "01.2",
    caughtBy: "any range can be read from the open log, old records and new",
    rule: "W3",
    patches: [{ file: "scan.ts", from: "      segment.offsets.push(offset);\n", to: "" }],
  },
  {
    name: "the watermark is the record's own number",
    step: "01.2",
    caughtBy: "the file is sound in the eyes of another reader",
    rule: "W5",
    patches: [
      {
        file: "log.ts",
        from: "const watermark = this.durableLsn;",
        to: "const watermark = lsn;",
      },
    ],
  },
  {
    name: "the scan ends one record early",
    step: "01.2",
    caughtBy: "500 records of any size come back, in order, byte for byte",
    rule: "W3",
    patches: [
      {
        file: "frame.ts",
        from: "  if (length > left - FRAME_HEADER_BYTES) return",
        to: "  if (length >= left - FRAME_HEADER_BYTES) return",
      },
    ],
  },
  {
    name: "a mark takes a number",
    step: "01.2",
    caughtBy: "a mark in a log of the reference's is no record and takes no number",
    rule: "W1",
    patches: [
      {
        file: "scan.ts",
        from: "    if (frame.type === FrameType.record) {",
        to: "    if (frame.type === FrameType.record || frame.type === FrameType.mark) {",
      },
    ],
  },
  {
    name: "sync does nothing, for the data is in the file already",
    step: "01.3",
    caughtBy: "whenever the power is cut, what sync covered is there",
    rule: "W2",
    patches: [
      {
        file: "log.ts",
        from: "    this.#handle.sync();\n    this.durable",
        to: "    this.durable",
      },
    ],
  },
  {
    name: "sync syncs the directory and not the file",
    step: "01.3",
    caughtBy: "one sync covers all the appends before it",
    rule: "W2",
    patches: [
      {
        file: "log.ts",
        from: "    this.#handle.sync();\n    this.durable",
        to: "    this.#settings.disk.syncDir(this.#settings.dir);\n    this.durable",
      },
    ],
  },
  {
    name: "durableLsn moves before the sync",
    step: "01.3",
    caughtBy: "durableLsn says no more than a sync that has returned",
    rule: "W2",
    patches: [
      {
        file: "log.ts",
        from: "    this.#handle.sync();\n    this.durableLsn = this.nextLsn - 1;",
        to: "    this.durableLsn = this.nextLsn - 1;\n    this.#handle.sync();",
      },
    ],
  },
];
