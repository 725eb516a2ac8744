/**
 * Every benchmark still runs. Method: run each file of `bench` at its small size, and look at the
 * report; the numbers mean nothing here, so no goal is checked.
 */
import { expect, test } from "vitest";
import { type BenchReport, benchFiles, runBenchFile } from "../../bench/harness/index.ts";
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
