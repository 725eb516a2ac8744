/**
 * Keys and payloads as people can read them: as text if they are text, else in hexadecimal.
 *
 * Invariant: what comes from a file cannot move the cursor or change a color, and is never longer
 * than a line.
 */
import type { Bytes } from "#base";

const TEXT_BYTES_MAX = 48;
const HEX_BYTES_MAX = 24;
/** Letters, marks, digits, punctuation, symbols, and spaces. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes as `"text"` or `0xff01`, cut off with their full length behind. */
export function bytesText(bytes: Bytes): string {
  const text = printable(bytes.subarray(0, TEXT_BYTES_MAX));
  const shown = text === null ? HEX_BYTES_MAX : TEXT_BYTES_MAX;
  const rest = bytes.length > shown ? `… (${bytes.length} bytes)` : "";
  return (text === null ? hex(bytes.subarray(0, shown)) : text) + rest;
}

function hex(bytes: Bytes): string {
  return `0x${Buffer.from(bytes).toString("hex")}`;
}

/** The text, in quotes; null if it is none. A character that the cut halves does not count. */
function printable(bytes: Bytes): string | null {
  for (let cut = 0; cut < Math.min(4, bytes.length + 1); cut += 1) {
    const text = decode(bytes.subarray(0, bytes.length - cut));
    if (text !== null) return PRINTABLE.test(text) ? JSON.stringify(text) : null;
    if (bytes.length < TEXT_BYTES_MAX) return null;
  }
  return null;
}

function decode(bytes: Bytes): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    // Not text; the caller shows the bytes as they are.
    return null;
  }
}
