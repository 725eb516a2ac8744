/**
 * The diagrams and tables of chapter 04, each made by running code: its pages quote them.
 */
import { renderBytes } from "#learn";
import { encodeEdit } from "#lsm";
import { createSimulatedDisk } from "#platform";
import * as solution from "../../../chapters/04-lsm/solution/index.ts";
import { arrayCursor } from "../array-cursor.ts";
import { parseScript, printPlan } from "../compaction-script.ts";
import { tableOf } from "../manifest-lab.ts";
import { setScene } from "./flush-scene.ts";
import { chapter } from "./index.ts";
import { LEVELED_SCRIPT, TIERED_SCRIPT } from "./picker-scripts.ts";
import { openOn } from "./store-lab.ts";
import { type KeyVersion, subjectOf } from "./subject.ts";
import { b, DIR, t, timelineOf } from "./words.ts";

const KIND_WIDTH = 10;
const subject = subjectOf(solution);

/** The checks of a step, with their kinds. */
function checksOf(id: string): string {
  const step = chapter.steps.find((one) => one.id === id);
  return (step?.checks ?? [])
    .map(({ kind, name }) => `${kind.padEnd(KIND_WIDTH)}${name}`)
    .join("\n");
}

/** Two sources and what a merge of them gives. */
function merge(): string {
  const newer = [
    { key: b("anna"), value: b("green"), sequence: 9 },
    { key: b("bert"), value: null, sequence: 8 },
  ];
  const older = [
    { key: b("anna"), value: b("red"), sequence: 3 },
    { key: b("bert"), value: b("blue"), sequence: 2 },
    { key: b("carl"), value: b("grey"), sequence: 5 },
  ];
  const line = (entry: { key: Uint8Array; value: Uint8Array | null; sequence: number }): string =>
    `${t(entry.key)}@${entry.sequence} ${entry.value === null ? "deleted" : t(entry.value)}`;
  const cursor = subject.mergeCursors([newer, older].map((entries) => arrayCursor(entries)));
  const merged: string[] = [];
  for (cursor.seekFirst(); cursor.valid; cursor.next()) {
    const { key, isDeletion, value, sequence } = cursor;
    merged.push(line({ key, value: isDeletion ? null : value, sequence }));
  }
  return [
    `newer    ${newer.map(line).join("   ")}`,
    `older    ${older.map(line).join("   ")}`,
    `merged   ${merged.slice(0, 3).join("   ")}`,
    `         ${merged.slice(3).join("   ")}`,
  ].join("\n");
}

/** What a flush does to the disk, in order. */
function flush(): string {
  const disk = createSimulatedDisk();
  const scene = setScene(subject, disk);
  const from = disk.operations;
  scene.flush();
  return timelineOf(disk, from, Number.POSITIVE_INFINITY)
    .filter((line) => !line.includes("cut  "))
    .map((line) => line.slice(6))
    .join("\n");
}

/** One edit as bytes. */
function edit(): string {
  const table = tableOf(7, { smallest: "anna", largest: "carl" }, 9);
  const bytes = encodeEdit({
    remove: [],
    add: [{ level: 0, run: 8, table }],
    logFrom: 10,
    nextNumber: 9,
    sequence: 9,
  });
  return renderBytes({ title: "flush of table 7 into level 0", bytes }).slice(1).join("\n");
}

/** What lies in the directory of a store that has flushed once. */
function directory(): string {
  const disk = createSimulatedDisk();
  const store = openOn(subject, disk, {});
  store.put(b("anna"), b("red"));
  store.flush();
  store.put(b("bert"), b("blue"));
  const lines: string[] = [];
  for (const name of disk.list(DIR)) {
    if (name.startsWith("LOCK")) continue;
    const isFolder = /^(log|manifest)-/.test(name);
    lines.push(name);
    if (isFolder) for (const inner of disk.list(`${DIR}/${name}`)) lines.push(`  ${inner}`);
  }
  return lines.join("\n");
}

/** Versions of one key, and what stays of them. */
function keep(): string {
  const cases: readonly [versions: number[], snapshots: number[], isBelow: boolean][] = [
    [[9, 5], [], false],
    [[9, 5], [6], false],
    [[-9, 5], [], true],
    [[-9, 5], [], false],
    [[-9, 5], [6], false],
  ];
  const text = (versions: readonly KeyVersion[]): string =>
    versions.map((one) => `${one.isDeletion ? "delete" : "put"}@${one.sequence}`).join(" ") ||
    "nothing";
  const lines = cases.map(([sequences, snapshots, isBelow]) => {
    const versions = sequences.map((one) => ({ sequence: Math.abs(one), isDeletion: one < 0 }));
    const older = isBelow ? [{ smallest: b("a"), largest: b("z") }] : [];
    const stay = subject.createKeepRule(snapshots, older).survivors(b("key"), versions);
    return `${text(versions).padEnd(16)}${(snapshots.join(", ") || "none").padEnd(11)}${(isBelow ? "yes" : "no").padEnd(14)}${text(stay)}`;
  });
  return [
    `${"versions".padEnd(16)}${"snapshots".padEnd(11)}${"older table?".padEnd(14)}stays`,
    ...lines,
  ].join("\n");
}

/** One case of a script, with the plan of the solution. */
function planOf(script: string, name: string, picker: "leveled" | "tiered"): string {
  const example = parseScript(script).find((one) => one.name.startsWith(name))!;
  const make = picker === "leveled" ? subject.createLeveledPicker : subject.createTieredPicker;
  const plan = make(example.options as never).pick(example.version);
  return [...example.given.split("\n").slice(1), ...printPlan(plan).split("\n")].join("\n");
}

/** By name, as pages quote them. */
export const figures: Readonly<Record<string, () => string>> = {
  merge,
  flush,
  edit,
  directory,
  keep,
  leveled: () => planOf(LEVELED_SCRIPT, "Level 0 is due, and overlaps", "leveled"),
  tiered: () => planOf(TIERED_SCRIPT, "Level 0 is full, and level 1", "tiered"),
  ...Object.fromEntries(
    Array.from({ length: 9 }, (_, at) => [`checks${at + 1}`, () => checksOf(`04.${at + 1}`)]),
  ),
};
