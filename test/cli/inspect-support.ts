/**
 * Files to inspect, made by the modules that own them, on the disk of this machine, and damaged by
 * hand.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { type InspectAnswer, inspect } from "#cli";
import { createNodeDisk } from "#platform";
import { createTableWriter } from "#sstable";
import { openWal } from "#wal";

/** The disk that all of these are on. */
export const disk = createNodeDisk();

/** Bytes of a text. */
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Inspects with defaults, and takes the changing part of paths out of the answer. */
export function look(
  path: string,
  options: {
    readonly keys?: boolean;
    readonly limit?: number;
    readonly from?: number;
    readonly json?: boolean;
  } = {},
): InspectAnswer {
  const defaults = { keys: false, limit: 40, from: 0, json: false };
  const { text, exitCode } = inspect({ disk, path, ...defaults, ...options });
  return { exitCode, text: text.replaceAll(/[^\s"]*cairn-test-[^/]*/g, "DIR") };
}

/** Changes one byte of a file. */
export function damage(path: string, offset: number): void {
  const content = readFileSync(path);
  content[offset] = (content[offset] ?? 0) ^ 0x55;
  writeFileSync(path, content);
}

/** Cuts a file. */
export function cut(path: string, bytesKept: number): void {
  writeFileSync(path, readFileSync(path).subarray(0, bytesKept));
}

/** A closed log with these payloads, each synced. @returns the path of its first segment. */
export async function logWith(
  dir: string,
  payloads: readonly Uint8Array[],
  segmentBytesMax = 1024 * 1024,
): Promise<string> {
  const options = { disk, dir, preallocateBytes: 0, segmentBytesMax };
  const { wal } = openWal(options, () => {});
  for (const payload of payloads) {
    wal.append(payload);
    wal.sync();
  }
  await wal.close();
  return `${dir}/0000000000000001.wal`;
}

/** A table of a few small blocks. */
export function tableAt(path: string): void {
  const writer = createTableWriter({ disk, path, id: 7, blockBytes: 128 });
  for (let i = 0; i < 12; i += 1) {
    const key = i === 0 ? Uint8Array.of(0, 255, 7) : bytes(`key-${String(i).padStart(2, "0")}`);
    writer.add(key, i % 5 === 4 ? null : bytes(`value of ${i}`), 100 + i);
  }
  writer.finish();
}
