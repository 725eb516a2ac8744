/**
 * What a power cut leaves of a write without a sync: two histories, played on the simulated disk,
 * and their ends sorted into five outcomes.
 *
 * Invariant: the same seed gives the same end. Step 00.5, its figures and its experiment share it.
 */
import type { Bytes } from "#base";
import { createSimulatedDisk } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { contentAt } from "./disk-story.ts";
import type { Outcome } from "./subject.ts";

/** The file that is written over; its old content and its name are durable. */
export const PATH = "book/page";
const SECTOR_BYTES = 512;
const POWER_CUTS = 100;
const COLUMN = 9;
const [LETTER_OLD, LETTER_NEW] = [0x6f, 0x6e];

/** 1024 times the letter o, for old. */
export const OLD: Bytes = new Uint8Array(2 * SECTOR_BYTES).fill(LETTER_OLD);
/** 2048 times the letter n, for new. */
export const NEW: Bytes = new Uint8Array(4 * SECTOR_BYTES).fill(LETTER_NEW);

/** The outcomes, in the order in which they are told. */
export const OUTCOMES: readonly Outcome[] = ["old", "new", "torn", "zeros", "gone"];

/** What is done without a sync. */
export type History = "overwritten" | "renamed";

/** How one power cut ended. */
export interface End {
  readonly disk: SimulatedDisk;
  readonly outcome: Outcome;
  readonly content: Bytes | null;
}

/** Plays a history up to the moment at which the power is cut. */
export function play(history: History): SimulatedDisk {
  const disk = diskWithOld();
  const path = history === "overwritten" ? PATH : `${PATH}.new`;
  const file = disk.open(path, "read-write");
  file.write(0, NEW);
  file.close();
  if (history === "overwritten") return disk;
  disk.rename(path, PATH);
  disk.syncDir("book");
  return disk;
}

/** The disk before the history begins. */
export function diskWithOld(): SimulatedDisk {
  const disk = createSimulatedDisk();
  disk.makeDir("book");
  const old = disk.open(PATH, "create-new");
  old.write(0, OLD);
  old.sync();
  old.close();
  disk.syncDir("book");
  return disk;
}

/** Cuts the power at the end of a history, restarts, and looks. */
export function endOf(history: History, seed: number): End {
  const disk = play(history);
  const content = contentAt(disk.crash(seed), PATH);
  return { disk, content, outcome: outcomeOf(content) };
}

/** Each sector of what was found, in words: `bytes 512 to 1023: zeros`. */
export function sectorsInWords(content: Bytes): string[] {
  const lines: string[] = [];
  for (let from = 0; from < content.length; from += SECTOR_BYTES) {
    const sector = content.subarray(from, from + SECTOR_BYTES);
    lines.push(`bytes ${from} to ${from + sector.length - 1}: ${sectorInWords(sector)}`);
  }
  return lines.length === 0 ? ["no bytes at all"] : lines;
}

/** How often each outcome came up, for both histories: one line each, under a line of names. */
export function outcomeTable(): string[] {
  const row = (name: string, cells: readonly (string | number)[]) =>
    `${name.padEnd(13)}${cells.map((cell) => String(cell).padStart(COLUMN)).join("")}`;
  const count = (history: History) => {
    const ends = Array.from({ length: POWER_CUTS }, (_, cut) => endOf(history, cut).outcome);
    return OUTCOMES.map((outcome) => ends.filter((end) => end === outcome).length);
  };
  return [
    row("history", OUTCOMES),
    row("overwritten", count("overwritten")),
    row("renamed", count("renamed")),
  ];
}

function outcomeOf(content: Bytes | null): Outcome {
  if (content === null) return "gone";
  if (Buffer.compare(content, OLD) === 0) return "old";
  if (Buffer.compare(content, NEW) === 0) return "new";
  return content.includes(0) ? "zeros" : "torn";
}

function sectorInWords(sector: Bytes): string {
  const names = new Map([
    [LETTER_OLD, "old"],
    [LETTER_NEW, "new"],
    [0, "zeros"],
  ]);
  const parts: string[] = [];
  for (const byte of sector) {
    const name = names.get(byte) ?? "something else";
    if (parts[parts.length - 1] !== name) parts.push(name);
  }
  return parts.length === 1 ? (parts[0] ?? "") : `torn: ${parts.join(", then ")}`;
}
