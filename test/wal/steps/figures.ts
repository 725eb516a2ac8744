/**
 * The byte diagrams and tables of chapter 01, each made by running code: its pages quote them.
 */
import { readFileSync } from "node:fs";
import type { Bytes } from "#base";
import { type Check, renderBytes } from "#learn";
import { createSimulatedDisk, isPowerCut } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { decodeFrame, describeSegment, openWal } from "#wal";
import { chapter } from "./index.ts";
import { DIR, FIRST, lastLines } from "./lab.ts";
import {
  fileExcerpt,
  frameExcerpt,
  HEADER_BYTES,
  joined,
  rawFrame,
  rawHeader,
  seedOf,
} from "./raw.ts";
import type { WalSubject } from "./subject.ts";

const KIND_WIDTH = 10;
const NAME_WIDTH = 24;

function checksOf(checks: readonly Check<WalSubject>[]): string {
  return checks.map(({ kind, name }) => `${kind.padEnd(KIND_WIDTH)}${name}`).join("\n");
}

const text = (words: string): Bytes => new TextEncoder().encode(words);

/** The frame of the checks of step 01.1. */
function frame(): string {
  const parts = { type: 1 as const, lsn: 7, watermark: 5, payload: text("deposit 100") };
  const bytes = rawFrame(parts, 0x1234_5678);
  return renderBytes(frameExcerpt("record 7, seed 0x12345678", bytes)).join("\n");
}

/** Segment 1 with its first record. */
function segment(): string {
  const disk = createSimulatedDisk();
  const { wal } = openWal({ disk, dir: DIR, preallocateBytes: 0 }, () => {});
  wal.append(text("deposit 100"));
  wal.sync();
  const content = disk.content(FIRST);
  const header = renderBytes({ ...fileExcerpt(FIRST, content.slice(0, HEADER_BYTES), 0) });
  return [...header, ...renderBytes(fileExcerpt(FIRST, content, HEADER_BYTES)).slice(1)].join("\n");
}

/** Numbers of the records that a scan finds in a file. */
function scan(content: Bytes): string {
  const found: string[] = [];
  const seed = seedOf(content);
  let offset = HEADER_BYTES;
  for (let lsn = 1; ; lsn += 1) {
    const record = decodeFrame(content, offset, { seed, lsn });
    if (typeof record === "string") return `${found.join("  ").padEnd(NAME_WIDTH)}then: ${record}`;
    found.push(record.payload[0] === 0xff ? `${lsn}'` : `${lsn}`);
    offset = record.endOffset;
  }
}

/** Why the tail must go: record 3 is lost, record 4 is not. */
function lineUp(): string {
  const header = rawHeader(1, 1);
  const seed = seedOf(header);
  const record = (lsn: number, fill: number): Bytes =>
    rawFrame({ type: 1, lsn, watermark: 0, payload: new Uint8Array(300).fill(fill) }, seed);
  const good = joined(header, record(1, 1), record(2, 2));
  const lost = new Uint8Array(325);
  const again = record(3, 0xff);
  const row = (what: string, content: Bytes): string =>
    `${what.padEnd(NAME_WIDTH)}${scan(content)}`;
  return [
    row("after the power cut", joined(good, lost, record(4, 4))),
    row("3' appended, tail cut", joined(good, again)),
    row("3' appended, not cut", joined(good, again, record(4, 4))),
  ].join("\n");
}

/** Watermarks of a log whose records are synced in three batches. */
function watermarks(): string {
  const disk = createSimulatedDisk();
  const { wal } = openWal({ disk, dir: DIR, preallocateBytes: 0 }, () => {});
  for (const batch of [2, 3, 1]) {
    for (let i = 0; i < batch; i += 1) wal.append(text("x"));
    wal.sync();
  }
  const lines = ["record  watermark"];
  describeSegment({ disk, path: FIRST }, ({ lsn, watermark }) => {
    lines.push(`${String(lsn).padEnd(8)}${watermark}`);
  });
  return lines.join("\n");
}

/** A log of ten records in small segments that is cut after the fourth, at a moment of the cut. */
function cutLog(isEndOfCall: boolean): SimulatedDisk {
  const disk = createSimulatedDisk();
  const options = { disk, dir: DIR, preallocateBytes: 0, segmentBytesMax: 600 };
  const { wal } = openWal(options, () => {});
  for (let lsn = 1; lsn <= 10; lsn += 1) wal.append(new Uint8Array(150));
  wal.sync();
  if (!isEndOfCall) disk.cutPowerAt(disk.operations + 5);
  try {
    wal.truncateAfter(4);
  } catch (error) {
    if (!isPowerCut(error)) throw error;
  }
  return disk.kill();
}

/** What lies in the files in the middle of a cut, and what of it counts. */
function cut(): string {
  const disk = cutLog(false);
  const found = disk.list(DIR).map((name) => {
    return { name, ...describeSegment({ disk, path: `${DIR}/${name}` }) };
  });
  const lines = ["file                   first  holds     counts"];
  for (const [index, { name, firstLsn, nextLsn }] of found.entries()) {
    const later = found.slice(index + 1).map((one) => one.firstLsn ?? 0);
    const before = Math.min(nextLsn, ...later);
    const first = firstLsn ?? 0;
    const range = (to: number): string => {
      if (to <= first) return "nothing";
      return to === first + 1 ? `${first}` : `${first} to ${to - 1}`;
    };
    const holds = range(nextLsn).padEnd(10);
    lines.push(`${name}   ${String(first).padEnd(7)}${holds}${range(before)}`);
  }
  return lines.join("\n");
}

/** What truncateAfter asks of the disk. */
function cutCalls(): string {
  const disk = createSimulatedDisk();
  const options = { disk, dir: DIR, preallocateBytes: 0, segmentBytesMax: 600 };
  const { wal } = openWal(options, () => {});
  for (let lsn = 1; lsn <= 10; lsn += 1) wal.append(new Uint8Array(150));
  wal.sync();
  const before = disk.operations;
  wal.truncateAfter(4);
  const count = disk.operations - before;
  return lastLines(disk, count).slice(-count).join("\n");
}

/** A failure that a planted mistake brings up, as the tests have seen it. */
function failureOf(mistake: string): string {
  const all = readFileSync(new URL("./failures.txt", import.meta.url), "utf8");
  const part = all.split(/^# /m).find((one) => one.startsWith(`${mistake}\n`)) ?? "";
  return part.slice(mistake.length).trim();
}

/** The checks of one step. */
const checksIn = (id: string) => chapter.steps.find((step) => step.id === id)?.checks ?? [];

export const figures = {
  frame,
  segment,
  lineUp,
  watermarks,
  cut,
  cutCalls,
  zerosFailure: () => failureOf("01.4: a header of zeros is an empty record"),
  checks1: () => checksOf(checksIn("01.1")),
  checks2: () => checksOf(checksIn("01.2")),
  checks3: () => checksOf(checksIn("01.3")),
  checks4: () => checksOf(checksIn("01.4")),
  checks5: () => checksOf(checksIn("01.5")),
  checks6: () => checksOf(checksIn("01.6")),
  checks7: () => checksOf(checksIn("01.7")),
  checks8: () => checksOf(checksIn("01.8")),
  checks9: () => checksOf(checksIn("01.9")),
};
