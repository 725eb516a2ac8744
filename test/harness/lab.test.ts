/**
 * What is made of a lab's measurements: predictions read, rounds merged, tables and plots.
 *
 * Method: reports made by hand, so that every number in the output can be foretold; and one lab
 * that really runs, in its smallest size.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import type { LabRun } from "../../bench/harness/lab-child.ts";
import { mergeRuns, verdictOf } from "../../bench/harness/lab-merge.ts";
import { gapInWords, readPrediction } from "../../bench/harness/lab-predict.ts";
import type { LabReport } from "../../bench/harness/lab-report.ts";
import { runLabs } from "../../bench/harness/lab-run.ts";
import { reportLines } from "../../bench/harness/lab-text.ts";
import { plotSvg } from "../../bench/harness/plot.ts";
import { createAxis } from "../../bench/harness/plot-axis.ts";
import { plotPage } from "../../bench/harness/plot-page.ts";

describe("a prediction", () => {
  test.each([
    ["30", 30],
    ["about 30 times", 30],
    ["30x", 30],
    ["batch 64 ≈ 30x batch 1", 30],
    ["64 records: 30 times", 30],
    ["1,500", 1500],
    ["2.5k", 2500],
    ["0.2 ms", 0.2],
  ])("%s is one number", (text, value) => {
    expect(readPrediction(text, "ms")).toBe(value);
  });

  test.each(["", "a lot", "8 or 64", "n2 is larger"])("%s is none, and none is guessed", (text) => {
    expect(readPrediction(text, "ms")).toBeUndefined();
  });

  test("is said to be too low, too high or close", () => {
    expect(gapInWords(30, 57)).toBe("too low by a factor of 1.9");
    expect(gapInWords(600, 57)).toBe("too high by a factor of 11");
    expect(gapInWords(55, 57)).toBe("close");
  });
});

test("a prediction of last time is used again, and named", async () => {
  const folder = mkdtempSync(join(tmpdir(), "cairn-lab-"));
  const out = relative(process.cwd(), folder);
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const request = { target: "01.group-commit", skip: false, small: true, out, say };
  try {
    await expect(runLabs(request)).rejects.toThrow("Predict before you measure");
    // Exit code 1 where a reader's own log is there and half written.
    await runLabs({ ...request, predict: "about 30" });
    expect(lines.join("\n")).not.toContain("last time");
    await runLabs(request);
    expect(lines.join("\n")).toContain("Your prediction of last time: about 30. Another one: npx");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function run(of: { readonly y: number; readonly answer: number; readonly holds: boolean }): LabRun {
  return {
    result: {
      series: [
        {
          name: "synced & slow",
          points: [
            { x: 1, y: of.y },
            { x: 64, y: of.y * 10, low: of.y * 9, high: of.y * 11 },
          ],
        },
      ],
      answer: of.answer,
      shape: [{ claim: "It grows.", holds: of.holds }],
    },
    parameters: { rounds: 3 },
    workHash: "0123456789abcdef",
    seconds: 1,
  };
}

const three = [
  run({ y: 100, answer: 10, holds: true }),
  run({ y: 400, answer: 12, holds: true }),
  run({ y: 200, answer: 50, holds: false }),
];

describe("rounds of one subject", () => {
  test("become medians, with the range of all of them", () => {
    const merged = mergeRuns(three);
    expect(merged.series[0]?.points).toEqual([
      { x: 1, y: 200, low: 100, high: 400 },
      { x: 64, y: 2000, low: 900, high: 4400 },
    ]);
    expect(merged.answer).toEqual({ median: 12, low: 10, high: 50 });
    expect(merged.shape).toEqual([{ claim: "It grows.", held: 2 }]);
  });

  test("decide about a claim by majority, or not at all", () => {
    expect([verdictOf(2, 3), verdictOf(1, 3), verdictOf(1, 2)]).toEqual(["yes", "no", "unclear"]);
  });
});

function report(change: Partial<LabReport> = {}): LabReport {
  return {
    id: "01.group-commit",
    title: "Group commit",
    question: "How many?",
    about: "Appends.",
    module: "wal",
    size: "canonical",
    measuredAt: "2026-01-01T00:00:00.000Z",
    x: { label: "records per sync", unit: "", scale: "log" },
    y: { label: "records per second", unit: "", scale: "log" },
    prediction: { ask: "How many times more?", unit: "×", text: "30", value: 30 },
    calibration: {
      fdatasyncMicroseconds: { p50: 85, p99: 129 },
      sequentialMegabytesPerSecond: 1269,
      fileSystem: "tmpfs",
      node: "20.20.2",
      processor: "A <processor>",
      processors: 2,
      system: "linux",
      warnings: ["tmpfs is memory."],
    },
    reference: mergeRuns(three),
    mine: mergeRuns(three.slice(0, 1)),
    ...change,
  };
}

describe("a report", () => {
  test("shows the reader's numbers beside the reference's, and their ratio", () => {
    const text = reportLines(report()).join("\n");
    expect(text).toMatch(/yours +reference +yours \/ ref\./);
    expect(text).toMatch(/records per sync 1 +100 +200 +0\.5$/m);
    expect(text).toMatch(/yes +yes +It grows\./);
    expect(text).toContain("You predicted 30×; your code measured 10×");
    expect(text).toContain("too high by a factor of 3.0");
  });

  test("explains the word unclear where it says it, and only there", () => {
    const even = [run({ y: 1, answer: 1, holds: true }), run({ y: 1, answer: 1, holds: false })];
    const unclear = report({ mine: mergeRuns(even) });
    const lines = reportLines(unclear);
    expect(plotPage(unclear)).toContain('<p class="quiet">unclear: it held in half');
    expect(lines.join("\n")).toMatch(/unclear +yes +It grows\.\n {2}unclear: it held in half/);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(100);
    expect(reportLines(report()).join("\n")).not.toContain("unclear");
  });

  test("says why the reader's code has no numbers", () => {
    const { mine: _, ...alone } = report({ mineProblem: "Your wal is not measured: no openWal." });
    const text = reportLines(alone).join("\n");
    expect(text).toContain("Your wal is not measured");
    expect(text).not.toContain("yours");
  });

  test("has the prediction in its plot, on the axis that has its unit or as points", () => {
    const points = [
      { x: 1, y: 200 },
      { x: 64, y: 6000 },
    ];
    const { prediction } = report();
    const drawn = plotSvg(report({ prediction: { ...prediction, points } }));
    expect(drawn.match(/your prediction: 30×/g)).toHaveLength(1);
    const inUnit = report({ y: { label: "factor", unit: "×", scale: "linear" } });
    expect(plotSvg(inUnit).match(/your prediction: 30×/g)).toHaveLength(1);
    for (const svg of [drawn, plotSvg(inUnit), plotSvg(report())]) {
      expect(svg).toContain("you predicted 30×");
      expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    }
  });

  test("names labelled points, and prints the figures besides the plot", () => {
    const withMore = (of: LabRun, factor: number): LabRun => {
      const [series] = of.result.series;
      const points = series!.points.map((at) => ({ ...at, x: at.x * factor, label: `r${at.x}` }));
      const figures = [{ kind: "space", name: "all & more", value: factor, unit: "x" }];
      return { ...of, result: { ...of.result, series: [{ ...series!, points }], figures } };
    };
    const merged = (factor: number): LabReport["reference"] =>
      mergeRuns(three.map((one) => withMore(one, factor)));
    const full = report({ mine: merged(2), reference: merged(1), pointLabel: "ratio" });
    const text = reportLines(full).join("\n");
    expect(text).toMatch(/ratio r64: records per sync 64, yours 128 /);
    expect(text).toMatch(/^space +yours +reference\n {2}all & more +2x +1x$/m);
    expect(plotSvg(full).match(/>r64</g)).toHaveLength(1);
    const page = plotPage(full);
    expect(page).toContain("The number beside a point: ratio.");
    expect(page).toContain("<td>all &amp; more</td><td>2x</td><td>1x</td>");
    expect(page).not.toMatch(/NaN|undefined/);
    expect(reportLines(report()).join("\n")).not.toContain("space");
  });

  test("is a page that loads nothing and takes text for text", () => {
    const page = plotPage(report());
    expect(page).toContain("synced &amp; slow");
    expect(page).toContain("A &lt;processor&gt;");
    expect(page.match(/(src|href)="(?!data:)/g)).toBeNull();
    expect(page).not.toMatch(/NaN|undefined/);
  });
});

test("an axis has ticks in its range, also for one value and for none above zero", () => {
  const place = { from: 0, to: 100 };
  for (const scale of ["log", "linear"] as const) {
    for (const values of [[5], [0], [1, 10_000], [3, 4]]) {
      const axis = createAxis({ label: "", unit: "", scale }, values, place);
      expect(axis.ticks.length, `${scale} ${values}`).toBeGreaterThan(0);
      for (const { at } of axis.ticks) expect(at >= 0 && at <= 100).toBe(true);
      for (const value of values) expect(Number.isFinite(axis.at(value))).toBe(true);
    }
  }
});
