/**
 * Every benchmark and every lab still runs. Method: run each file of `bench` at its small size, and
 * look at the report; the numbers mean nothing here, so no goal and no shape is checked.
 */
import { expect, test } from "vitest";
import { type BenchReport, benchFiles, runBenchFile } from "../../bench/harness/index.ts";
import { measureLab } from "../../bench/harness/lab-child.ts";
import { labFiles, labId, labsOf, loadLab } from "../../bench/harness/lab-files.ts";
import { filesUnder } from "./sources.ts";

/** A small run takes about a second; some start processes first. */
const TIMEOUT_MS = 60_000;

test("the runner finds every benchmark", () => {
  expect(benchFiles([])).toHaveLength(filesUnder("bench", ".bench.ts").length);
});

test.each(benchFiles([]))(
  "%s runs at its small size and reports figures",
  async (path) => {
    const reports: BenchReport[] = [];
    await runBenchFile(path, "small", (report) => reports.push(report));
    expect(reports.length).toBeGreaterThan(0);
    for (const { name, size, figures } of reports) {
      expect(size, name).toBe("small");
      expect(figures.length, name).toBeGreaterThan(0);
      for (const figure of figures) {
        expect(Number.isFinite(figure.value), `${name}: ${figure.name}`).toBe(true);
      }
    }
  },
  TIMEOUT_MS,
);

test("the runner finds every lab, by its number and by its module", () => {
  expect(labFiles()).toHaveLength(filesUnder("bench", ".lab.ts").length);
  expect(labsOf("01.group-commit")).toEqual(["wal/group-commit"]);
  expect(labsOf("wal")).toEqual(labsOf("01"));
  expect(labsOf("nothing")).toEqual([]);
});

test.each(labFiles())(
  "the lab %s runs at its small size, asks, and answers",
  async (name) => {
    const lab = await loadLab(name);
    expect(lab.id).toBe(labId(name));
    expect(lab.prediction.ask).toMatch(/\?$/);
    const answer = await measureLab(name, "small");
    if (answer.kind === "failed") throw new Error(answer.reason);
    const { series, shape } = answer.run.result;
    expect(Number.isFinite(answer.run.result.answer), "the answer is a number").toBe(true);
    expect(shape.length, "claims about the shape").toBeGreaterThan(0);
    expect(series.length, "lines of the plot").toBeGreaterThan(0);
    for (const { name: line, points } of series) {
      expect(points.length, line).toBeGreaterThan(0);
      for (const { x, y } of points) expect(Number.isFinite(x + y), `${line} at ${x}`).toBe(true);
    }
  },
  TIMEOUT_MS,
);
