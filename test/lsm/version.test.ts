/**
 * Versions and edits. Method: random edits against a naive list of tables, edits that break each
 * rule, and the search for a key's table against a walk over all of them.
 */
import { describe, expect, test } from "vitest";
import { type Bytes, InvariantError } from "#base";
import { compareBytes } from "#bytes";
import {
  applyEdit,
  createReplay,
  EMPTY_STATE,
  type ManifestState,
  snapshotEdit,
  tableIndexFor,
  tryEdit,
  type VersionEdit,
  versionProblem,
} from "#lsm";
import type { Random } from "#platform/types";
import type { TableMeta } from "#sstable/types";
import { forEachSeed } from "../support/seeds.ts";
import { randomEdit, stateText, tableOf } from "./manifest-lab.ts";

const none = { remove: [], add: [] } as const;
const add = (level: number, run: number, table: TableMeta): VersionEdit => ({
  remove: [],
  add: [{ level, run, table }],
  nextNumber: 100,
  sequence: 100,
});

/** A state with two runs in level 0 and one of three tables in level 1. */
function someState(): ManifestState {
  const edits = [
    add(0, 1, tableOf(1, { smallest: "a", largest: "z" })),
    add(0, 2, tableOf(2, { smallest: "c", largest: "d" })),
    add(1, 1, tableOf(3, { smallest: "h", largest: "k" })),
    add(1, 1, tableOf(4, { smallest: "a", largest: "g" })),
    add(1, 1, tableOf(5, { smallest: "ka", largest: "x" })),
  ];
  return edits.reduce(applyEdit, { ...EMPTY_STATE, nextNumber: 100 });
}

const layout = (state: ManifestState) =>
  state.version.runs.map(({ level, number, tables }) => [
    level,
    number,
    tables.map(({ id }) => id),
  ]);

describe("an edit", () => {
  test("04.4 runs stand newest first, and the tables of a run in the order of their keys", () => {
    expect(layout(someState())).toEqual([
      [0, 2, [2]],
      [0, 1, [1]],
      [1, 1, [4, 3, 5]],
    ]);
  });

  test("04.4 the old version stays as it was, and runs that are not touched are shared", () => {
    const before = someState();
    const text = stateText(before);
    const after = applyEdit(before, { remove: [{ level: 0, id: 2 }], add: [] });
    expect(stateText(before)).toBe(text);
    expect(layout(after)).toEqual([
      [0, 1, [1]],
      [1, 1, [4, 3, 5]],
    ]);
    expect(after.version.runs[0]).toBe(before.version.runs[1]);
    expect(after.version.runs[1]).toBe(before.version.runs[2]);
  });

  test("04.4 one edit takes a table to another level", () => {
    const before = someState();
    const table = before.version.runs[2]!.tables[1]!;
    const edit = { remove: [{ level: 1, id: 3 }], add: [{ level: 2, run: 7, table }] };
    expect(layout(applyEdit(before, edit)).slice(2)).toEqual([
      [1, 1, [4, 5]],
      [2, 7, [3]],
    ]);
  });

  const text = (smallest: string, largest: string) => ({ smallest, largest });
  const broken: Record<string, VersionEdit> = {
    "a table that overlaps its left neighbour": add(1, 1, tableOf(9, text("g", "ga"))),
    "a table that overlaps its right neighbour": add(1, 1, tableOf(9, text("ga", "h"))),
    "a table around another": add(1, 1, tableOf(9, text("A", "zz"))),
    "a table with the same only key": {
      ...none,
      add: [1, 2].map((i) => ({ level: 3, run: 1, table: tableOf(i + 20, text("a", "a")) })),
    },
    "a table that ends before it begins": add(2, 1, tableOf(9, text("b", "a"))),
    "a table that is there already": add(2, 1, tableOf(1, text("a", "b"))),
    "a table twice": {
      ...none,
      add: [2, 3].map((level) => ({ level, run: 1, table: tableOf(9, text("a", "b")) })),
    },
    "a level too deep": add(7, 1, tableOf(9, text("a", "b"))),
    "a level below 0": add(-1, 1, tableOf(9, text("a", "b"))),
    "a table without entries": add(2, 1, { ...tableOf(9, text("a", "b")), entries: 0 }),
    "more deletions than entries": add(2, 1, { ...tableOf(9, text("a", "b")), deletions: 11 }),
    "a number from the future": add(2, 1, tableOf(100, text("a", "b"))),
    "a sequence from the future": add(2, 1, tableOf(9, text("a", "b"), 101)),
    "the removal of what is not there": { ...none, remove: [{ level: 0, id: 77 }] },
    "the removal from another level": { ...none, remove: [{ level: 0, id: 3 }] },
    "a removal twice": { ...none, remove: [1, 1].map((id) => ({ level: 0, id })) },
    "a next number that goes back": { ...none, nextNumber: 99 },
    "a sequence that goes back": { ...none, sequence: 99 },
    "a log from the future": { ...none, logNumber: 100 },
    "a log that goes back": { ...none, logNumber: 2 },
    "a place in the log that goes back": { ...none, logFrom: 4 },
    "a place in the log that is none": { ...none, logNumber: 4, logFrom: 0 },
  };

  test.each(Object.keys(broken))("04.4 L6, L7: %s is refused", (name) => {
    const state = applyEdit(someState(), { ...none, logNumber: 3, logFrom: 5 });
    const before = stateText(state);
    expect(tryEdit(state, broken[name]!)).toBeTypeOf("string");
    expect(() => applyEdit(state, broken[name]!)).toThrow(InvariantError);
    expect(stateText(state)).toBe(before);
    const replay = createReplay();
    expect(replay.take(snapshotEdit(state))).toBeNull();
    const problem = replay.take(broken[name]!) ?? replay.finish();
    expect(problem, "added up, too").toBeTypeOf("string");
  });

  test("04.4 another log is replayed from its beginning", () => {
    const state = applyEdit(someState(), { ...none, logNumber: 3, logFrom: 50 });
    expect(applyEdit(state, { ...none, logNumber: 4 })).toMatchObject({ logNumber: 4, logFrom: 1 });
    expect(applyEdit(state, { ...none, logFrom: 51 })).toMatchObject({ logNumber: 3, logFrom: 51 });
  });

  test("04.4 random edits agree with a list of tables", () => {
    forEachSeed(60, (_, random) => {
      let state: ManifestState = { ...EMPTY_STATE, nextNumber: 1000 };
      const model = new Map<number, string>();
      const replay = createReplay();
      replay.take({ ...none, nextNumber: 1000 });
      for (let id = 1; id < 60; id += 1) {
        const edit = randomEdit(random, state, id);
        state = applyEdit(state, edit);
        expect(replay.take(edit)).toBeNull();
        expect(replay.finish()).toEqual(state);
        for (const removed of edit.remove) model.delete(removed.id);
        for (const { level, run, table } of edit.add) model.set(table.id, `${level} ${run}`);
        const found = state.version.runs.flatMap(({ level, number, tables }) =>
          tables.map((table) => [table.id, `${level} ${number}`] as const),
        );
        expect(new Map(found)).toEqual(model);
        expect(versionProblem(state.version)).toBeNull();
      }
    });
  });
});

