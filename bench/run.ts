/**
 * `npm run bench -- [name…] [--small] [--json] [--strict]`: runs the benchmarks whose name
 * contains
 * one of the texts, all of them if there is none.
 *
 * `--json` prints one report per line. `--strict` ends with status 1 when a goal is missed.
 */
import { parseArgs } from "node:util";
import {
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
  },
});

const files = benchFiles(positionals);
if (files.length === 0) {
  console.error(`bench: no benchmark is named like ${positionals.join(", ")}`);
  process.exit(1);
}
console.error(environmentLine());
let missed = 0;
for (const file of files) {
  await runBenchFile(file, flags.small ? "small" : "canonical", (report) => {
    console.log(flags.json ? JSON.stringify(report) : formatReport(report));
    missed += report.figures.filter((figure) => !meetsGoal(figure)).length;
  });
}
if (missed > 0) console.error(`bench: ${missed} goals missed`);
if (flags.strict && missed > 0) process.exitCode = 1;
