/**
 * Step 04.2: which layer answers. Method: views of memtables and tables made by hand, and random
 * ones with forced flush points against a map.
 */
import type { Bytes } from "#base";
import { compareBytes } from "#bytes";
import { type Check, expectThat, fail, type Step } from "#learn";
import type { Run } from "#lsm";
import { createMemtable } from "#memtable";
import type { Memtable } from "#memtable/types";
import { createSimulatedDisk, seededRandom } from "#platform";
import type { Entry } from "../array-cursor.ts";
import type { LsmSubject, ReadView } from "./subject.ts";
import { createTestIo, entriesOf, type TestIo, writeTable } from "./tables.ts";
import { b, list, shown, t } from "./words.ts";

type ReadCheck = Check<LsmSubject>;

const NOW = Number.MAX_SAFE_INTEGER;

/** `anna: "red"`; null: a deletion. */
type Content = Readonly<Record<string, string | null>>;

/** Layers by hand: sequences fall from layer to layer, so that newer layers are newer. */
interface Layers {
  /** Newest first. */
  readonly memtables?: readonly Content[];
  /** Newest first; each run is a list of tables. */
  readonly runs?: readonly { readonly level: number; readonly tables: readonly Content[] }[];
}

interface MadeView extends ReadView {
  /** Numbers of the tables that were opened. */
  readonly opened: number[];
}

function entriesIn(content: Content, sequence: number): Entry[] {
  return Object.entries(content)
    .map(([key, value], at) => ({
      key: b(key),
      value: value === null ? null : b(value),
      sequence: sequence + at,
    }))
    .sort((one, other) => compareBytes(one.key, other.key));
}

function memtableOf(entries: readonly Entry[]): Memtable {
  const memtable = createMemtable();
  for (const { key, value, sequence } of entries) {
    if (value === null) memtable.delete(key, sequence);
    else memtable.put(key, value, sequence);
  }
  return memtable;
}

const LAYER_SEQUENCES = 100;

function viewOf(layers: Layers): MadeView {
  const io = createTestIo(createSimulatedDisk());
  let sequence = 100 * LAYER_SEQUENCES;
  const next = (): number => {
    sequence -= LAYER_SEQUENCES;
    return sequence;
  };
  const memtables = (layers.memtables ?? []).map((content) =>
    memtableOf(entriesIn(content, next())),
  );
  const runs = (layers.runs ?? []).map(({ level, tables }, at): Run => {
    const from = next();
    const metas = tables.map((content) => writeTable(io, entriesIn(content, from)));
    return { level, number: 100 - at, tables: metas };
  });
  const opened: number[] = [];
  const open: ReadView["open"] = (table) => {
    opened.push(table.id);
    return io.open(table);
  };
  return { memtables, version: { runs }, at: NOW, open, opened };
}

/** The layers as lines: `memtable   anna = "red", bert deleted`. */
function layerLines({ memtables = [], runs = [] }: Layers): string[] {
  const words = (content: Content): string =>
    Object.entries(content)
      .map(([key, value]) => (value === null ? `${key} deleted` : `${key} = "${value}"`))
      .join(", ");
  return [
    ...memtables.map((content, at) => `${at === 0 ? "active " : "frozen "}   ${words(content)}`),
    ...runs.map(({ level, tables }) => `level ${level}   ${tables.map(words).join(" | ")}`),
  ];
}

function scanned(
  subject: LsmSubject,
  view: ReadView,
  range: { readonly from?: Bytes; readonly before?: Bytes } = {},
): string[] {
  const found: string[] = [];
  for (const [key, value] of subject.scanRange(view, range)) found.push(`${t(key)}=${t(value)}`);
  return found;
}

const GONE: readonly Layers[] = [
  { memtables: [{ anna: null }], runs: [{ level: 0, tables: [{ anna: "secret" }] }] },
  { memtables: [{}, { anna: null }], runs: [{ level: 1, tables: [{ anna: "secret" }] }] },
  { memtables: [{ anna: null }, { anna: "secret" }] },
  {
    memtables: [{}],
    runs: [
      { level: 0, tables: [{ anna: null, bert: "x" }] },
      { level: 1, tables: [{ anna: "secret" }] },
    ],
  },
];

