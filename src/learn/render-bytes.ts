/**
 * Bytes as a reader sees them: sixteen to a line, with their offset, and fields named below.
 *
 * Invariant: a line of fields names only what begins in the line of bytes above it.
 */
import type { Bytes } from "#base";
import type { ByteExcerpt } from "./types.ts";

const BYTES_PER_LINE = 16;
const LINES_MAX = 8;
const HEX_WIDTH = 2;
/** Digits of an offset, and two blanks. */
const OFFSET_DIGITS = 6;
const OFFSET_WIDTH = OFFSET_DIGITS + 2;

/** Lines of text: a title, then bytes and field names; what is beyond `linesMax` is left out. */
export function renderBytes(excerpt: ByteExcerpt, linesMax: number = LINES_MAX): string[] {
  const offset = excerpt.offset ?? 0;
  const lines = [`${excerpt.title}, from byte ${offset}`];
  const count = Math.min(Math.ceil(excerpt.bytes.length / BYTES_PER_LINE), linesMax);
  for (let line = 0; line < count; line += 1) {
    const from = line * BYTES_PER_LINE;
    const part = excerpt.bytes.subarray(from, from + BYTES_PER_LINE);
    lines.push(`${String(offset + from).padStart(OFFSET_DIGITS)}  ${hexOf(part)}`);
    const fields = fieldLine(excerpt, from);
    if (fields !== "") lines.push(fields);
  }
  const hidden = excerpt.bytes.length - count * BYTES_PER_LINE;
  if (hidden > 0) lines.push(`${" ".repeat(OFFSET_WIDTH)}… ${hidden} bytes more`);
  return lines;
}

/** Bytes as pairs of hexadecimal digits with blanks between: `de ad be ef`. */
export function hexOf(bytes: Bytes): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(HEX_WIDTH, "0")).join(" ");
}

/** `|checksum   |length     |` under the bytes at which the fields begin; empty if none does. */
function fieldLine(excerpt: ByteExcerpt, from: number): string {
  const here = (excerpt.fields ?? []).filter(({ at }) => at >= from && at < from + BYTES_PER_LINE);
  if (here.length === 0) return "";
  let text = " ".repeat(OFFSET_WIDTH);
  for (const { at, bytes, name } of here) {
    const column = OFFSET_WIDTH + (at - from) * (HEX_WIDTH + 1);
    text = text.slice(0, column).padEnd(column);
    const room = Math.min(bytes, from + BYTES_PER_LINE - at) * (HEX_WIDTH + 1) - 1;
    text += `|${name.slice(0, Math.max(1, room - 1))}`;
  }
  return text;
}
