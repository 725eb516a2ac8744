/**
 * Runs every scenario of `scenarios/`, and sees that the list of ids is complete. Method: each file
 * is carried out and its outcome compared byte for byte; CAIRN_UPDATE=1 writes the outcomes anew.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runScenario } from "#simulation";

const DIRECTORY = join(import.meta.dirname, "scenarios");
const UPDATES = process.env["CAIRN_UPDATE"] === "1";

/** How many there are of each group, as the list has them. */
const GROUPS: Readonly<Record<string, number>> = {
  E: 18,
  R: 14,
  C: 8,
  P: 10,
  B: 8,
  V: 12,
  S: 15,
  M: 16,
  T: 8,
  D: 12,
  F: 6,
  K: 14,
  N: 10,
};
const IDS = Object.entries(GROUPS).flatMap(([group, count]) =>
  Array.from({ length: count }, (_, i) => `${group}${String(i + 1).padStart(2, "0")}`),
);

const files = readdirSync(DIRECTORY)
  .filter((name) => name.endsWith(".txt"))
  .sort();
const idOf = (file: string): string => file.slice(0, 3);

describe("scenarios", () => {
  test.each(files)("%s", async (file) => {
    const path = join(DIRECTORY, file);
    const text = readFileSync(path, "utf8");
    let report = await runScenario(text);
    if (UPDATES && report.text !== text) {
      writeFileSync(path, report.text);
      report = await runScenario(report.text);
    }
    expect(report.failure?.message).toBeUndefined();
    expect(report.passed).toBe(true);
    expect(report.title).toMatch(new RegExp(`^${idOf(file)}: `));
  });
});

test("every id of the list has a scenario, or a reason why it does not apply", () => {
  const readme = readFileSync(join(DIRECTORY, "README.md"), "utf8");
  const excused = [...readme.matchAll(/^\| ([A-Z]\d\d) \|/gm)].map((match) => match[1]);
  const ids = files.map(idOf);
  expect([...ids, ...excused].sort()).toEqual([...IDS].sort());
});

test("at least 130 scenarios run", () => {
  expect(files.length).toBeGreaterThanOrEqual(130);
});
