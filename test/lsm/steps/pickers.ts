/**
 * Step 04.8: what is compacted, and when. Method: versions as text, with what any good plan must
 * do; random versions, where each plan is judged key by key; and loads on a model without files.
 */
import { errorText } from "#base";
import { type Check, expectThat, fail, type Step } from "#learn";
import { type CompactionPlan, checkPlan, LEVEL_MAX, type Picker, type Version } from "#lsm";
import { seededRandom } from "#platform";
import type { Random } from "#platform/types";
import { carryOut, keepsOrder, makeTable, randomVersion } from "../compaction-model.ts";
import { parseScript, printPlan } from "../compaction-script.ts";
import { LEVELED_SCRIPT, TIERED_SCRIPT } from "./picker-scripts.ts";
import type { LsmSubject } from "./subject.ts";
import { count, list } from "./words.ts";

type PickerCheck = Check<LsmSubject>;

/** A case of a script, and what a good plan must do. */
type ScriptCase = ReturnType<typeof parseScript>[number];

/** `=> nothing`, or `=> from level 0, with 7 8 9`: at least these tables. */
interface Demand {
  readonly level: number | null;
  readonly tables: readonly number[];
}

function demandOf({ plan, name }: ScriptCase): Demand {
  if (plan === "=> nothing") return { level: null, tables: [] };
  const [, level, tables = ""] = /^=> from level (\d)(?:, with ([\d ]+))?$/.exec(plan) ?? [];
  if (level === undefined) throw new Error(`not a demand, in "${name}": ${plan}`);
  return { level: Number(level), tables: tables.split(" ").filter(Boolean).map(Number) };
}

const LEFT_OUT =
  "What overlaps the inputs and stays behind is afterwards above what is newer. Readers find the older version first.";

function runScript(
  script: string,
  make: (options: Readonly<Record<string, number>>) => Picker,
): void {
  for (const example of parseScript(script)) {
    const demand = demandOf(example);
    const plan = make(example.options).pick(example.version);
    const lines = [...example.given.split("\n").slice(1), ...printPlan(plan).split("\n")];
    const told = (problem: string, why?: string): never =>
      fail({
        happened: `${example.name} ${problem}`,
        why:
          why ??
          (demand.level === null
            ? "Work that nobody needs is write amplification: every byte is written again for nothing."
            : "A level that is due and is not compacted costs every reader another look, until writes have to stop."),
        timeline: lines,
        rule: plan === null || demand.level === null ? "L8" : "L6",
      });
    if (demand.level === null) {
      if (plan !== null) told("Nothing is due. Your picker plans a compaction.");
      continue;
    }
    if (plan === null) {
      told(`Level ${demand.level} is due. Your picker returned null.`);
      continue;
    }
    judgePlan(example.version, plan, lines);
    const ids = plan.inputs.flatMap(({ tables }) => tables.map(({ id }) => id));
    const left = demand.tables.filter((id) => !ids.includes(id));
    if (plan.inputs.at(0)?.level !== demand.level) {
      told(
        `Level ${demand.level} should give its tables. Your plan begins with level ${plan.inputs[0]?.level}.`,
      );
    }
    if (left.length > 0)
      told(`Your plan leaves out ${list(left.map((id) => `table ${id}`))}.`, LEFT_OUT);
  }
}

/** Fails unless a plan may be carried out: it fits, and passes nothing that overlaps. */
function judgePlan(version: Version, plan: CompactionPlan, lines: readonly string[]): void {
  try {
    checkPlan(version, plan);
  } catch (error) {
    fail({
      happened: `Your plan may not be carried out: ${errorText(error).replace("lsm: plan: ", "").replace("is an input too", "should be an input too")}.`,
      why: "A table that stays behind, while what overlaps it goes past, is afterwards on the wrong side: a newer version lies below an older one, and readers find the older one first.",
      timeline: [...lines],
      rule: "L6",
    });
  }
}

const leveledScript: PickerCheck = {
  name: "the leveled picker takes what is due, and nothing else",
  kind: "unit",
  rule: "L8",
  run(subject) {
    runScript(LEVELED_SCRIPT, (options) => subject.createLeveledPicker(options as never));
  },
};