const deletionEnds: ReadCheck = {
  name: "a deletion in a newer layer ends the search",
  kind: "mistake",
  rule: "L1",
  run(subject) {
    for (const layers of GONE) {
      const found = subject.readKey(viewOf(layers), b("anna"));
      expectThat(found === undefined, () => ({
        happened: `"anna" was deleted: a newer layer says so. An older layer still holds a value. readKey should give undefined; yours gave ${shown(found)}.`,
        why: 'The customer closed the account. The deletion was taken for "not here", the search went on, and the account answered, password and all.',
        timeline: layerLines(layers),
      }));
      const inScan = scanned(subject, viewOf(layers)).filter((line) => line.startsWith("anna"));
      expectThat(inScan.length === 0, () => ({
        happened: `"anna" was deleted in a newer layer. scanRange should pass over the key; yours gave ${list(inScan)}.`,
        why: "A lookup and a scan that disagree are worse than either: the export of all customers has one that nobody can find.",
        timeline: layerLines(layers),
      }));
    }
  },
};

const newestDecides: ReadCheck = {
  name: "the newest layer that knows the key decides",
  kind: "unit",
  rule: "L1",
  run(subject) {
    const names = ["k0", "k1", "k2", "k3", "k4", "k5"];
    // Layer n knows k0 to kn, so the newest layer that knows kn is layer n.
    const layer = (at: number): Content =>
      Object.fromEntries(names.slice(0, at + 1).map((name) => [name, `layer ${at}`]));
    const layers: Layers = {
      memtables: [layer(0), layer(1), layer(2)],
      runs: [
        { level: 0, tables: [layer(3)] },
        { level: 0, tables: [layer(4)] },
        { level: 1, tables: [layer(5)] },
      ],
    };
    const view = viewOf(layers);
    for (const [at, name] of names.entries()) {
      const found = subject.readKey(view, b(name));
      expectThat(found !== undefined && t(found) === `layer ${at}`, () => ({
        happened: `Six layers, from the active memtable (layer 0) to level 1 (layer 5). The newest one that knows "${name}" is layer ${at}. Your readKey gave ${shown(found)}.`,
        why: "An older layer holds what was true once. The price that was corrected this morning is wrong again.",
        timeline: layerLines(layers),
      }));
    }
    const found = scanned(subject, view);
    const expected = names.map((name, at) => `${name}=layer ${at}`);
    expectThat(found.join() === expected.join(), () => ({
      happened: `A scan over the same six layers should give ${expected.join(", ")}. Yours gave ${found.join(", ") || "nothing"}.`,
      why: "Each key has one value, and it is the one that a lookup finds.",
      timeline: layerLines(layers),
    }));
  },
};

const emptyValue: ReadCheck = {
  name: "a value of no bytes is a value",
  kind: "mistake",
  rule: "L1",
  run(subject) {
    const layers: Layers = {
      memtables: [{ anna: "" }],
      runs: [{ level: 0, tables: [{ anna: "old", bert: "" }] }],
    };
    const view = viewOf(layers);
    for (const key of ["anna", "bert"]) {
      const found = subject.readKey(view, b(key));
      expectThat(found !== undefined && found.length === 0, () => ({
        happened: `The newest value of "${key}" has no bytes. readKey should give it, an array of length 0; yours gave ${shown(found)}.`,
        why: "An empty set, an empty note: its owner emptied it on purpose. Who takes it for missing shows what was in it before.",
        timeline: layerLines(layers),
      }));
    }
  },
};

