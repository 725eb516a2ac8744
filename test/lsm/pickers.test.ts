/**
 * What is compacted, and when (step 04.8). Method: golden scripts, a version in and a plan out;
 * `CAIRN_UPDATE_GOLDEN=1` writes the plans anew, to be read before they are committed. Then random
 * versions, where every plan is judged key by key; and loads on a model without files.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  type CompactionPlan,
  checkPlan,
  createLeveledPicker,
  createTieredPicker,
  isMove,
  levelTargets,
  lowestLevel,
  olderSpans,
  type Picker,
  planRange,
  type Version,
} from "#lsm";
import type { Random } from "#platform/types";
import { forEachSeed } from "../support/seeds.ts";
import {
  carryOut,
  keepsOrder,
  keyOf,
  makeTable,
  numberOf,
  randomVersion,
} from "./compaction-model.ts";
import { parseScript, printPlan } from "./compaction-script.ts";

const makers: Readonly<Record<string, (options: Readonly<Record<string, number>>) => Picker>> = {
  leveled: (options) => createLeveledPicker(options as never),
  tiered: (options) => createTieredPicker(options as never),
};

describe.each(Object.keys(makers))("04.8 the %s picker", (name) => {
  const path = fileURLToPath(new URL(`golden/${name}.txt`, import.meta.url));
  const cases = parseScript(readFileSync(path, "utf8"));
  const planOf = (example: (typeof cases)[number]) =>
    makers[name]!(example.options).pick(example.version);
  if (process.env["CAIRN_UPDATE_GOLDEN"] === "1") {
    const blocks = cases.map((example) => `${example.given}\n${printPlan(planOf(example))}\n`);
    writeFileSync(path, blocks.join("\n"));
  }

  test.each(cases)("04.8 $name", (example) => {
    const plan = planOf(example);
    expect(printPlan(plan)).toBe(example.plan);
    if (plan !== null) checkPlan(example.version, plan);
  });

  test("04.8 the script has ten cases and more", () => {
    expect(cases.length).toBeGreaterThanOrEqual(10);
  });
});

const KEYS = 40;

function randomPicker(random: Random): Picker {
  const levelRatio = 2 + random.below(3);
  const levelZeroCompactRuns = 1 + random.below(4);
  return random.below(2) === 0
    ? createTieredPicker({ levelRatio, levelZeroCompactRuns })
    : createLeveledPicker({ levelRatio, levelZeroCompactRuns, levelBytesBase: 100 });
}

describe("04.8 plans", () => {
  test("04.8 every plan of every picker keeps each version on its side of the others", () => {
    let [versions, plans] = [0, 0];
    forEachSeed(500, (_, random) => {
      versions += 1;
      let version = randomVersion(random, { levels: 4, runsMax: random.below(3), keys: KEYS });
      const picker = randomPicker(random);
      for (let id = 1000; ; id += 100) {
        const plan = picker.pick(version);
        if (plan === null) break;
        checkPlan(version, plan);
        expect(keepsOrder(version, plan, KEYS)).toBe(true);
        const inputs = plan.inputs.flatMap((input) => input.tables);
        const bytes = inputs.reduce((sum, table) => sum + table.bytes, 0);
        version = carryOut(version, plan, { id, tableBytesMax: 60, bytes });
        plans += 1;
        expect(id, "it comes to an end").toBeLessThan(100_000);
      }
    });
    if (versions >= 10) expect(plans).toBeGreaterThan(versions / 5);
  });

  test("04.8 a plan for a range keeps order too, and all of them leave one run", () => {
    forEachSeed(500, (_, random) => {
      let version = randomVersion(random, { levels: 4, runsMax: random.below(3), keys: KEYS });
      const isWhole = random.below(2) === 0;
      const from = random.below(KEYS);
      const before = from + random.below(KEYS - from + 1);
      const range = isWhole ? {} : { from: keyOf(from), before: keyOf(before) };
      const tables = version.runs.flatMap((run) => run.tables);
      const lowest = lowestLevel(version);
      const rewritten = new Set<number>();
      for (let level = 0; level <= lowest; level += 1) {
        const plan = planRange(version, level, range);
        if (plan === null) continue;
        checkPlan(version, plan);
        expect(keepsOrder(version, plan, KEYS)).toBe(true);
        for (const { id } of plan.inputs.flatMap((input) => input.tables)) rewritten.add(id);
        version = carryOut(version, plan, { id: 1000 * (level + 1), tableBytesMax: 1, bytes: 3 });
      }
      expect(lowestLevel(version)).toBe(lowest);
      if (isWhole && tables.length > 0) {
        expect(version.runs.map((run) => run.level)).toEqual([lowest]);
        expect(tables.every((table) => rewritten.has(table.id))).toBe(true);
      }
      for (const table of version.runs.flatMap((run) => run.tables)) {
        if (isWhole || table.id >= 1000) continue;
        const isInside = numberOf(table.largest) >= from && numberOf(table.smallest) < before;
        expect(isInside, `table ${table.id} was not rewritten`).toBe(false);
      }
    });
  });

  test("04.8 the check refuses exactly the plans that break the order", () => {
    const counts = { refused: 0, taken: 0 };
    forEachSeed(3000, (_, random) => {
      const version = randomVersion(random, { levels: 3, runsMax: 2, keys: 20 });
      const plan = randomPlan(random, version);
      if (plan === null) return;
      const isSound = keepsOrder(version, plan, 20);
      counts[isSound ? "taken" : "refused"] += 1;
      if (isSound) checkPlan(version, plan);
      else expect(() => checkPlan(version, plan)).toThrow(/is an input too/);
    });
    const sum = counts.refused + counts.taken;
    if (sum >= 100) expect(Math.min(counts.refused, counts.taken)).toBeGreaterThan(sum / 20);
  });

  test("04.8 the check refuses what is not there, and what is out of order", () => {
    const table = (id: number, from: number, to: number) => makeTable(id, { from, to, bytes: 10 });
    const [a, b, c] = [table(1, 0, 9), table(2, 10, 19), table(3, 0, 19)];
    const version = {
      runs: [
        { level: 0, number: 9, tables: [c] },
        { level: 1, number: 5, tables: [a, b] },
      ],
    };
    const [zero, one] = [
      { level: 0, run: 9, tables: [c] },
      { level: 1, run: 5, tables: [a, b] },
    ];
    const sound = { reason: "", inputs: [zero, one], outputLevel: 1, outputRun: 5 };
    checkPlan(version, sound);
    const refuse = (change: Partial<CompactionPlan>, why: RegExp) =>
      expect(() => checkPlan(version, { ...sound, ...change })).toThrow(why);
    refuse({ inputs: [] }, /there are inputs/);
    refuse({ inputs: [one, zero] }, /newest first/);
    refuse({ inputs: [zero, { ...one, tables: [] }] }, /gives tables/);
    refuse({ inputs: [zero, { ...one, tables: [b, a] }] }, /has table 1, behind/);
    refuse({ inputs: [zero, { ...one, tables: [a, a] }] }, /has table 1, behind/);
    refuse({ inputs: [zero, { ...one, tables: [a, c] }] }, /has table 3/);
    refuse({ inputs: [zero, { ...one, run: 4 }] }, /level 1 has a run 4/);
    refuse({ outputRun: 6 }, /level 1 has a run 6/);
    refuse({ outputLevel: 0, outputRun: null }, /level 1 or deeper/);
    refuse({ outputLevel: 7, outputRun: null }, /no level 7/);
    refuse({ inputs: [zero, { ...one, tables: [a] }] }, /table 2 is an input too/);
  });
});

/** Any tables to anywhere: seldom sound. */
function randomPlan(random: Random, version: Version): CompactionPlan | null {
  const chance = 1 + random.below(4);
  const inputs = version.runs
    .map(({ level, number, tables }) => ({
      level,
      run: number,
      tables: tables.filter(() => random.below(4) < chance),
    }))
    .filter(({ tables }) => tables.length > 0 && random.below(4) > 0);
  const deepest = inputs.at(-1)?.level;
  if (deepest === undefined) return null;
  const outputLevel = Math.max(1, deepest + random.below(2));
  const runs = version.runs.filter((run) => run.level === outputLevel);
  const outputRun = runs[random.below(runs.length + 1)]?.number ?? null;
  return { reason: "chance", inputs, outputLevel, outputRun };
}

