/**
 * Would we notice? Method: known mistakes are planted in copies of the sources, one at a time. Each
 * has to be noticed by the check that is written beside it: by the simulator's invariants within a
 * number of seeds, by a directed script, or by a check of the real part that holds the mistake.
 *
 * The fifteen that matter most are hunted with seeds always, the rest only if CAIRN_SCALE is 10 or
 * more; `npm run bench -- mutants` prints how many seeds each takes.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ROOT } from "../support/plant.ts";
import { SCALE } from "../support/seeds.ts";
import { MUTANTS } from "./mutants/bank.ts";
import { hunt } from "./mutants/hunt.ts";
import { plant, SOUND } from "./mutants/plant.ts";
import { runDirected } from "./mutants/scripts.ts";
import { rowOf } from "./mutants/table.ts";
import type { Mutant } from "./mutants/types.ts";

const FIRST: ReadonlySet<number> = new Set([1, 2, 4, 5, 7, 8, 9, 12, 13, 17, 20, 22, 24, 26, 31]);
const ALL_FROM_SCALE = 10;
const LISTED = 35;
const PATIENCE = { timeout: 300_000 };

const named = MUTANTS.map(
  (mutant) => [`${mutant.number} in ${mutant.module ?? "raft"}: ${mutant.name}`, mutant] as const,
);

function mutantsWith(key: "search" | "directed" | "real"): [string, Mutant][] {
  return named.filter(([, mutant]) => mutant[key] !== undefined).map((one) => [...one]);
}

test("every number of the list is in the bank, and somebody looks for it", () => {
  const numbers = new Set(MUTANTS.map(({ number }) => number).filter((one) => one <= LISTED));
  const missing = Array.from({ length: LISTED }, (_, at) => at + 1).filter((n) => !numbers.has(n));
  expect(missing).toEqual([]);
  const unseen = MUTANTS.filter(({ search, directed, real }) => !(search ?? directed ?? real));
  expect(unseen).toEqual([]);
  const hunted = MUTANTS.filter(({ number, search }) => FIRST.has(number) && search !== undefined);
  expect(hunted).toHaveLength(FIRST.size);
});

test("the table in the book says of each mutant what the bank says", () => {
  const page = readFileSync(join(ROOT, "chapters/11-simulation/mutants.md"), "utf8");
  const rows = page.split("\n").filter((line) => /^\| \d/.test(line));
  const withoutMedian = (row: string): string => row.split(" | ").toSpliced(4, 1).join(" | ");
  const expected = MUTANTS.map((mutant) => withoutMedian(rowOf(mutant, undefined)));
  expect(rows.map(withoutMedian)).toEqual(expected);
});

describe("seeds find", () => {
  const hunted = mutantsWith("search").filter(
    ([, { number }]) => FIRST.has(number) || SCALE >= ALL_FROM_SCALE,
  );
  test.each(hunted)("%s", PATIENCE, async (_, mutant) => {
    const { id, others } = hunt(mutant, mutant.search!, await plant(mutant, true));
    const instead = [...others].map(([other, count]) => `${count} times ${other}`).join(", ");
    expect(mutant.expected, `noticed: ${instead || "nothing"}`).toContain(id);
  });
});

describe("a script finds", () => {
  test.each(mutantsWith("directed"))("%s", PATIENCE, async (_, mutant) => {
    const [id, invariant] = mutant.directed!;
    const report = await runDirected(id, await plant(mutant));
    expect(report.passed, `${id} has not noticed`).toBe(false);
    expect(report.failure?.invariant).toBe(invariant);
  });
});

describe("the real part's check finds", () => {
  test.each(mutantsWith("real"))("%s", PATIENCE, async (_, mutant) => {
    mutant.real!(SOUND.sqlite);
    const { sqlite } = await plant(mutant);
    expect(() => mutant.real!(sqlite)).toThrow();
  });
});
