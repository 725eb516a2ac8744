/**
 * The format once more, written after the format page and independently of every module: reads the
 * parts of a table without checking them, and builds blocks that share the beginnings of keys.
 */
import { readFileSync } from "node:fs";
import type { Bytes } from "#base";
import { createByteReader, createByteWriter, getU32 } from "#bytes";
import { handlesOf, TRAILER_BYTES } from "../lab.ts";
import { bytesOf } from "../model.ts";
import type { Version } from "./subject.ts";

/** An entry as it lies in a block. */
export interface StoredEntry {
  readonly offset: number;
  readonly shared: number;
  readonly unshared: number;
  readonly tag: number;
  readonly sequence: number;
  /** Where the next one begins. */
  readonly next: number;
}

/** The headers of all entries of a sound block. */
export function storedEntries(block: Bytes): StoredEntry[] {
  const count = getU32(block, block.length - 4);
  const end = block.length - 4 * (count + 1);
  const entries: StoredEntry[] = [];
  for (let offset = 0; offset < end; ) {
    const reader = createByteReader(block.subarray(offset, end));
    const [shared, unshared, tag, sequence] = [
      reader.varint(),
      reader.varint(),
      reader.varint(),
      reader.varint(),
    ];
    const next = offset + reader.offset + unshared + Math.floor(tag / 2);
    entries.push({ offset, shared, unshared, tag, sequence, next });
    offset = next;
  }
  return entries;
}

/** A block as the reference writes it: keys share their beginnings, but at every restart. */
export function sharingBlock(versions: readonly Version[], restartInterval: number): Bytes {
  const writer = createByteWriter();
  const restarts: number[] = [];
  let before: Bytes = new Uint8Array(0);
  for (const [i, { key, value, sequence }] of versions.entries()) {
    let shared = 0;
    if (i % restartInterval === 0) restarts.push(writer.length);
    else while (shared < before.length && before[shared] === key[shared]) shared += 1;
    writer.varint(shared);
    writer.varint(key.length - shared);
    writer.varint(value === null ? 1 : value.length * 2);
    writer.varint(sequence);
    writer.raw(key.subarray(shared));
    if (value !== null) writer.raw(value);
    before = key;
  }
  for (const restart of restarts) writer.u32(restart);
  writer.u32(restarts.length);
  return writer.finish();
}

/** A data block of a file, and what the index says of it. */
export interface DataBlock {
  readonly offset: number;
  /** Of its content. */
  readonly bytes: number;
  readonly goesOn: boolean;
  readonly separator: Bytes;
}

/** The data blocks that the index of a whole file names. Nothing is checked. */
export function dataBlocksOf(file: Bytes): DataBlock[] {
  const index = handlesOf(file)[2]!;
  const reader = createByteReader(file.subarray(index.offset, index.offset + index.bytes));
  const blocks: DataBlock[] = [];
  let offset = 0;
  for (let count = reader.u32(); count > 0; count -= 1) {
    const tag = reader.varint();
    const bytes = Math.floor(tag / 2);
    blocks.push({ offset, bytes, goesOn: tag % 2 === 1, separator: reader.bytes().slice() });
    offset += bytes + TRAILER_BYTES;
  }
  return blocks;
}

const GOLDEN_KEYS = ["", "apple", "applet", "apply", "bear", "bear", "beard", "zoo"];

/** What the golden table of the reference holds. */
export const goldenVersions: readonly Version[] = GOLDEN_KEYS.map((key, i) => ({
  key: bytesOf(key),
  value: i === 4 ? null : bytesOf(`${key} `.repeat(i * 3)),
  sequence: 1000 - i * 100,
}));

/** A table that the reference has written: keys share beginnings, separators are short. */
export function goldenTable(): Bytes {
  const text = readFileSync(new URL("../golden/table-v1.hex", import.meta.url), "utf8");
  return Uint8Array.from(Buffer.from(text.replaceAll(/\s/g, ""), "hex"));
}
