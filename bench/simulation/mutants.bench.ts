/**
 * How many seeds does the simulator need to notice a planted mistake?
 *
 * Each mutant of `test/raft/mutants` is hunted from several first seeds, and the median counts. The
 * goal is its budget. Counted are seeds, not seconds, so the figures are the same on any machine.
 * `--rounds N` sets the number of starts; `--out DIR` writes the table of the book to
 * `DIR/mutants.md`.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { MUTANTS } from "../../test/raft/mutants/bank.ts";
import { hunt } from "../../test/raft/mutants/hunt.ts";
import { plant } from "../../test/raft/mutants/plant.ts";
import { tableOf } from "../../test/raft/mutants/table.ts";
import type { Mutant } from "../../test/raft/mutants/types.ts";
import type { Bench } from "../harness/index.ts";

/** Starts lie so far apart that no search runs into the next one. */
const BETWEEN_STARTS = 10_000;
/** Enough to see that the benchmark runs. */
const SMALL: readonly number[] = [1, 7];

export async function seedsToNotice(bench: Bench): Promise<void> {
  const starts = bench.parameter("rounds", { small: 1, canonical: 5 });
  const medians = new Map<Mutant, number>();
  for (const mutant of MUTANTS) {
    const { number, name, search } = mutant;
    if (search === undefined || (bench.size === "small" && !SMALL.includes(number))) continue;
    const laboratory = await plant(mutant, true);
    const counts: number[] = [];
    for (let start = 0; start < starts; start += 1) {
      // Twice the budget: what is missed is to be seen in the figure, not cut off.
      const wide = { ...search, seeds: 2 * search.seeds };
      const { seeds, others } = hunt(mutant, wide, laboratory, 1 + start * BETWEEN_STARTS);
      counts.push(seeds ?? 2 * wide.seeds);
      bench.work(`${number} ${seeds} ${[...others].join()}`);
    }
    const median = counts.sort((a, b) => a - b)[Math.floor(counts.length / 2)]!;
    medians.set(mutant, median);
    const label = `${number} ${name}`;
    bench.figure(label, median, `${search.tier} seeds`, { atMost: search.seeds });
    bench.figure(`${number}, the slowest start`, counts.at(-1)!, `${search.tier} seeds`);
  }
  const out = bench.option("out");
  if (out !== undefined) writeFileSync(join(out, "mutants.md"), `${tableOf(MUTANTS, medians)}\n`);
}