describe("04.7 where older versions may be", () => {
  test("04.7 every table older than an input that shares a key with it is named", () => {
    forEachSeed(500, (_, random) => {
      const version = randomVersion(random, { levels: 4, runsMax: 2, keys: KEYS });
      const plan = randomPicker(random).pick(version) ?? planRange(version, random.below(3), {});
      if (plan === null) return;
      const spans = olderSpans(version, plan);
      const inputs = plan.inputs.flatMap((input) => input.tables);
      const ids = new Set(inputs.map((table) => table.id));
      for (let key = 0; key < KEYS; key += 1) {
        const holds = (span: { readonly smallest: Uint8Array; readonly largest: Uint8Array }) =>
          numberOf(span.smallest) <= key && key <= numberOf(span.largest);
        const newest = version.runs.findIndex((run) =>
          run.tables.some((table) => ids.has(table.id) && holds(table)),
        );
        if (newest < 0) continue;
        const mayHold = version.runs
          .slice(newest + 1)
          .some((run) => run.tables.some((table) => !ids.has(table.id) && holds(table)));
        expect(spans.some(holds)).toBe(mayHold);
      }
    });
  });
});

const LEVELED = { levelRatio: 4, levelZeroCompactRuns: 4, levelBytesBase: 256 };
const TABLE_BYTES_MAX = 32;
const FLUSH_BYTES = 64;