const onlyCovering: ReadCheck = {
  name: "a lookup opens only tables whose range covers the key",
  kind: "property",
  rule: "L6",
  run(subject) {
    const layers: Layers = {
      memtables: [{}],
      runs: [
        { level: 0, tables: [{ d: "1", k: "1" }] },
        { level: 0, tables: [{ p: "1", z: "1" }] },
        {
          level: 1,
          tables: [
            { a: "1", c: "1" },
            { e: "1", h: "1" },
            { j: "1", m: "1" },
          ],
        },
      ],
    };
    const covering: readonly [key: string, most: number][] = [
      ["b", 1],
      ["f", 2],
      ["i", 1],
      ["n", 0],
      ["z", 1],
      ["A", 0],
    ];
    for (const [key, most] of covering) {
      const view = viewOf(layers);
      subject.readKey(view, b(key));
      const opened = [...new Set(view.opened)];
      expectThat(opened.length <= most, () => ({
        happened: `Five tables; the range of ${most === 0 ? "none" : most} of them covers "${key}". Your readKey opened ${opened.length}: ${list(opened.map((id) => `table ${id}`))}.`,
        why: "Each table that is asked costs a filter, an index and maybe a block. With two hundred tables, a lookup for a key that is not there reads two hundred times.",
        timeline: layerLines(layers),
      }));
    }
  },
};

const boundsHold: ReadCheck = {
  name: "a scan stops before its upper bound",
  kind: "mistake",
  rule: "L1",
  run(subject) {
    const layers: Layers = {
      memtables: [{ b: "1", f: "2" }],
      runs: [
        { level: 0, tables: [{ c: "3", d: null }] },
        {
          level: 1,
          tables: [
            { a: "4", c: "5" },
            { d: "6", e: "7" },
            { f: "8", g: "9" },
          ],
        },
      ],
    };
    const all = ["a=4", "b=1", "c=3", "e=7", "f=2", "g=9"];
    const view = viewOf(layers);
    const bounds = ["", "a", "b", "c", "cc", "d", "e", "f", "fz", "g", "h"];
    for (const from of [undefined, ...bounds]) {
      for (const before of [undefined, ...bounds]) {
        const range = {
          ...(from === undefined ? {} : { from: b(from) }),
          ...(before === undefined ? {} : { before: b(before) }),
        };
        const expected = all.filter((line) => {
          const key = line.slice(0, line.indexOf("="));
          return (from === undefined || key >= from) && (before === undefined || key < before);
        });
        const found = scanned(subject, view, range);
        if (found.join() === expected.join()) continue;
        const say = (bound: string | undefined): string =>
          bound === undefined ? "no bound" : `"${bound}"`;
        fail({
          happened: `A scan from ${say(from)} (included) to ${say(before)} (excluded) should give ${list(expected)}. Yours gave ${list(found)}.`,
          why: "Whoever scans a range trusts its end. One key too many, and the bill of one customer has the orders of the next.",
          timeline: layerLines(layers),
        });
      }
    }
  },
};

const oldReaders: ReadCheck = {
  name: "what is newer than the reader is not seen",
  kind: "unit",
  rule: "L1",
  run(subject) {
    const io = createTestIo(createSimulatedDisk());
    const versions = [9, 6, 3].map((sequence) => ({
      key: b("anna"),
      value: sequence === 6 ? null : b(`at ${sequence}`),
      sequence,
    }));
    const table = writeTable(io, versions.slice(1));
    const view: ReadView = {
      memtables: [memtableOf(versions.slice(0, 1))],
      version: { runs: [{ level: 0, number: 1, tables: [table] }] },
      at: NOW,
      open: (meta) => io.open(meta),
    };
    const expected: readonly [at: number, value: string | undefined][] = [
      [9, "at 9"],
      [8, undefined],
      [5, "at 3"],
      [2, undefined],
    ];
    for (const [at, value] of expected) {
      const found = subject.readKey({ ...view, at }, b("anna"));
      const inScan = scanned(subject, { ...view, at });
      const text = found === undefined ? undefined : t(found);
      const scanText = value === undefined ? "" : `anna=${value}`;
      expectThat(text === value && inScan.join() === scanText, () => ({
        happened: `A reader at sequence ${at} should see ${value === undefined ? "nothing" : `"${value}"`} for "anna". Your readKey gave ${shown(found)}, your scanRange ${list(inScan)}.`,
        why: "A scan that is under way reads as of its beginning. If it sees what is written meanwhile, its first half and its second half are of two different days.",
        timeline: ["memtable  put@9", "level 0   delete@6 put@3"],
      }));
    }
  },
};

