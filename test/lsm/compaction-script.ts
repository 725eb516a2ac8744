/**
 * Versions and plans as text, for the golden scripts of the pickers.
 *
 * A script is a list of cases with blank lines between them:
 *
 *     # What it shows.
 *     with levelRatio 10, levelZeroCompactRuns 4
 *     0/7: 12 c-f 10
 *     1/2: 3 a-e 50, 4 f-z 50
 *     => 0/7 12 + 1/2 3 4 -> 1/2
 *     because level 0 has 1 run
 *
 * A line of a version is `level/run: id smallest-largest bytes, …`. A plan is its inputs and its
 * output; `new` stands for a new run.
 */
import type { CompactionPlan, Run, Version } from "#lsm";
import type { TableMeta } from "#sstable/types";

/** One case of a script. */
export interface ScriptCase {
  readonly name: string;
  readonly options: Readonly<Record<string, number>>;
  readonly version: Version;
  /** The lines of the case up to the plan. */
  readonly given: string;
  /** The plan as text. */
  readonly plan: string;
}

/** Reads a script. @throws Error for a line that it does not understand. */
export function parseScript(text: string): ScriptCase[] {
  return text
    .trim()
    .split(/\n\n+/)
    .map((block) => {
      const lines = block.split("\n");
      const planAt = lines.findIndex((line) => line.startsWith("=>"));
      const given = lines.slice(0, planAt < 0 ? lines.length : planAt);
      const [name = ""] = given;
      if (!name.startsWith("# ")) throw new Error(`a case begins with its name: ${name}`);
      const options = given.find((line) => line.startsWith("with ")) ?? "with";
      const runs = given.filter((line) => !/^(# |with )/.test(line)).map(parseRun);
      return {
        name: name.slice(2),
        options: parseOptions(options),
        version: { runs },
        given: given.join("\n"),
        plan: planAt < 0 ? "" : lines.slice(planAt).join("\n"),
      };
    });
}

/** A plan as text. */
export function printPlan(plan: CompactionPlan | null): string {
  if (plan === null) return "=> nothing";
  const inputs = plan.inputs.map(
    ({ level, run, tables }) => `${level}/${run} ${tables.map(({ id }) => id).join(" ")}`,
  );
  const output = `${plan.outputLevel}/${plan.outputRun ?? "new"}`;
  return `=> ${inputs.join(" + ")} -> ${output}\nbecause ${plan.reason}`;
}

function parseOptions(line: string): Record<string, number> {
  const words = line.slice("with ".length).split(/,\s*/).filter(Boolean);
  return Object.fromEntries(
    words.map((pair) => {
      const [, name = "", value] = /^(\w+) (\d+)$/.exec(pair) ?? [];
      if (value === undefined) throw new Error(`not an option: ${pair}`);
      return [name, Number(value)];
    }),
  );
}

function parseRun(line: string): Run {
  const [, level, number, tables = ""] = /^(\d)\/(\d+): (.+)$/.exec(line) ?? [];
  if (level === undefined) throw new Error(`not a run: ${line}`);
  return {
    level: Number(level),
    number: Number(number),
    tables: tables.split(", ").map(parseTable),
  };
}

function parseTable(text: string): TableMeta {
  const [, id, smallest = "", largest = "", bytes] = /^(\d+) (\w+)-(\w+) (\d+)$/.exec(text) ?? [];
  if (id === undefined) throw new Error(`not a table: ${text}`);
  const encoder = new TextEncoder();
  return {
    id: Number(id),
    bytes: Number(bytes),
    entries: 1,
    deletions: 0,
    smallest: encoder.encode(smallest),
    largest: encoder.encode(largest),
    sequenceMin: 1,
    sequenceMax: 1,
  };
}
