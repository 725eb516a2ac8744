/**
 * How does Cairn compare with what a JavaScript user would otherwise install?
 *
 * The list of LevelDB's `db_bench` on Cairn, `classic-level`, `lmdb` and `better-sqlite3`,
 * interleaved, each through its best API; see README.md here for the rules. Every write is handed
 * to the system before it is answered; only `fillsync` syncs each. Not measured: values of other
 * sizes, more data than the page cache holds, several processes.
 */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Bench, builtIsCurrent } from "../harness/index.ts";
import { compareEngines } from "./compare.ts";
import { ENGINES, EXTRA_ENGINES } from "./engines.ts";
import { reportInText, writeReport } from "./report.ts";
import { ROWS } from "./rows.ts";
import type { EngineName, RowName } from "./types.ts";

const OUT = "data/bench/compare";
/** Where the goal is to be ahead of `lmdb` too: the rows that write at random. */
const RANDOM_WRITES: ReadonlySet<RowName> = new Set(["fillrandom", "overwrite", "deleterandom"]);

export async function compare(bench: Bench): Promise<void> {
  const keys = bench.parameter("keys", { small: 2000, canonical: 1_000_000 });
  const rounds = bench.parameter("rounds", { small: 1, canonical: 5 });
  const rows = chosen(
    bench.option("rows"),
    ROWS.map((row) => row.name),
  );
  const engines = chosen<EngineName>(bench.option("engines"), ENGINES, EXTRA_ENGINES);
  const built = bench.size === "canonical";
  if (built && !builtIsCurrent()) {
    throw new Error("compare: dist is older than src; `npm run build` first");
  }
  const report = await compareEngines({
    keys,
    rounds,
    rows,
    engines,
    workDir: resolve(bench.directory()),
    processPerCell: bench.size === "canonical",
    built,
    onProgress: bench.size === "small" ? () => {} : (line) => console.error(line),
  });
  const out = bench.option("out") ?? join(OUT, bench.size);
  mkdirSync(out, { recursive: true });
  const files = writeReport(report, out);
  if (bench.size === "canonical") console.error(`${reportInText(report)}\n${files.join("\n")}`);
  for (const row of report.rows) {
    bench.work(row.workHash);
    for (const { peer, median } of row.ratios) {
      const wanted = peer === "classic-level" || (peer === "lmdb" && RANDOM_WRITES.has(row.row));
      const goal = wanted ? { atLeast: 1 } : undefined;
      bench.figure(`${row.row}: ${peer} / cairn`, median, "x", goal);
    }
  }
}

/** @param text - names with commas between; nothing for all of `usual`. */
function chosen<T extends string>(
  text: string | undefined,
  usual: readonly T[],
  extra: readonly T[] = [],
): readonly T[] {
  if (text === undefined) return usual;
  const known = [...usual, ...extra];
  return text.split(",").map((name) => {
    const found = known.find((one) => one === name);
    if (found !== undefined) return found;
    throw new RangeError(`compare: ${name} is none of ${known.join(", ")}`);
  });
}
