/**
 * Whole numbers in as few bytes as they need (LEB128).
 *
 * | byte          | bits 0-6                       | bit 7                     |
 * | ------------- | ------------------------------ | ------------------------- |
 * | each, in turn | the next seven bits, low first | 1: another byte follows   |
 *
 * Invariant: one number has exactly one encoding. A longer one is refused, because two encodings of
 * one value make byte comparison and checksums disagree with equality.
 * Chapter: 00-bytes
 */
import { type Bytes, CairnError } from "#base";

const GROUP_BITS = 7;
const GROUP_VALUES = 2 ** GROUP_BITS;
const GROUP_MASK = GROUP_VALUES - 1;
const CONTINUES = 0x80;
/** 53 bits in groups of seven. */
export const VARINT_BYTES_MAX: number = Math.ceil(53 / GROUP_BITS);

/** Bytes that {@link putVarint} needs for a value: 1 to 8. @throws RangeError */
export function varintBytes(value: number): number {
  checkValue(value);
  let count = 1;
  for (let rest = value; rest >= GROUP_VALUES; rest = Math.floor(rest / GROUP_VALUES)) count += 1;
  return count;
}

/**
 * Writes 0 to 2^53 - 1 in seven-bit groups, lowest first.
 *
 * @returns the offset behind it.
 * @throws RangeError outside the range or the array; nothing is written then.
 */
export function putVarint(target: Bytes, offset: number, value: number): number {
  const end = offset + varintBytes(value);
  if (!(offset >= 0 && end <= target.length)) {
    throw new RangeError(`bytes: varint at ${offset} of ${target.length}: outside`);
  }
  let rest = value;
  let at = offset;
  for (; rest >= GROUP_VALUES; at += 1) {
    // `%` and not `&`: bit operations see only the low 32 bits.
    target[at] = (rest % GROUP_VALUES) | CONTINUES;
    rest = Math.floor(rest / GROUP_VALUES);
  }
  target[at] = rest;
  return end;
}

/**
 * Reads a varint.
 *
 * @returns the value and the offset behind it.
 * @throws `BYTES_MALFORMED` when it is cut off, longer than needed, or above 2^53 - 1.
 */
export function getVarint(source: Bytes, offset: number): { value: number; next: number } {
  let value = 0;
  let scale = 1;
  for (let count = 0; count < VARINT_BYTES_MAX; count += 1) {
    const byte = source[offset + count];
    if (byte === undefined) throw malformed(offset, "cut off");
    value += (byte & GROUP_MASK) * scale;
    if (byte < CONTINUES) {
      if (byte === 0 && count > 0) throw malformed(offset, "longer than needed");
      if (!Number.isSafeInteger(value)) throw malformed(offset, "above 2^53 - 1");
      return { value, next: offset + count + 1 };
    }
    scale *= GROUP_VALUES;
  }
  throw malformed(offset, "above 2^53 - 1");
}

function checkValue(value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`bytes: varint: ${value} is not from 0 to 2^53 - 1`);
  }
}

function malformed(offset: number, problem: string): CairnError {
  return new CairnError("BYTES_MALFORMED", `bytes: varint at byte ${offset}: ${problem}`, {
    details: { offset },
  });
}
