/**
 * `cairn bench` as a reader uses it. Method: a copy of the repository with a log in `work/wal`; the
 * command as a process, at its small size, since the numbers do not matter here.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { LabReport } from "../../bench/harness/lab-report.ts";
import { readersCopy } from "../support/readers-copy.ts";

const TIMEOUT_MS = 90_000;
const LAB = "01.group-commit";

function bench(copy: string, args: readonly string[]): { code: number | null; text: string } {
  const done = spawnSync(process.execPath, [join(copy, "dist/cli/cairn.js"), "bench", ...args], {
    cwd: copy,
    encoding: "utf8",
  });
  return { code: done.status, text: done.stdout + done.stderr };
}

function reportOf(copy: string): LabReport {
  const path = join(copy, `work/.cairn/bench/${LAB}.small.json`);
  return JSON.parse(readFileSync(path, "utf8")) as LabReport;
}

test(
  "a lab asks for a prediction, measures both logs, and draws the prediction",
  () => {
    const copy = readersCopy({ modules: { wal: "mine" }, more: ["bench", "src"] });
    const asked = bench(copy, ["wal"]);
    expect(asked.code).toBe(2);
    expect(asked.text).toContain(`npx cairn bench ${LAB} --predict`);
    expect(existsSync(join(copy, "work/.cairn/bench"))).toBe(false);

    const done = bench(copy, ["wal", "--predict", "about 30x", "--small"]);
    expect(done.text).toMatch(/yours +reference +yours \/ ref\./);
    expect(done.text).toMatch(/You\s+predicted\s+30×;\s+your\s+code\s+measured/);
    expect(done.code).toBe(0);
    const report = reportOf(copy);
    expect(report.mine?.series).toHaveLength(report.reference.series.length);
    expect(report.prediction).toMatchObject({ value: 30, text: "about 30x" });
    expect(report.calibration.fdatasyncMicroseconds.p99).toBeGreaterThan(0);
    const svg = readFileSync(join(copy, `work/.cairn/bench/${LAB}.small.svg`), "utf8");
    expect(svg).toContain("your prediction: 30×");

    // What was predicted once is not asked for again.
    const again = bench(copy, [LAB, "--small", "--plain"]);
    expect(again.code).toBe(0);
    expect(again.text).toMatch(/You\s+predicted\s+30x;/);
  },
  TIMEOUT_MS,
);

test(
  "a log that is not written yet is said to be so, and the reference is measured all the same",
  () => {
    const copy = readersCopy({ modules: {}, wal: "starter", more: ["bench", "src"] });
    const done = bench(copy, [LAB, "--skip", "--small"]);
    expect(done.text).toMatch(/Your wal is not measured: it has no .*step 01\.\d yet/);
    expect(done.code).toBe(1);
    expect(reportOf(copy).mine).toBeUndefined();
    expect(reportOf(copy).reference.series.length).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);
