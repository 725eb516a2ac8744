/**
 * The bank as a table: who notices each mutant, and how soon.
 *
 * Chapter: 11-simulation.
 */
import type { Mutant } from "./types.ts";

/** Medians by mutant; `undefined`: not searched for, or not found. */
export type Medians = ReadonlyMap<Mutant, number>;

export const HEADER =
  "| # | planted mistake | in | noticed by | seeds, median | at most | script |";
const RULE = "| --: | --- | --- | --- | --: | --: | --- |";

/** The table in Markdown. */
export function tableOf(mutants: readonly Mutant[], medians: Medians): string {
  return [HEADER, RULE, ...mutants.map((mutant) => rowOf(mutant, medians.get(mutant)))].join("\n");
}

/** One row of it. @param median - what was measured; a row without one has a dash. */
export function rowOf(mutant: Mutant, median: number | undefined): string {
  const { number, name, module = "raft", expected, search, directed, real } = mutant;
  const ids = search === undefined ? [] : expected;
  const other = real === undefined ? "the script" : "a check of the real part";
  const cells = [
    `${number}`,
    name,
    module,
    ids.length > 0 ? ids.join(", ") : other,
    search === undefined ? "-" : `${median ?? "-"}`,
    search === undefined ? "-" : `${search.seeds} ${search.tier}`,
    directed === undefined ? "-" : directed.join(", "),
  ];
  return `| ${cells.join(" | ")} |`;
}
