/**
 * Flips each bit of the last frame of a log, which no later frame vouches for.
 *
 * Whatever is flipped, the record must be gone and never be read as another one. Support for the
 * tests.
 */
import { createSimulatedDisk } from "#platform";
import { DIR, type Subject } from "./crash-lab.ts";
import { OracleViolation } from "./model.ts";

const PATH = `${DIR}/0000000000000001.wal`;
const SEGMENT_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 25;
const PAYLOAD_BYTES = 40;
const FRAME_BYTES = FRAME_HEADER_BYTES + PAYLOAD_BYTES;

/** @returns the number of bits flipped. @throws OracleViolation if a flip goes unnoticed. */
export function flipEveryBit(subject: Subject): number {
  const disk = createSimulatedDisk();
  const options = { dir: DIR, preallocateBytes: 0 };
  const { wal } = subject.openWal({ ...options, disk }, () => {});
  // Not the first record: a number or watermark of 1 or 0 leaves little that a flip could turn it
  // into.
  for (let i = 0; i < LAST; i += 1) {
    wal.append(new Uint8Array(PAYLOAD_BYTES).fill(i));
    wal.sync();
  }
  const start = SEGMENT_HEADER_BYTES + (LAST - 1) * FRAME_BYTES;
  for (let bit = 0; bit < FRAME_BYTES * 8; bit += 1) {
    const copy = disk.kill();
    copy.flipBit(PATH, start + (bit >> 3), bit & 7);
    const { report } = subject.openWal({ ...options, disk: copy }, ({ lsn }) => {
      if (lsn >= LAST) throw new OracleViolation(`W5: bit ${bit} was flipped and the record read`);
    });
    if (report.reason !== "torn-tail" || report.droppedBytes !== FRAME_BYTES) {
      throw new OracleViolation(`W6: bit ${bit}: ${report.reason}, ${report.droppedBytes} bytes`);
    }
  }
  return FRAME_BYTES * 8;
}

const LAST = 7;
