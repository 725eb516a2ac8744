/**
 * The byte diagrams and tables of chapter 03, each made by running code: its pages quote them.
 */
import type { Bytes } from "#base";
import { hexOf, renderBytes } from "#learn";
import { createSimulatedDisk } from "#platform";
import * as reference from "#sstable/reference";
import { freshDisk, PATH } from "../lab.ts";
import { bytesOf } from "../model.ts";
import { builtBlock, PAGE_VERSIONS } from "./blocks.ts";
import { CHECKSUM_VECTORS } from "./damage.ts";
import { HASH_VECTORS } from "./filters.ts";
import { dataBlocksOf, sharingBlock, storedEntries } from "./format.ts";
import { chapter } from "./index.ts";
import { type Subject, subjectOf, type Version } from "./subject.ts";
import { writeTable } from "./table-lab.ts";
import { rows } from "./versions.ts";
import { k, version } from "./words.ts";

const KIND_WIDTH = 10;
const subject: Subject = subjectOf(reference);

/** The block of the page, entry by entry. */
function block(): string {
  const bytes = builtBlock(subject, PAGE_VERSIONS);
  const entries = storedEntries(bytes);
  const lines = entries.map(({ offset, next }) => {
    return `${String(offset).padStart(3)}  ${hexOf(bytes.subarray(offset, next))}`;
  });
  const restarts = bytes.length - 4 * (entries.length + 1);
  const tail = bytes.subarray(restarts);
  lines.push(`${String(restarts).padStart(3)}  ${hexOf(tail.subarray(0, -4))}`);
  lines.push(`${String(bytes.length - 4).padStart(3)}  ${hexOf(tail.subarray(-4))}`);
  return lines.join("\n");
}

/** The first entry of the page's block, with its fields. */
function entry(): string {
  const bytes = builtBlock(subject, PAGE_VERSIONS).subarray(0, 12);
  const fields = [
    { at: 0, bytes: 1, name: "shared" },
    { at: 1, bytes: 1, name: "unshared" },
    { at: 2, bytes: 1, name: "tag" },
    { at: 3, bytes: 1, name: "sequence" },
    { at: 4, bytes: 5, name: "key" },
    { at: 9, bytes: 3, name: "value" },
  ];
  return fields
    .map(
      ({ at, bytes: count, name }) => `${name.padEnd(10)}${hexOf(bytes.subarray(at, at + count))}`,
    )
    .join("\n");
}

/** What a seek finds in the page's block. */
function seeks(): string {
  const bytes = builtBlock(subject, PAGE_VERSIONS);
  const line = (key: string, at?: number): string => {
    const call = `seekInBlock(block, "${key}"${at === undefined ? "" : `, ${at}`})`;
    return `${call.padEnd(33)}${version(subject.seekInBlock(bytes, bytesOf(key), at))}`;
  };
  return [
    line("aaa"),
    line("apple"),
    line("apple", 5),
    line("apple", 2),
    line("pea"),
    line("zoo"),
  ].join("\n");
}

/** A block of the reference, whose keys share their beginnings. */
function sharing(): string {
  const versions = ["row 0001", "row 0002", "row 0003"].map((key, i) => ({
    key: bytesOf(key),
    value: bytesOf("x"),
    sequence: i + 1,
  }));
  const bytes = sharingBlock(versions, 16);
  return storedEntries(bytes)
    .map(
      ({ offset, next }) => `${String(offset).padStart(3)}  ${hexOf(bytes.subarray(offset, next))}`,
    )
    .join("\n");
}

/** A table of 40 rows, as the reference writes it without sharing. */
function sample(): Bytes {
  const disk = freshDisk();
  writeTable(subject, disk, rows(40, 24), { blockBytes: 512, restartInterval: 1 });
  return disk.content(PATH);
}

/** The parts of a file. */
function parts(): string {
  const disk = freshDisk();
  writeTable(subject, disk, rows(40, 24), { blockBytes: 512, restartInterval: 1 });
  const described = reference.describeTable({ disk, path: PATH });
  return described.parts
    .toSorted((a, b) => a.offset - b.offset)
    .map(
      ({ offset, bytes, kind }) =>
        `${String(offset).padStart(5)}  ${String(bytes).padStart(4)} bytes  ${kind}`,
    )
    .join("\n");
}

