/**
 * The pictures and tables of chapter 02, each made by running code: its pages quote them.
 */

import { type Check, renderBytes } from "#learn";
import { encodeChanges } from "../../../chapters/02-memtable/solution/changes.ts";
import { createMemtable } from "../../../chapters/02-memtable/solution/index.ts";
import { createSkipList } from "../../../chapters/02-memtable/solution/skip-list.ts";
import { bytesOf, textOf } from "../model.ts";
import { durableChecks } from "./durable.ts";
import { heightChecks } from "./heights.ts";
import { lookupChecks } from "./lookup.ts";
import { scanChecks } from "./scan.ts";
import { sizeChecks } from "./size.ts";
import type { Subject } from "./subject.ts";
import { answer } from "./tools.ts";
import { towerChecks } from "./towers.ts";

const KEYS = ["ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen"];
const HEIGHTS = [1, 2, 1, 4, 1, 2, 3, 1];
const WIDTH = 7;
const KIND_WIDTH = 10;

function sample(): ReturnType<typeof createSkipList> {
  let added = 0;
  const list = createSkipList({
    heightOf: () => {
      added += 1;
      return HEIGHTS[added - 1]!;
    },
  });
  for (const key of KEYS) list.findOrAdd(bytesOf(key));
  return list;
}

/** Eight keys in towers, highest level first. */
function towers(): string {
  const levels = sample()
    .levels()
    .map((keys) => keys.map(textOf));
  const lines = levels.map((keys, level) => {
    const cells = KEYS.map((key) => (keys.includes(key) ? key : "").padEnd(WIDTH - 4));
    const row = cells.map((cell) => (cell.trim() === "" ? "-".repeat(WIDTH) : `--> ${cell}`));
    return `level ${level}  head ${row.join("")}`;
  });
  return lines
    .reverse()
    .map((line) => line.replace(/-+$/, ""))
    .join("\n");
}

/** What a search compares, for each key. */
function hops(): string {
  const list = sample();
  const lines = KEYS.map((key) => {
    list.find(bytesOf(key));
    return `find("${key}")   ${list.hops} comparisons`;
  });
  return lines.join("\n");
}

/** The three answers of step 02.1, and a reader at an older sequence. */
function answers(): string {
  const table = createMemtable({ structure: "array" });
  table.put(bytesOf("price"), bytesOf("10"), 1);
  table.put(bytesOf("flag"), bytesOf(""), 2);
  table.put(bytesOf("price"), bytesOf("12"), 3);
  table.delete(bytesOf("price"), 4);
  table.delete(bytesOf("door"), 5);
  const asked: readonly (readonly [string, number?])[] = [
    ["price"],
    ["price", 3],
    ["price", 2],
    ["price", 0],
    ["flag"],
    ["door"],
    ["window"],
  ];
  const lines = asked.map(([key, at]) => {
    const call = at === undefined ? `get("${key}")` : `get("${key}", ${at})`;
    return `${call.padEnd(18)}${answer(table.get(bytesOf(key), at))}`;
  });
  return lines.join("\n");
}

/** What the same table gives to a scan. */
function scan(): string {
  const table = createMemtable({ structure: "array" });
  table.put(bytesOf("price"), bytesOf("10"), 1);
  table.put(bytesOf("flag"), bytesOf(""), 2);
  table.put(bytesOf("price"), bytesOf("12"), 3);
  table.delete(bytesOf("price"), 4);
  table.delete(bytesOf("door"), 5);
  const lines = ["key     sequence  value"];
  for (const { key, value, sequence } of table.scan()) {
    const said = value === null ? "deleted" : `"${textOf(value)}"`;
    lines.push(`${textOf(key).padEnd(8)}${String(sequence).padEnd(10)}${said}`);
  }
  return lines.join("\n");
}

/** How many towers of a million are expected on each level, for two chances. */
function levels(): string {
  const lines = ["higher than   p = 1/2   p = 1/4"];
  for (const level of [1, 2, 3, 5, 10, 15]) {
    const [half, quarter] = [1e6 / 2 ** level, 1e6 / 4 ** level];
    lines.push(`${String(level).padEnd(14)}${number(half)}${number(quarter)}`.trimEnd());
  }
  return lines.join("\n");
}

function number(value: number): string {
  const text = value >= 10 ? value.toFixed(0) : value.toPrecision(2);
  return (value < 0.01 ? value.toFixed(4) : text).padEnd(10);
}

/** Comparisons of a search when all towers have height 1, and when they are drawn. */
function worst(): string {
  const lines = ["keys     all of height 1   drawn with p = 1/4"];
  for (const count of [100, 1000, 4000]) {
    const cells = [() => 1, undefined].map((heightOf) => {
      const list = createSkipList(heightOf === undefined ? {} : { heightOf });
      const keys = Array.from({ length: count }, (_, i) => bytesOf(String(i).padStart(6, "0")));
      for (const key of keys) list.findOrAdd(key);
      let compared = 0;
      for (const key of keys) {
        list.find(key);
        compared += list.hops;
      }
      // Heights differ from run to run, so whole tens are as much as may be said.
      const mean = compared / count;
      return heightOf === undefined
        ? mean < 40
          ? "fewer than 40"
          : "40 or more"
        : mean.toFixed(0);
    });
    lines.push(`${String(count).padEnd(9)}${cells[0]!.padEnd(18)}${cells[1]}`);
  }
  return lines.join("\n");
}

/** What is kept of a key whose versions come while somebody reads at 100. */
function kept(): string {
  const table = createMemtable({ structure: "array" });
  const lines = ["put        newestReader   kept afterwards"];
  for (const [sequence, reader] of [
    [90, 0],
    [95, 92],
    [102, 100],
    [110, 100],
    [120, 100],
    [130, 0],
  ] as const) {
    table.put(bytesOf("price"), bytesOf(`${sequence}`), sequence, reader);
    const sequences = [...table.scan()].map((version) => version.sequence);
    lines.push(`${`${sequence}`.padEnd(11)}${`${reader}`.padEnd(15)}${sequences.join(", ")}`);
  }
  return lines.join("\n");
}

/** A batch of two changes as the payload of one record. */
function payload(): string {
  const changes = [
    { key: bytesOf("from"), value: null },
    { key: bytesOf("to"), value: bytesOf("100") },
  ];
  const fields = [
    { at: 0, bytes: 1, name: "count" },
    { at: 1, bytes: 6, name: "deletion: from" },
    { at: 7, bytes: 8, name: "value: to = 100" },
  ];
  const title = "delete from, put to = 100";
  return renderBytes({ title, bytes: encodeChanges(changes), fields }).join("\n");
}

/** The checks of a step, by kind and name. */
function listOf(checks: readonly Check<Subject>[]): () => string {
  return () => checks.map(({ kind, name }) => `${kind.padEnd(KIND_WIDTH)}${name}`).join("\n");
}

/** By name: `text figure=towers`. */
export const figures: Readonly<Record<string, () => string>> = {
  checks1: listOf(lookupChecks),
  checks2: listOf(towerChecks),
  checks3: listOf(heightChecks),
  checks4: listOf(scanChecks),
  checks5: listOf(sizeChecks),
  checks6: listOf(durableChecks),
  towers,
  hops,
  answers,
  scan,
  levels,
  worst,
  kept,
  payload,
};
