/**
 * The byte diagrams and tables of chapter 00, each made by running code: its pages quote them.
 */
import type { Bytes } from "#base";
import { crc32c, putU32, putU64, replaceFile } from "#bytes";
import { type Check, renderBytes } from "#learn";
import { createSimulatedDisk } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { compareChecks } from "./compare.ts";
import { crcChecks } from "./crc32c.ts";
import { storyOf } from "./disk-story.ts";
import { firstChecks } from "./first.ts";
import { intChecks } from "./ints.ts";
import { predictChecks } from "./predict.ts";
import { replaceChecks } from "./replace-file.ts";
import { replaceFaultChecks } from "./replace-file-faults.ts";
import { diskWith, foundOn, NEW, PATH, returnsBeforeCut } from "./settings.ts";
import type { BytesSubject } from "./subject.ts";
import { endOf, outcomeTable, sectorsInWords } from "./unsynced.ts";

const POWER_CUTS = 100;
const KIND_WIDTH = 10;
const COUNT_WIDTH = 7;
/** The number of an operation and two blanks, as a story has them. */
const NUMBER_WIDTH = 4;

/** Two numbers as they lie in an array. */
function integers(): string {
  const bytes = new Uint8Array(12);
  putU32(bytes, 0, 1_000_000);
  putU64(bytes, 4, 2 ** 40 + 7);
  const fields = [
    { at: 0, bytes: 4, name: "u32" },
    { at: 4, bytes: 8, name: "u64" },
  ];
  return renderBytes({ title: "putU32 of 1000000, putU64 of 2^40 + 7", bytes, fields }).join("\n");
}

/** Ann's note after the power cut. */
function zeros(): string {
  return renderBytes({ title: "notes/today", bytes: new Uint8Array(20) }).join("\n");
}

/** The same four words, as JavaScript sorts strings and as bytes sort. */
function order(): string {
  const words = ["z", "é", "\uFF5A", "\u{1F600}"];
  const names = new Map([
    ["z", "z"],
    ["é", "é"],
    ["\uFF5A", "ｚ (U+FF5A)"],
    ["\u{1F600}", "😀 (U+1F600)"],
  ]);
  const line = (label: string, sorted: readonly string[]) =>
    `${label.padEnd(11)}${sorted.map((word) => names.get(word)).join(" < ")}`;
  const byBytes = words.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  return [line("as strings", words.toSorted()), line("as bytes", byBytes)].join("\n");
}

/** A header of zeros, and what its checksum would have to be. */
function zeroHeader(): string {
  const bytes = new Uint8Array(8);
  const fields = [
    { at: 0, bytes: 4, name: "checksum" },
    { at: 4, bytes: 4, name: "length" },
  ];
  return [
    ...renderBytes({ title: "a record that nobody wrote", bytes, fields }),
    `crc32c of no bytes: ${crc32c(new Uint8Array(0))}`,
  ].join("\n");
}

/** One end of an overwritten file, sector by sector: the first that is torn in a sector. */
function tornSectors(): string {
  for (let cut = 0; ; cut += 1) {
    const { content } = endOf("overwritten", cut);
    const lines = content === null ? [] : sectorsInWords(content);
    if (lines.some((line) => line.includes("torn")) && lines.some((line) => / zeros$/.test(line))) {
      return [`power cut number ${cut + 1}`, ...lines].join("\n");
    }
  }
}

/** What a reader sees and what the platter holds, after each operation of a save. */
function lanes(): string {
  const path = "notes/today";
  const disk = createSimulatedDisk();
  disk.makeDir("notes");
  const lines = [row("operation", "a reader sees", "on the platter")];
  const add = (operation: string) => {
    lines.push(row(operation, inWords(seen(disk, path)), inWords(disk.durable(path))));
  };
  const file = disk.open(path, "create-new");
  add("open");
  file.write(0, new TextEncoder().encode("Bob owes Ann 20 euro"));
  add("write");
  file.sync();
  add("sync");
  disk.syncDir("notes");
  add("syncDir");
  return lines.join("\n");

  function row(...cells: string[]): string {
    return `${(cells[0] ?? "").padEnd(12)}${(cells[1] ?? "").padEnd(18)}${cells[2]}`;
  }
}

/** What a power cut before each operation of `replaceFile` leaves. */
function replacePoints(): string {
  return pointsOf(replaceFile);
}

/** The same for content that is written over the old one, with a sync. */
function inPlacePoints(): string {
  return pointsOf((disk, path, content) => {
    const file = disk.open(path, "read-write");
    file.truncate(0);
    file.write(0, content);
    file.sync();
    file.close();
  });
}

/** One line for each operation of a call: how a hundred power cuts before it end. */
function pointsOf(replace: typeof replaceFile): string {
  const whole = diskWith("old");
  const before = whole.operations;
  replace(whole, PATH, NEW);
  const story = storyOf(whole, before);
  const ends = ["old", "new", "mixed"] as const;
  const lines = [
    `${ends.map((end) => end.padStart(COUNT_WIDTH)).join("")}   the power is cut before`,
  ];
  for (let point = 0; point <= story.length; point += 1) {
    const disk = diskWith("old");
    disk.cutPowerAt(before + point);
    returnsBeforeCut(disk, () => replace(disk, PATH, NEW));
    const found = Array.from({ length: POWER_CUTS }, (_, cut) => foundOn(disk.crash(cut)));
    const counts = ends.map((end) => found.filter((one) => one === end).length);
    const next = story[point]?.slice(NUMBER_WIDTH) ?? "nothing: the call has returned";
    lines.push(`${counts.map((count) => String(count).padStart(COUNT_WIDTH)).join("")}   ${next}`);
  }
  return lines.join("\n");
}

function seen(disk: SimulatedDisk, path: string): Bytes | undefined {
  return disk.exists(path) ? disk.content(path) : undefined;
}

function inWords(content: Bytes | undefined): string {
  if (content === undefined) return "no such name";
  return content.length === 0 ? "an empty file" : `${content.length} bytes`;
}

/** The checks of a step: how each tries to break its sentence, and the sentence. */
function checksOf(checks: readonly Check<BytesSubject>[]): string {
  return checks.map(({ kind, name }) => `${kind.padEnd(KIND_WIDTH)}${name}`).join("\n");
}

export const figures: Readonly<Record<string, () => string>> = {
  integers,
  order,
  zeros,
  zeroHeader,
  outcomes: () => outcomeTable().join("\n"),
  tornSectors,
  lanes,
  replacePoints,
  inPlacePoints,
  checks1: () => checksOf(firstChecks),
  checks2: () => checksOf(intChecks),
  checks3: () => checksOf(compareChecks),
  checks4: () => checksOf(crcChecks),
  checks5: () => checksOf(predictChecks),
  checks6: () => checksOf([...replaceChecks, ...replaceFaultChecks]),
};