const model: ReadCheck = {
  name: "reads agree with a plain map, whatever was flushed when",
  kind: "model",
  rule: "L1",
  run(subject, { seed }) {
    for (let round = 0; round < 6; round += 1) modelRound(subject, seed * 100 + round);
  },
};

const KEYS = ["a", "b", "ba", "c", "d", "da", "e", "f"];

function modelRound(subject: LsmSubject, seed: number): void {
  const random = seededRandom(seed);
  const io = createTestIo(createSimulatedDisk());
  const memtables: Memtable[] = [createMemtable()];
  const runs: Run[] = [];
  const map = new Map<string, string>();
  const history: string[] = [];
  for (let sequence = 1; sequence <= 60; sequence += 1) {
    const key = KEYS[random.below(KEYS.length)]!;
    if (random.below(3) === 0) {
      memtables[0]!.delete(b(key), sequence);
      map.delete(key);
      history.push(`delete ${key}`);
    } else {
      memtables[0]!.put(b(key), b(`${sequence}`), sequence);
      map.set(key, `${sequence}`);
      history.push(`put    ${key} = ${sequence}`);
    }
    if (random.below(6) === 0) {
      memtables.unshift(createMemtable());
      history.push("freeze the memtable");
    }
    if (random.below(8) === 0 && memtables.length > 1) {
      const oldest = memtables.pop()!;
      history.push("flush the oldest frozen memtable");
      runs.unshift({ level: 0, number: sequence, tables: [flushed(io, oldest)] });
    }
    const view = { memtables, version: { runs }, at: sequence, open: io.open };
    judgeModel(subject, view, { map, history });
  }
  io.close();
}

function flushed(io: TestIo, memtable: Memtable) {
  const entries: Entry[] = [];
  const cursor = memtable.cursor();
  for (cursor.seekFirst(); cursor.valid; cursor.next()) {
    const value = cursor.isDeletion ? null : cursor.value.slice();
    entries.push({ key: cursor.key.slice(), value, sequence: cursor.sequence });
  }
  cursor.close();
  const table = writeTable(io, entries);
  expectThat(entriesOf(io, [table]).length === entries.length, () => ({
    happened: "The table that this check wrote does not hold what was put into it.",
    why: "Something below this chapter is at fault: try `npx cairn test 03`.",
  }));
  return table;
}

function judgeModel(
  subject: LsmSubject,
  view: ReadView,
  of: { readonly map: ReadonlyMap<string, string>; readonly history: readonly string[] },
): void {
  const timeline = of.history.slice(-10);
  for (const key of KEYS) {
    const found = subject.readKey(view, b(key));
    const expected = of.map.get(key);
    if ((found === undefined ? undefined : t(found)) === expected) continue;
    fail({
      happened: `After ${of.history.length} random steps, "${key}" should be ${expected === undefined ? "gone" : `"${expected}"`}. Your readKey gave ${shown(found)}, over ${view.memtables.length} memtables and ${view.version.runs.length} runs.`,
      why: "A flush changes where a value lies, never what it is.",
      timeline,
    });
  }
  const found = scanned(subject, view);
  const expected = [...of.map].map(([key, value]) => `${key}=${value}`).sort();
  expectThat(found.join() === expected.join(), () => ({
    happened: `After ${of.history.length} random steps a scan should give ${list(expected)}. Yours gave ${list(found)}.`,
    why: "A flush changes where a value lies, never what it is.",
    timeline,
  }));
}

/** The step. */
export const reading: Step<LsmSubject> = {
  id: "04.2",
  checks: [deletionEnds, newestDecides, emptyValue, onlyCovering, boundsHold, oldReaders, model],
};
