/**
 * Lab 02.structures: do you need a skip list? Four ways to keep keys, and three kinds of work.
 *
 * A JavaScript Map that is sorted when somebody wants the order, and the sorted array and the skip
 * list of `#memtable`, and the reference's B+ tree. All get the same keys in turns, slice by slice.
 * Counted is processor time, the collection of garbage included. Not measured: log, disk, threads.
 */
import { createMemtable } from "#memtable";
import { createMemtable as createReference } from "#memtable/reference";
import type { Memtable } from "#memtable/types";
import { type Bench, randomNumbers } from "../harness/index.ts";
import type { Lab, LabResult, LabSeries } from "../harness/lab-types.ts";

const KEY_BYTES = 16;
const VALUE_BYTES = 100;
const ZERO = 48;
/** Each structure works on one slice before it is the next one's turn. */
const SLICES = 20;
const SCAN_ENTRIES = 20;
/** Of ten operations of the work with scans, one is a put. */
const PUT_EVERY = 10;
const ARRAY_KEYS_MAX = 100_000;
const SEED = 1990;
/** A prime, so that all keys have their turn. */
const STRIDE = 7919;
/** A kind of work that is slow for a structure is cut short after this. */
const WORK_MS_MAX = 400;

const NAMES = ["Map, sorted on demand", "sorted array", "skip list", "B+ tree"] as const;
type Name = (typeof NAMES)[number];

const WORKS = ["fill and flush", "put and get", "scans"] as const;
type Work = (typeof WORKS)[number];

/** A structure under measurement. What is read is summed up, so that nothing is left out. */
interface Structure {
  readonly name: Name;
  put(key: Uint8Array): void;
  get(key: Uint8Array): number;
  /** Reads up to so many entries from a key on. */
  scan(from: Uint8Array, entries: number): number;
}

const value = new Uint8Array(VALUE_BYTES).fill(ZERO);
const FIRST = new Uint8Array(0);

/** What somebody writes who has never heard of memtables: keys as text, sorted when it matters. */
function sortedMap(): Structure {
  const values = new Map<string, Uint8Array>();
  let sorted: string[] | null = null;
  const textOf = (key: Uint8Array): string =>
    Buffer.from(key.buffer, key.byteOffset, key.length).toString("latin1");
  return {
    name: "Map, sorted on demand",
    put(key) {
      const text = textOf(key);
      if (sorted !== null && !values.has(text)) sorted = null;
      values.set(text, value.slice());
    },
    get: (key) => values.get(textOf(key))?.length ?? 0,
    scan(from, entries) {
      sorted ??= [...values.keys()].sort();
      let sum = 0;
      let at = placeIn(sorted, textOf(from));
      for (const end = Math.min(sorted.length, at + entries); at < end; at += 1) {
        const key = sorted[at]!;
        sum += key.charCodeAt(KEY_BYTES - 1) + values.get(key)!.length;
      }
      return sum;
    },
  };
}

