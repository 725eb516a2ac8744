/**
 * The comparison's report says what was measured, and says losses first. Method: make a report by
 * hand in which Cairn loses and wins, and read what comes out; give it work that differs, and text
 * that would break the page.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { reportRow } from "../../bench/compare/compare.ts";
import { pageOf } from "../../bench/compare/page.ts";
import { reportInText, writeReport } from "../../bench/compare/report.ts";
import { ROWS, rowNamed } from "../../bench/compare/rows.ts";
import { median, medianDeviation, ratiosByRound } from "../../bench/compare/statistics.ts";
import type {
  CellResult,
  CompareReport,
  Description,
  EngineName,
  RowName,
  RowReport,
} from "../../bench/compare/types.ts";
import { sayInWords } from "../../bench/compare/words.ts";

const CALLS = ["puts", "batch", "durablePuts", "deletes", "gets", "scan", "seeks", "open"] as const;

function contender(name: EngineName): Description {
  const api = Object.fromEntries(CALLS.map((call) => [call, `${name} ${call} <&>`]));
  return {
    name,
    version: "1.2.3",
    settings: "as it comes",
    durability: "survives kill",
    durabilitySynced: "survives power loss",
    api: api as Description["api"],
  };
}

function cell(microseconds: number, bytes = 116): CellResult {
  return {
    tally: { operations: 10, bytes, checksum: 7 },
    microsecondsPerOperation: microseconds,
    cpuMicrosecondsPerOperation: microseconds,
    loopDelayP99Ms: null,
    rssBytesMax: 2 ** 26,
    closeMs: 1,
  };
}

function rowOf(row: RowName, times: Partial<Record<EngineName, readonly number[]>>): RowReport {
  const entries = Object.entries(times) as [EngineName, readonly number[]][];
  const cells = new Map(entries.map(([name, us]) => [name, us.map((one) => cell(one))]));
  return reportRow(rowNamed(row), { cells, contenders: [...cells.keys()].map(contender) });
}

function sample(): CompareReport {
  const rows = [
    rowOf("fillrandom", { cairn: [2, 2, 4], lmdb: [20, 30, 20], "classic-level": [6, 8, 4] }),
    rowOf("readrandom", { cairn: [4, 2, 2], lmdb: [1, 1, 3], "classic-level": [8, 6, 5] }),
  ];
  return {
    format: 1,
    keys: 1000,
    rounds: 3,
    keyBytes: 16,
    valueBytes: 100,
    code: "sources",
    environment: {
      processor: "<script>alert(1)</script>",
      processors: 2,
      memoryBytes: 2 ** 30,
      kernel: "linux",
      node: "20",
      filesystem: "ext4",
      fdatasyncMicroseconds: 200,
      loadAverage: [0, 0.5],
      started: "2024-01-01T00:00:00.000Z",
      seconds: 61,
    },
    contenders: [contender("cairn"), contender("lmdb"), contender("classic-level")],
    rows,
    words: sayInWords(rows),
  };
}

test("a median is the middle, or lies between the two middle ones", () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4, 1, 2, 100])).toBe(3);
  expect(medianDeviation([1, 1, 2, 2, 4, 6, 9])).toBe(1);
  expect(() => median([])).toThrow(RangeError);
});

test("a ratio is taken in each round, and its median is not the ratio of the medians", () => {
  const rounds = ratiosByRound([1, 10, 100], [300, 20, 10]);
  expect(rounds).toEqual([300, 2, 0.1]);
  expect(median(rounds)).toBe(2);
  expect(() => ratiosByRound([1, 2], [1])).toThrow(RangeError);
});

test("a row where an engine has read less than the others is refused", () => {
  const cells = new Map<EngineName, CellResult[]>([
    ["cairn", [cell(1), cell(1)]],
    ["lmdb", [cell(1), cell(1, 115)]],
  ]);
  const contenders = [contender("cairn"), contender("lmdb")];
  expect(() => reportRow(rowNamed("readrandom"), { cells, contenders })).toThrow(
    /readrandom: lmdb has done .*115/,
  );
});

test("losses come first, in words, and then how many rows were won", () => {
  expect(sample().words).toEqual([
    "lmdb wins readrandom: it is 2.00 times as fast as Cairn, though not in 1 of 3 rounds.",
    "Cairn is faster than lmdb in 1 of 2 rows.",
    "Cairn is faster than classic-level in 2 of 2 rows.",
  ]);
});

test("every cell names its API and what survives", () => {
  const [fill, read] = sample().rows;
  expect(fill!.engines.map((one) => one.durability)).toEqual(Array(3).fill("survives kill"));
  expect(read!.engines.map((one) => one.durability)).toEqual(Array(3).fill("reads only"));
  expect(fill!.engines[1]!.api).toBe("lmdb puts <&>");
  const synced = rowOf("fillsync", { cairn: [1], lmdb: [2] });
  expect(synced.engines[0]!.durability).toBe("survives power loss");
});

test("the page stands alone: no script, no address, every figure in a table", () => {
  const page = pageOf(sample());
  expect(page).not.toMatch(/<script|https?:|src=|@import|url\(/);
  expect(page).toContain("&lt;script&gt;alert(1)");
  expect(page).toContain("lmdb gets &lt;&amp;&gt;");
  expect(page).toContain("prefers-color-scheme: dark");
  expect(page).toMatch(/<th scope="row">fillrandom<\/th><td>2\.00 ± 0\.00<\/td>/);
  expect(page).toContain("<strong>0.500</strong>");
  expect(page.match(/<svg /g)).toHaveLength(2);
  expect(page).not.toMatch(/NaN|undefined|Infinity/);
});

test("tags of the page and its plots are closed in order", () => {
  const open: string[] = [];
  const empty = new Set(["meta", "line", "circle", "rect"]);
  for (const [, end, name] of pageOf(sample()).matchAll(/<(\/?)([a-z][a-z0-9]*)/g)) {
    if (empty.has(name!)) continue;
    if (end === "") open.push(name!);
    else expect(open.pop()).toBe(name);
  }
  expect(open).toEqual([]);
});

test("the JSON file holds the report, all points included", () => {
  const dir = mkdtempSync(join(tmpdir(), "compare-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const [json, html] = writeReport(sample(), dir);
  expect(JSON.parse(readFileSync(json!, "utf8"))).toEqual(sample());
  expect(readFileSync(html!, "utf8")).toBe(pageOf(sample()));
  expect(reportInText(sample())).toMatch(/readrandom +2\.00 +1\.00 \(0\.500\) +6\.00 \(2\.50\)/);
});

test("the rows are those of the list, each with work to do at any size", () => {
  expect(ROWS.map((row) => row.name)).toEqual([
    ..."fillseq fillrandom fillsync fillbatch overwrite readrandom readmissing readhot".split(" "),
    ..."readseq readreverse seekrandom readwhilewriting deleterandom open".split(" "),
  ]);
  for (const row of ROWS) {
    const list = row.list(2000);
    expect(list.length, row.name).toBeGreaterThan(0);
    const odd = row.name === "readmissing" ? 1 : 0;
    expect(
      list.every((number) => number % 2 === odd && number < 4000),
      row.name,
    ).toBe(true);
  }
});