describe("the search for a key's table", () => {
  test("04.2 finds what a walk over all tables finds", () => {
    forEachSeed(60, (_, random) => {
      const run = randomRun(random);
      for (const key of probesOf(run, random)) {
        const expected = run.tables.findIndex(
          ({ smallest, largest }) =>
            compareBytes(smallest, key) <= 0 && compareBytes(key, largest) <= 0,
        );
        expect(tableIndexFor(run, key), `key ${key}`).toBe(expected);
      }
    });
  });
});

/** Keys with long shared parts, of all lengths, the empty one among them. */
function randomRun(random: Random): { level: number; number: number; tables: TableMeta[] } {
  const prefix = random.bytes(random.below(12));
  const alphabet = [0, 1, 127, 128, 255];
  const keys = new Map<string, Bytes>();
  for (let i = 0; i < 2 + random.below(40); i += 1) {
    const rest = Array.from({ length: random.below(10) }, () => alphabet[random.below(5)]!);
    const key = Uint8Array.from([...prefix, ...rest]);
    keys.set(key.join(), key);
  }
  const sorted = [...keys.values()].sort(compareBytes);
  const tables: TableMeta[] = [];
  for (let from = 0; from < sorted.length; ) {
    const to = Math.min(from + random.below(3), sorted.length - 1);
    const meta = tableOf(tables.length + 1, { smallest: "", largest: "" });
    tables.push({ ...meta, smallest: sorted[from]!, largest: sorted[to]! });
    from = to + 1;
  }
  return { level: 1, number: 1, tables };
}

/** Every bound, its neighbours, and keys from anywhere. */
function probesOf(run: { tables: readonly TableMeta[] }, random: Random): Bytes[] {
  return run.tables
    .flatMap(({ smallest, largest }) => [smallest, largest])
    .flatMap((key) => {
      const up = key.slice();
      const down = key.slice();
      if (key.length > 0) {
        up[key.length - 1]! += 1;
        down[key.length - 1]! -= 1;
      }
      return [key, up, down, Uint8Array.from([...key, 0]), key.slice(0, -1), random.bytes(4)];
    });
}