const tieredScript: PickerCheck = {
  name: "the tiered picker takes all runs of a level that is due",
  kind: "unit",
  rule: "L8",
  run(subject) {
    runScript(TIERED_SCRIPT, (options) => subject.createTieredPicker(options as never));
  },
};

const KEYS = 40;

/** Small numbers, so that most random versions are due for something. */
function randomPicker(subject: LsmSubject, random: Random): Picker {
  const levelRatio = 2 + random.below(3);
  const levelZeroCompactRuns = 1 + random.below(4);
  return random.below(2) === 0
    ? subject.createTieredPicker({ levelRatio, levelZeroCompactRuns })
    : subject.createLeveledPicker({ levelRatio, levelZeroCompactRuns, levelBytesBase: 100 });
}

const keepsAges: PickerCheck = {
  name: "no plan lets a newer version sink below an older one",
  kind: "model",
  rule: "L6",
  run(subject, { seed }) {
    for (let round = 0; round < 70; round += 1) {
      const random = seededRandom(seed * 1000 + round);
      const picker = randomPicker(subject, random);
      // Below level 0 one run for each level, as both pickers of an engine would leave it at first.
      let version = randomVersion(random, { levels: 4, runsMax: 1, keys: KEYS });
      for (let id = 1000; id < 1000 + 100 * PLANS_MAX; id += 100) {
        const plan = picker.pick(version);
        if (plan === null) break;
        const lines = [...linesOf(version), ...printPlan(plan).split("\n")];
        judgePlan(version, plan, lines);
        expectThat(keepsOrder(version, plan, KEYS), () => ({
          happened: `Your ${picker.name} picker made a plan after which, for some key, an older version lies above a newer one.`,
          why: "Readers ask from the top and take the first answer. They get yesterday's.",
          timeline: lines,
        }));
        const inputs = plan.inputs.flatMap(({ tables }) => tables);
        const bytes = inputs.reduce((sum, table) => sum + table.bytes, 0);
        version = carryOut(version, plan, { id, tableBytesMax: 60, bytes });
      }
    }
  },
};

/** Enough to bring any of the random versions to rest. */
const PLANS_MAX = 150;

/** The lines of a version, as scripts write them; keys are numbers here. */
function linesOf(version: Version): string[] {
  return version.runs.map(({ level, number, tables }) => {
    const words = tables.map(({ id, smallest, largest, bytes }) => {
      return `${id} ${keyNumber(smallest)}-${keyNumber(largest)} ${bytes}`;
    });
    return `${level}/${number}: ${words.join(", ")}`;
  });
}

function keyNumber(key: Uint8Array): number {
  return key[0]! * 256 + key[1]!;
}

const comesToRest: PickerCheck = {
  name: "plans come to an end",
  kind: "unit",
  rule: "L8",
  run(subject, { seed }) {
    const deepest: Version = {
      runs: [9, 8, 7].map((number) => ({
        level: LEVEL_MAX,
        number,
        tables: [makeTable(number, { from: 0, to: 9, bytes: 1000 })],
      })),
    };
    const tiered = subject.createTieredPicker({ levelRatio: 2, levelZeroCompactRuns: 2 });
    settle(tiered, deepest, "three runs in the deepest level");
    for (let round = 0; round < 60; round += 1) {
      const random = seededRandom(seed * 1000 + round);
      const picker = randomPicker(subject, random);
      settle(
        picker,
        randomVersion(random, { levels: 3, runsMax: 1, keys: KEYS }),
        "a random version",
      );
    }
  },
};

/** Carries out plan after plan until there is none. @returns the version at rest. */
function settle(picker: Picker, start: Version, what: string, firstId = 10_000): Version {
  let version = start;
  for (let plans = 0; ; plans += 1) {
    const plan = picker.pick(version);
    if (plan === null) return version;
    const lines = [...linesOf(version), ...printPlan(plan).split("\n")];
    expectThat(plans < PLANS_MAX, () => ({
      happened: `Your ${picker.name} picker was given ${what}. After ${count(plans, "compaction")} it still finds something to do: ${plan.reason}.`,
      why: "An engine at rest must be at rest. This one writes the same bytes again and again until the disk is worn out.",
      timeline: lines,
    }));
    judgePlan(version, plan, lines);
    const inputs = plan.inputs.flatMap(({ tables }) => tables);
    const bytes = inputs.reduce((sum, table) => sum + table.bytes, 0);
    version = carryOut(version, plan, { id: firstId + plans * 100, tableBytesMax: 300, bytes });
  }
}

