/**
 * Text as a JSON string, escaped as Go's encoder does it.
 *
 * Besides what JSON demands, `<`, `>`, `&`, U+2028 and U+2029 are escaped, and everything that is
 * not a character (a lone surrogate, a byte that is not UTF-8) becomes `\ufffd`.
 * Invariant: the result is well-formed and pure JSON for any string and any bytes.
 * Chapter: 09-sqlite. Source: compat reference 1.4.
 */
import { isUtf8 } from "node:buffer";
import type { Bytes } from "#base";

/** Printable ASCII that no rule escapes: most texts, and nothing is to be done for them. */
const PLAIN = /^[ !#-%'-;=?-[\]-~]*$/;
const ESCAPED_BY_GO = /[<>&\u2028\u2029]/g;
/** With the `u` flag only surrogates without a partner match. */
const LONE_SURROGATE = /\p{Surrogate}/u;
const ESCAPES: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/** `ignoreBOM`: a byte order mark is data, and stays. */
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Writes a string as JSON, with its quotes. */
export function renderText(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  if (!LONE_SURROGATE.test(text)) return quote(text);
  return `"${text
    .split(LONE_SURROGATE)
    .map((part) => quote(part).slice(1, -1))
    .join("\\ufffd")}"`;
}

/**
 * Writes bytes as the JSON string that they spell in UTF-8; each byte that fits nowhere is
 * `\ufffd`.
 */
export function renderBlobText(bytes: Bytes): string {
  let text: string;
  try {
    text = strict.decode(bytes);
  } catch {
    // Not UTF-8, which is no failure here: such bytes have a rendering of their own.
    text = decodeLoosely(bytes);
  }
  return renderText(text);
}

function quote(text: string): string {
  return JSON.stringify(text).replace(ESCAPED_BY_GO, (character) => ESCAPES[character]!);
}

/** Stands for one bad byte until `renderText` writes it as `\ufffd`: no valid text contains it. */
const BAD_BYTE = "\ud800";
const ASCII_BEFORE = 0x80;
const UTF8_BYTES_MAX = 4;

/** Decodes what is UTF-8 and puts `BAD_BYTE` for each byte that is not. */
function decodeLoosely(bytes: Bytes): string {
  let text = "";
  let at = 0;
  while (at < bytes.length) {
    const length = characterBytes(bytes, at);
    text += length === 0 ? BAD_BYTE : strict.decode(bytes.subarray(at, at + length));
    at += Math.max(length, 1);
  }
  return text;
}

/** Bytes of the run of ASCII, or else of the one character, at `at`; 0 if there is none. */
function characterBytes(bytes: Bytes, at: number): number {
  let end = at;
  while (end < bytes.length && bytes[end]! < ASCII_BEFORE) end += 1;
  if (end > at) return end - at;
  for (let length = 2; length <= UTF8_BYTES_MAX; length += 1) {
    if (at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length))) return length;
  }
  return 0;
}
