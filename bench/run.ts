/**
 * `npm run bench -- [name…] [--small] [--json] [--strict]`: runs the benchmarks whose name contains
 * one of the texts, all of them if there is none.
 *
 * `--json` prints one report per line. `--strict` ends with status 1 when a goal is missed. `--keys
 * N` and `--rounds N` take the place of the parameters of that name. `--rows`, `--engines` (names
 * with commas between) and `--out DIR` are for `compare`.
 */
import { parseArgs } from "node:util";
import {
  type BenchReport,
  benchFiles,
  environmentLine,
  formatReport,
  meetsGoal,
  runBenchFile,
} from "./harness/index.ts";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    small: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    strict: { type: "boolean", default: false },
    keys: { type: "string" },
    rounds: { type: "string" },
    rows: { type: "string" },
    engines: { type: "string" },
    out: { type: "string" },
  },
});

const { small, json, strict, ...given } = flags;
const options = Object.fromEntries(
  Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined),
);
const files = benchFiles(positionals);
if (files.length === 0) {
  console.error(`bench: no benchmark is named like ${positionals.join(", ")}`);
  process.exit(1);
}
console.error(environmentLine());
let missed = 0;
for (const file of files) {
  const onReport = (report: BenchReport) => {
    console.log(json ? JSON.stringify(report) : formatReport(report));
    missed += report.figures.filter((figure) => !meetsGoal(figure)).length;
  };
  await runBenchFile(file, small ? "small" : "canonical", onReport, options);
}
if (missed > 0) console.error(`bench: ${missed} goals missed`);
if (strict && missed > 0) process.exitCode = 1;