/** The index of the same file. */
function index(): string {
  return dataBlocksOf(sample())
    .map(({ offset, bytes, separator }, i) => {
      const place = `at ${String(offset).padStart(4)}, ${bytes} bytes`;
      return `block ${i}  ${place}  last key at or below ${k(separator)}`;
    })
    .join("\n");
}

/** Bits per key and false positives. */
function bits(): string {
  const lines = ["false positives    bits per key"];
  for (const rate of [0.1, 0.01, 0.001, 0.0001]) {
    const text = `${Number((rate * 100).toFixed(2))} %`;
    lines.push(`${text.padStart(9)}${subject.bitsPerKeyFor(rate).toFixed(2).padStart(21)}`);
  }
  return lines.join("\n");
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}

/** Keys and their hashes. */
function hashes(): string {
  const lines = ["key                        a           b"];
  for (const [key, a, b] of HASH_VECTORS) {
    lines.push(`${k(key).padEnd(25)}${hex(a)}  ${hex(b)}`);
  }
  return lines.join("\n");
}

/** The filter of three keys. */
function filter(): string {
  const keys = rows(3).map(({ key }) => key);
  const content = subject.buildFilter(keys, 10);
  const fields = [
    { at: 0, bytes: 1, name: "probes" },
    { at: 1, bytes: 8, name: "64 bits" },
  ];
  return renderBytes({ title: "the filter block", bytes: content, fields }).join("\n");
}

/** Checksums of one block in several places. */
function checksums(): string {
  const lines = ["table      offset  checksum"];
  for (const [id, offset, sum] of CHECKSUM_VECTORS) {
    lines.push(`${String(id).padStart(5)}  ${String(offset).padStart(10)}  ${hex(sum)}`);
  }
  return lines.join("\n");
}

/** What a writer that lets the disk's order be asks of it. */
function publish(): string {
  const disk = createSimulatedDisk();
  disk.makeDir("db");
  writeTable(subject, disk, rows(3), {});
  return disk.trace.map(({ operation, path }) => `${operation.padEnd(9)} ${path}`).join("\n");
}

/** What shorter keys save: the same rows, with every key whole and with every sixteenth. */
function gain(): string {
  const bytesOfTable = (restartInterval: number): number => {
    const disk = freshDisk();
    writeTable(subject, disk, rows(5000, 20), { restartInterval });
    return disk.content(PATH).length;
  };
  const line = (what: string, bytes: number): string => `${what.padEnd(22)}${bytes} bytes`;
  return [
    line("every key whole", bytesOfTable(1)),
    line("every sixteenth whole", bytesOfTable(16)),
  ].join("\n");
}

/** JavaScript's way with a length that lies. */
function clipped(): string {
  const bytes = bytesOf("100");
  return [
    `subarray(0, 3)   ${bytes.subarray(0, 3).length} bytes`,
    `subarray(0, 50)  ${bytes.subarray(0, 50).length} bytes, and no error`,
  ].join("\n");
}

/** The versions of the page, in words. */
function versions(): string {
  return PAGE_VERSIONS.map((one: Version, i) => `${i}  ${version(one)}`).join("\n");
}

/** The checks of a step: how each tries to break its sentence, and the sentence. */
function checksOf(id: string): string {
  const checks = chapter.steps.find((step) => step.id === id)?.checks ?? [];
  return checks.map(({ kind, name }) => `${kind.padEnd(KIND_WIDTH)}${name}`).join("\n");
}

export const figures: Readonly<Record<string, () => string>> = {
  versions,
  block,
  entry,
  seeks,
  sharing,
  parts,
  index,
  bits,
  hashes,
  filter,
  checksums,
  publish,
  gain,
  clipped,
  checks1: () => checksOf("03.1"),
  checks2: () => checksOf("03.2"),
  checks3: () => checksOf("03.3"),
  checks4: () => checksOf("03.4"),
  checks5: () => checksOf("03.5"),
  checks6: () => checksOf("03.6"),
  checks7: () => checksOf("03.7"),
  checks8: () => checksOf("03.8"),
};
