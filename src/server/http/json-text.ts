/**
 * JSON text for answers: compact, pretty, and with the reference's escapes.
 *
 * Invariant: nothing here turns a number into a double and back. Pretty printing moves blanks
 * only, so integers of 64 bits come out as they went in.
 */
import { assert, type Bytes } from "#base";

const INDENT_BLANKS = 4;
const LINE_FEED = 0x0a;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Indents JSON text by four blanks a level, as the reference's `pretty` does. */
export function indentJson(json: Bytes): Bytes {
  const output = growingBytes(json.length * 2);
  let depth = 0;
  /** Bytes from here on are not yet copied. */
  let from = 0;
  const breakLine = (at: number): void => {
    output.append(json, from, at);
    output.line(depth * INDENT_BLANKS);
    from = at;
  };
  for (let at = 0; at < json.length; at += 1) {
    switch (json[at]) {
      case QUOTE:
        at = endOfString(json, at);
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        if (json[at + 1] === CLOSE_ARRAY || json[at + 1] === CLOSE_OBJECT) at += 1;
        else {
          depth += 1;
          breakLine(at + 1);
        }
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth -= 1;
        assert(depth >= 0, "server: json: brackets are balanced");
        breakLine(at);
        break;
      case COMMA:
        breakLine(at + 1);
        break;
      case COLON:
        output.append(json, from, at + 1);
        output.append(BLANK, 0, BLANK.length);
        from = at + 1;
        break;
    }
  }
  output.append(json, from, json.length);
  return output.bytes();
}

const BLANK = Uint8Array.of(SPACE);

/** The offset of the closing quote of the string that opens at `at`. */
function endOfString(json: Bytes, at: number): number {
  for (let end = at + 1; end < json.length; end += 1) {
    if (json[end] === QUOTE) return end;
    if (json[end] === BACKSLASH) end += 1;
  }
  return json.length;
}

/** Up to here a loop is faster than making a view for `set`. */
const SHORT_RUN_BYTES = 32;

interface GrowingBytes {
  /** The bytes from `from` (included) to `before` (excluded). */
  append(bytes: Bytes, from: number, before: number): void;
  /** A line break and this many blanks. */
  line(blanks: number): void;
  bytes(): Bytes;
}

function growingBytes(bytesAtFirst: number): GrowingBytes {
  let buffer = new Uint8Array(Math.max(bytesAtFirst, 64));
  let length = 0;
  const reserve = (more: number): void => {
    if (length + more <= buffer.length) return;
    const larger = new Uint8Array(Math.max(buffer.length * 2, length + more));
    larger.set(buffer.subarray(0, length));
    buffer = larger;
  };
  return {
    append(bytes, from, before) {
      reserve(before - from);
      if (before - from > SHORT_RUN_BYTES) {
        buffer.set(bytes.subarray(from, before), length);
        length += before - from;
        return;
      }
      for (let at = from; at < before; at += 1) {
        buffer[length] = bytes[at] ?? 0;
        length += 1;
      }
    },
    line(blanks) {
      reserve(blanks + 1);
      buffer[length] = LINE_FEED;
      buffer.fill(SPACE, length + 1, length + 1 + blanks);
      length += blanks + 1;
    },
    bytes: () => buffer.subarray(0, length),
  };
}

const ESCAPED = /[<>&\u2028\u2029]/g;

/** A JSON string with the escapes of the reference: `<`, `>`, `&`, U+2028 and U+2029 too. */
export function jsonString(text: string): string {
  return JSON.stringify(text).replace(
    ESCAPED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** JSON of plain values, with the keys of every object sorted. Undefined values are left out. */
export function sortedJson(value: unknown): string {
  if (typeof value === "string") return jsonString(value);
  if (typeof value === "bigint") return String(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value ?? null);
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(",")}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, member]) => `${jsonString(key)}:${sortedJson(member)}`);
  return `{${members.join(",")}}`;
}
