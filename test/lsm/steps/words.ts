/**
 * Keys, values and the disk's trace as words: what the checks of chapter 04 say to a reader.
 */
import type { Bytes } from "#base";
import type { DiskTraceLine, SimulatedDisk } from "#platform/types";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The directory of every store in the checks. */
export const DIR = "db";

/** A text as bytes. */
export function b(text: string): Bytes {
  return encoder.encode(text);
}

/** Bytes as text. */
export function t(bytes: Bytes): string {
  return decoder.decode(bytes);
}

/** What a lookup returned, in quotes. */
export function shown(value: Bytes | null | undefined): string {
  if (value === undefined || value === null) return "nothing";
  const text = t(value);
  return text.length <= 24 ? `"${text}"` : `"${text.slice(0, 12)}…" (${value.length} bytes)`;
}

/** `a, b and c`. */
export function list(words: readonly string[]): string {
  if (words.length <= 1) return words[0] ?? "nothing";
  return `${words.slice(0, -1).join(", ")} and ${words[words.length - 1]}`;
}

/** `3 tables`, `1 table`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

const LINES_MAX = 14;

/**
 * The disk's trace from an operation on, one short line each: what was made durable, renamed and
 * removed, in which order. Writes that follow each other in one file are one line.
 */
export function timelineOf(disk: SimulatedDisk, from = 0, most = LINES_MAX): string[] {
  const lines: string[] = [];
  let last = "";
  for (const line of disk.trace) {
    if (line.sequence < from) continue;
    const words = wordsOf(line);
    if (words === last) continue;
    last = words;
    lines.push(`${String(line.sequence).padStart(4)}  ${words}`);
  }
  const hidden = lines.length - most;
  return hidden > 0 ? [`      … ${hidden} lines before`, ...lines.slice(-most)] : lines;
}

function wordsOf({ operation, path, failed }: DiskTraceLine): string {
  const name = path === DIR ? `${DIR}/` : path.replaceAll(`${DIR}/`, "");
  const what = `${VERBS[operation]} ${name}`;
  return failed ? `${what}: fails` : what;
}

const VERBS: Readonly<Record<DiskTraceLine["operation"], string>> = {
  open: "make   ",
  read: "read   ",
  write: "write  ",
  truncate: "cut    ",
  sync: "sync   ",
  rename: "rename ",
  unlink: "unlink ",
  syncDir: "syncDir",
};