/** Flushes and compacts; `budget` is how many bytes may be rewritten while one is flushed. */
function load(
  picker: Picker,
  options: {
    readonly flushes: number;
    readonly budget: number;
    readonly span: (flush: number) => { readonly from: number; readonly to: number };
    readonly after: (version: Version) => void;
  },
): { readonly version: Version; readonly moves: number; readonly rewritten: number } {
  let version: Version = { runs: [] };
  let id = 1;
  let [moves, rewritten, credit] = [0, 0, 0];
  for (let flush = 0; flush < options.flushes; flush += 1) {
    const table = makeTable(id, { ...options.span(flush), bytes: FLUSH_BYTES });
    version = { runs: [{ level: 0, number: id, tables: [table] }, ...version.runs] };
    id += 1;
    credit = Math.min(credit, 0) + options.budget * FLUSH_BYTES;
    for (let job = 0; credit > 0; job += 1) {
      const plan = picker.pick(version);
      if (plan === null) break;
      expect(job, "the picker comes to a rest").toBeLessThan(500);
      checkPlan(version, plan);
      const inputs = plan.inputs.flatMap((input) => input.tables);
      const bytes = inputs.reduce((sum, input) => sum + input.bytes, 0);
      version = carryOut(version, plan, { id, tableBytesMax: TABLE_BYTES_MAX, bytes });
      if (isMove(plan)) moves += 1;
      else rewritten += bytes;
      credit -= isMove(plan) ? 0 : bytes;
      id += Math.ceil(bytes / TABLE_BYTES_MAX) + 1;
    }
    options.after(version);
  }
  return { version, moves, rewritten };
}

function sizes(version: Version): { runs: number[]; bytes: number[] } {
  const result = { runs: Array(7).fill(0), bytes: Array(7).fill(0) };
  for (const { level, tables } of version.runs) {
    result.runs[level] += 1;
    for (const table of tables) result.bytes[level] += table.bytes;
  }
  return result;
}