function placeIn(sorted: readonly string[], text: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

function memtable(name: Name, table: Memtable): Structure {
  let sequence = 0;
  return {
    name,
    put(key) {
      sequence += 1;
      // As the engine does when nobody holds a snapshot.
      table.put(key, value, sequence, 0);
    },
    get(key) {
      const found = table.get(key);
      return found.kind === "value" ? found.value.length : 0;
    },
    scan(from, entries) {
      const cursor = table.cursor();
      let sum = 0;
      cursor.seek(from);
      for (let left = entries; left > 0 && cursor.valid; left -= 1) {
        sum += cursor.key[KEY_BYTES - 1]! + cursor.value.length;
        cursor.next();
      }
      cursor.close();
      return sum;
    },
  };
}

function structures(keys: number): Structure[] {
  return [
    sortedMap(),
    // Each new key moves half of the array: above this, nobody wants to wait for it.
    ...(keys > ARRAY_KEYS_MAX
      ? []
      : [memtable("sorted array", createMemtable({ structure: "array" }))]),
    memtable("skip list", createMemtable({ structure: "skiplist" })),
    memtable("B+ tree", createReference({ structure: "btree" })),
  ];
}

/** Of this process, so that what else the machine does is left out. */
function cpuMicroseconds(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

const key = new Uint8Array(KEY_BYTES);

/** Sets the key to a number, in decimals. */
function setKey(number: number): Uint8Array {
  let rest = number;
  for (let i = KEY_BYTES - 1; i >= 0; i -= 1) {
    const quotient = Math.floor(rest / 10);
    key[i] = ZERO + rest - quotient * 10;
    rest = quotient;
  }
  return key;
}

/** The numbers below `count`, shuffled: a regular order would be kind to caches. */
function shuffled(count: number): Uint32Array {
  const random = randomNumbers(SEED);
  const numbers = Uint32Array.from({ length: count }, (_, i) => i);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = random(last + 1);
    const number = numbers[last]!;
    numbers[last] = numbers[other]!;
    numbers[other] = number;
  }
  return numbers;
}

/** Microseconds an operation. */
type Costs = Map<Name, Map<Work, number>>;

/** Fills all four, walks each once in order, then puts and gets, then scans. */
function run(bench: Bench, keys: number): Costs {
  const all = structures(keys);
  // The first half is put, and what the scans put comes from the second.
  const order = shuffled(keys * 2);
  const costs: Costs = new Map(all.map(({ name }) => [name, new Map<Work, number>()]));
  const sums = new Map<Name, number>(all.map(({ name }) => [name, 0]));
  const slice = Math.ceil(keys / SLICES);
  const spend = (work: Work, structure: Structure, operations: number, f: () => number): void => {
    const start = cpuMicroseconds();
    const sum = f();
    const spent = (cpuMicroseconds() - start) / operations;
    const own = costs.get(structure.name)!;
    own.set(work, (own.get(work) ?? 0) + spent);
    if (work !== "scans") sums.set(structure.name, sums.get(structure.name)! + sum);
  };
  for (let from = 0; from < keys; from += slice) {
    for (const structure of all) {
      spend("fill and flush", structure, keys, () =>
        fill(structure, order.subarray(from, Math.min(keys, from + slice))),
      );
    }
  }
  for (const structure of all) {
    spend("fill and flush", structure, keys, () => structure.scan(FIRST, keys));
    const count = Math.min(keys, 20_000);
    spend("put and get", structure, count, () =>
      putAndGet(structure, order.subarray(0, keys), count),
    );
    costs.get(structure.name)!.set("scans", scans(structure, order));
  }
  if (new Set(sums.values()).size !== 1) throw new Error("bench: the structures differ");
  bench.work(`${keys} ${sums.get("skip list")}`);
  return costs;
}

function fill(structure: Structure, numbers: Uint32Array): number {
  for (const number of numbers) structure.put(setKey(number));
  return 0;
}

/** Half puts of keys that are there, half gets. */
function putAndGet(structure: Structure, numbers: Uint32Array, count: number): number {
  let sum = 0;
  for (let n = 0; n < count; n += 1) {
    const number = numbers[(n * STRIDE) % numbers.length]!;
    if (n % 2 === 0) structure.put(setKey(number));
    else sum += structure.get(setKey(number));
  }
  return sum;
}

/** One new key, then nine short scans, and so on. @returns microseconds an operation. */
function scans(structure: Structure, order: Uint32Array): number {
  const keys = order.length / 2;
  const start = cpuMicroseconds();
  let spent = 0;
  let done = 0;
  while (done < keys && spent < WORK_MS_MAX * 1000) {
    structure.put(setKey(order[keys + done]!));
    for (let n = 1; n < PUT_EVERY; n += 1) {
      structure.scan(setKey(order[(done + n) % keys]!), SCAN_ENTRIES);
    }
    done += PUT_EVERY;
    spent = cpuMicroseconds() - start;
  }
  return spent / done;
}

function measure(bench: Bench): LabResult {
  const sizes = [
    bench.parameter("few", { small: 200, canonical: 10_000 }),
    bench.parameter("many", { small: 400, canonical: 100_000 }),
    bench.parameter("veryMany", { small: 800, canonical: 300_000 }),
  ] as const;
  const warmUp = bench.parameter("warmUp", { small: 100, canonical: 10_000 });
  run(bench, warmUp);
  run(bench, warmUp);
  const results = sizes.map((keys) => ({ keys, costs: run(bench, keys) }));
  const at = (place: number, name: Name, work: Work): number =>
    results[place]!.costs.get(name)?.get(work) ?? 0;
  for (const { keys, costs } of results) {
    for (const [name, own] of costs) {
      for (const [work, us] of own) bench.figure(`${work}, ${keys} keys: ${name}`, us, "us");
    }
  }
  const places = [0, 1, 2];
  const ordered = NAMES.filter((name) => name !== "Map, sorted on demand");
  return {
    series: WORKS.flatMap((work) => NAMES.map((name) => seriesOf(results, name, work))),
    answer: at(1, "skip list", "fill and flush") / at(1, "Map, sorted on demand", "fill and flush"),
    shape: [
      {
        claim: "filled and flushed, a Map costs less than a skip list, at every size",
        holds: places.every(
          (place) =>
            at(place, "Map, sorted on demand", "fill and flush") <
            at(place, "skip list", "fill and flush"),
        ),
      },
      {
        claim: "with scans between the puts, a Map costs most of all at 100,000 keys and above",
        holds: [1, 2].every((place) =>
          ordered.every(
            (name) => at(place, name, "scans") < at(place, "Map, sorted on demand", "scans"),
          ),
        ),
      },
      {
        claim: "a key of the sorted array costs more than twice as much at 100,000 as at 10,000",
        holds:
          at(1, "sorted array", "fill and flush") > 2 * at(0, "sorted array", "fill and flush"),
      },
      {
        claim: "a key of the skip list costs at most ten times as much at 300,000 as at 10,000",
        holds: at(2, "skip list", "fill and flush") <= 10 * at(0, "skip list", "fill and flush"),
      },
    ],
  };
}

function seriesOf(
  results: readonly { readonly keys: number; readonly costs: Costs }[],
  name: Name,
  work: Work,
): LabSeries {
  const points = results.flatMap(({ keys, costs }) => {
    const y = costs.get(name)?.get(work);
    return y === undefined ? [] : [{ x: keys, y }];
  });
  return { name: `${work}: ${name}`, points };
}

export const lab: Lab = {
  id: "02.structures",
  title: "Do you need a skip list?",
  question: "Which structure should hold the keys of a memtable, and what decides?",
  about:
    "10,000, 100,000 and 300,000 random keys of 16 bytes with values of 100, in a JavaScript Map that is sorted on demand, a sorted array (up to 100,000), a skip list and a B+ tree. Three kinds of work: fill and walk once in order, as a flush does; half puts, half gets; one put and nine scans of 20 entries. Array and skip list are yours; Map and B+ tree are the same in both runs. Processor time. Not measured: log, disk, threads.",
  x: { label: "keys in the table", unit: "keys", scale: "log" },
  y: { label: "processor time for an operation", unit: "us", scale: "log" },
  prediction: {
    ask: "100,000 random keys are put and then walked once in order. How many times as long does the skip list take (below 1: it is faster) as a Map whose keys are sorted at the end?",
    unit: "times",
  },
  predictedPoints(times, { series }) {
    const map = series.find(({ name }) => name === "fill and flush: Map, sorted on demand");
    return (map?.points ?? []).map(({ x, y }) => ({ x, y: y * times }));
  },
  measure,
};
