/**
 * A simulated disk in words: what was done to it, one line each, for the timelines of failures.
 *
 * Invariant: what is told is the disk's own trace; nothing is remembered beside it.
 */
import type { Bytes } from "#base";
import type { DiskTraceLine, SimulatedDisk } from "#platform/types";

const OPERATION_WIDTH = 9;
const NUMBER_WIDTH = 2;

/**
 * One line for each operation from number `from` on, counted from 1:
 * ` 2  write    notes/today: 45 bytes at 0`.
 */
export function storyOf(disk: SimulatedDisk, from = 0): string[] {
  return disk.trace.slice(from).map((line) => {
    const number = String(line.sequence - from + 1).padStart(NUMBER_WIDTH);
    const failed = line.failed ? ", and it fails" : "";
    return `${number}  ${line.operation.padEnd(OPERATION_WIDTH)}${objectOf(line)}${failed}`;
  });
}

/** A line of a story that is no operation: `    the power is cut`. */
export function aside(text: string): string {
  return `${" ".repeat(NUMBER_WIDTH + 2)}${text}`;
}

/** What a file holds, in words. Null: there is no file. */
export function contentInWords(content: Bytes | null): string {
  if (content === null) return "is not there";
  if (content.length === 0) return "is there and empty";
  const zeros = content.filter((byte) => byte === 0).length;
  if (zeros === 0) return `has ${content.length} bytes`;
  if (zeros === content.length) return `has ${content.length} bytes, all of them zero`;
  return `has ${content.length} bytes, ${zeros} of them zero`;
}

/** The content of a file, or null where the name is missing. */
export function contentAt(disk: SimulatedDisk, path: string): Bytes | null {
  return disk.exists(path) ? disk.content(path) : null;
}

function objectOf({ operation, path, offset, bytes }: DiskTraceLine): string {
  switch (operation) {
    case "open":
      return `${path}, a new file`;
    case "write":
      return `${path}: ${bytes} bytes at ${offset}`;
    case "truncate":
      return `${path} to ${offset} bytes`;
    default:
      return path;
  }
}