describe("04.8 loads", () => {
  const randomSpan = (random: Random) => () => {
    const [a, b] = [random.below(65_000), random.below(65_000)];
    return { from: Math.min(a, b), to: Math.max(a, b) + 1 };
  };

  test("04.8 leveled: sizes stay within their targets, whatever is flushed", () => {
    forEachSeed(6, (_, random) => {
      const targets = levelTargets(LEVELED.levelRatio, LEVELED.levelBytesBase);
      const after = (version: Version) => {
        const { runs, bytes } = sizes(version);
        expect(runs[0]).toBeLessThan(LEVELED.levelZeroCompactRuns);
        expect(runs.slice(1).every((count) => count <= 1)).toBe(true);
        for (const [level, target] of targets.entries()) {
          expect(bytes[level]).toBeLessThanOrEqual(target);
        }
      };
      const picker = createLeveledPicker(LEVELED);
      const options = { flushes: 120, budget: 1000, span: randomSpan(random), after };
      const { version } = load(picker, options);
      expect(sizes(version).bytes.filter((bytes) => bytes > 0).length).toBeGreaterThan(2);
    });
  });

  test("04.8 leveled: level 0 stays short when ten bytes can be rewritten for one", () => {
    forEachSeed(6, (_, random) => {
      let longest = 0;
      const after = (version: Version) => {
        longest = Math.max(longest, sizes(version).runs[0]!);
      };
      const options = { flushes: 200, budget: 10, span: randomSpan(random), after };
      load(createLeveledPicker(LEVELED), options);
      expect(longest).toBeLessThan(2 * LEVELED.levelZeroCompactRuns);
    });
  });

  test("04.8 leveled: keys written in order are moved, and never written again", () => {
    const span = (flush: number) => ({ from: flush * 100, to: flush * 100 + 99 });
    const options = { flushes: 100, budget: 1000, span, after: () => {} };
    const { moves, rewritten } = load(createLeveledPicker(LEVELED), options);
    expect(moves).toBeGreaterThan(100);
    expect(rewritten).toBe(0);
  });

  test("04.8 tiered: no level holds as many runs as make it due", () => {
    forEachSeed(6, (_, random) => {
      const picker = createTieredPicker({ levelRatio: 3, levelZeroCompactRuns: 4 });
      const after = (version: Version) => {
        const [zero = 0, ...others] = sizes(version).runs;
        expect(zero).toBeLessThan(4);
        expect(Math.max(...others)).toBeLessThan(3);
      };
      const options = { flushes: 300, budget: 1000, span: randomSpan(random), after };
      const { version } = load(picker, options);
      expect(lowestLevel(version)).toBeGreaterThan(3);
    });
  });

  test("04.8 a change of picker comes to a rest too, in both directions", () => {
    forEachSeed(10, (_, random) => {
      const pickers = [
        createTieredPicker({ levelRatio: 3, levelZeroCompactRuns: 3 }),
        createLeveledPicker(LEVELED),
      ];
      const changing: Picker = {
        name: "changing",
        pick: (version) => pickers[phase]!.pick(version),
      };
      let [phase, flushes] = [0, 0];
      const after = () => {
        flushes += 1;
        phase = Math.floor(flushes / 20) % 2;
      };
      const options = { flushes: 100, budget: 1000, span: randomSpan(random), after };
      load(changing, options);
    });
  });
});

test("04.8 options out of range are refused", () => {
  const leveled = (change: object) => () => createLeveledPicker({ ...LEVELED, ...change });
  expect(leveled({ levelRatio: 1 })).toThrow(RangeError);
  expect(leveled({ levelZeroCompactRuns: 0 })).toThrow(RangeError);
  expect(leveled({ levelBytesBase: 0 })).toThrow(RangeError);
  const tiered = (change: object) => () => createTieredPicker({ ...LEVELED, ...change });
  expect(tiered({ levelRatio: 1 })).toThrow(RangeError);
  expect(tiered({ levelZeroCompactRuns: Number.NaN })).toThrow(RangeError);
});