/** Each flush of a load, and the plans that it leads to, get this many numbers. */
const LOAD_IDS = 20_000;

/** A load: so many flushes of random keys, everything that is due done after each. */
function load(picker: Picker, seed: number, each: (version: Version) => void): Version {
  const random = seededRandom(seed);
  let version: Version = { runs: [] };
  for (let flush = 1; flush <= 80; flush += 1) {
    const from = random.below(2000);
    const table = makeTable(flush, { from, to: from + random.below(4000), bytes: 100 });
    version = { runs: [{ level: 0, number: flush, tables: [table] }, ...version.runs] };
    version = settle(picker, version, `flush ${flush} of a load`, flush * LOAD_IDS);
    each(version);
  }
  return version;
}

const converges: PickerCheck = {
  name: "sizes come to the ratio, and runs stay few",
  kind: "property",
  rule: "L8",
  run(subject, { seed }) {
    const [ratio, compactRuns, base] = [4, 3, 800];
    const options = { levelRatio: ratio, levelZeroCompactRuns: compactRuns };
    const leveled = subject.createLeveledPicker({ ...options, levelBytesBase: base });
    load(leveled, seed, (version) => {
      for (const { level, tables } of version.runs) {
        const bytes = tables.reduce((sum, table) => sum + table.bytes, 0);
        const limit =
          level === 0 || level === LEVEL_MAX
            ? Number.POSITIVE_INFINITY
            : base * ratio ** (level - 1);
        expectThat(bytes <= limit, () => ({
          happened: `Under a load of flushes, with all work done, your leveled picker leaves ${bytes} bytes in level ${level}; its limit is ${limit}.`,
          why: "A level that outgrows its ratio makes each compaction into it larger. In the end one of them blocks all others for an hour.",
          timeline: linesOf(version),
        }));
      }
      judgeRuns(version, compactRuns - 1 + LEVEL_MAX, "leveled");
    });
    const tiered = subject.createTieredPicker(options);
    load(tiered, seed, (version) =>
      judgeRuns(version, compactRuns - 1 + (ratio - 1) * LEVEL_MAX, "tiered"),
    );
  },
};

function judgeRuns(version: Version, most: number, name: string): void {
  const counts = Array.from(
    { length: LEVEL_MAX + 1 },
    (_, level) => version.runs.filter((run) => run.level === level).length,
  );
  expectThat(version.runs.length <= most, () => ({
    happened: `Under a load of flushes, with all work done, your ${name} picker leaves ${count(version.runs.length, "run")}: ${counts.join(", ")} from level 0 down.`,
    why: "Each run is one more place that every lookup has to ask.",
    timeline: linesOf(version),
  }));
}

const pure: PickerCheck = {
  name: "the same version gives the same plan",
  kind: "property",
  rule: "L2",
  run(subject, { seed }) {
    for (let round = 0; round < 60; round += 1) {
      const random = seededRandom(seed * 1000 + round);
      const version = randomVersion(random, { levels: 4, runsMax: 1, keys: KEYS });
      const picker = randomPicker(subject, random);
      const [first, second] = [picker.pick(version), picker.pick(version)].map(printPlan);
      expectThat(first === second, () => ({
        happened: `Your ${picker.name} picker was asked twice about one version, and gave two plans.`,
        why: "A picker that remembers plans for a version that may never come: the compaction it counted on may have failed.",
        timeline: [...linesOf(version), ...first!.split("\n"), ...second!.split("\n")],
      }));
    }
  },
};

/** The step. */
export const picking: Step<LsmSubject> = {
  id: "04.8",
  checks: [leveledScript, tieredScript, keepsAges, comesToRest, converges, pure],
};
