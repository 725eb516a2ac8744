/**
 * Which structure should a memtable have? Puts, gets, short scans, and the walk in order that a
 * flush makes, for a B+ tree, a skip list, a hash table that is sorted on demand, and an array.
 *
 * Keys of 16 bytes, values of 100. Each structure gets the same slices of work in turn, so that all
 * see the same machine. Not measured: the log, the disk, threads. Nothing is synced. The figures
 * are microseconds of processor time for an operation, the collection of garbage included; the
 * ratios are against the default, and above 1 where that is faster.
 */
import { createMemtable } from "#memtable";
import type { Memtable, MemtableStructure } from "#memtable/types";
import type { Bench } from "../harness/index.ts";

const STRUCTURES: readonly MemtableStructure[] = ["btree", "skiplist", "map", "array"];
const KEY_BYTES = 16;
const VALUE_BYTES = 100;
/** Each structure works on one slice before it is the next one's turn. */
const SLICES = 20;
/** Of 100 operations in the mix: 60 puts, 39 gets and one scan. */
const MIX_PUTS = 60;
const MIX_GETS = 39;
const SCAN_ENTRIES = 20;
/** Odd, so that multiplying by it reorders the numbers below a power of two. */
const SCATTER = 40_503;
const ZERO = 48;

/** One structure under measurement. */
interface Runner {
  readonly structure: MemtableStructure;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  table: Memtable;
  sequence: number;
  /** Something that depends on all that was read; the same for all structures. */
  sum: number;
}

/** Does `count` operations, from number `from` on. */
type Work = (runner: Runner, from: number, count: number) => void;

/** A kind of work. What is prepared is not timed. */
interface Task {
  readonly name: string;
  readonly prepare?: Work;
  readonly work: Work;
}

/** Of this process, so that what else the machine does is left out. */
function cpuNanoseconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) * 1000;
}

/** Numbers below `keys` in an order that looks random, as decimals. */
function scattered(n: number, keys: number): number {
  return Math.imul(n, SCATTER) & (2 ** Math.ceil(Math.log2(keys)) - 1);
}

function setKey(key: Uint8Array, number: number): void {
  let rest = number;
  for (let i = KEY_BYTES - 1; i >= 0; i -= 1) {
    const quotient = Math.floor(rest / 10);
    key[i] = ZERO + rest - quotient * 10;
    rest = quotient;
  }
}

function put(runner: Runner, number: number): void {
  setKey(runner.key, number);
  runner.sequence += 1;
  // As the engine does when nobody holds a snapshot.
  runner.table.put(runner.key, runner.value, runner.sequence, 0);
}

function get(runner: Runner, number: number): void {
  setKey(runner.key, number);
  const found = runner.table.get(runner.key);
  if (found.kind === "value") runner.sum += found.value.length;
}

function scan(runner: Runner, number: number): void {
  setKey(runner.key, number);
  const cursor = runner.table.cursor();
  cursor.seek(runner.key);
  for (let i = 0; i < SCAN_ENTRIES && cursor.valid; i += 1) {
    runner.sum += cursor.key[KEY_BYTES - 1]!;
    cursor.next();
  }
  cursor.close();
}

function tasksFor(keys: number): readonly Task[] {
  const fill: Work = (runner, from, count) => {
    for (let n = from; n < from + count; n += 1) put(runner, scattered(n, keys));
  };
  const fillInOrder: Work = (runner, from, count) => {
    for (let n = from; n < from + count; n += 1) put(runner, n);
  };
  const gets: Work = (runner, from, count) => {
    for (let n = from; n < from + count; n += 1) get(runner, scattered(n * 7, keys));
  };
  const mix: Work = (runner, from, count) => {
    for (let n = from; n < from + count; n += 1) {
      const kind = n % 100;
      // Half of the puts are of new keys.
      const number = scattered(n * 3, keys * 2);
      if (kind < MIX_PUTS) put(runner, number);
      else if (kind < MIX_PUTS + MIX_GETS) get(runner, number);
      else scan(runner, number);
    }
  };
  return [
    { name: "put random", work: fill },
    { name: "put sequential", work: fillInOrder },
    { name: "get random", prepare: fill, work: gets },
    { name: "mix", prepare: fill, work: mix },
  ];
}

/** Runs a task on every structure, slice by slice. @returns microseconds an operation. */
function run(bench: Bench, keys: number, task: Task): Map<MemtableStructure, number> {
  const runners = STRUCTURES.map((structure) => newRunner(structure));
  for (const runner of runners) task.prepare?.(runner, 0, keys);
  const spent = new Map<MemtableStructure, number>();
  const count = Math.ceil(keys / SLICES);
  for (let slice = 0; slice < SLICES; slice += 1) {
    for (let turn = 0; turn < runners.length; turn += 1) {
      const runner = runners[(slice + turn) % runners.length]!;
      const start = cpuNanoseconds();
      task.work(runner, slice * count, count);
      const elapsed = cpuNanoseconds() - start;
      spent.set(runner.structure, (spent.get(runner.structure) ?? 0) + elapsed);
    }
  }
  demandSameSums(runners);
  bench.work(`${task.name} ${keys} ${runners[0]!.table.entries} ${runners[0]!.sum}`);
  return perOperation(spent, count * SLICES);
}

/** The walk over all in order: what a flush costs, with the sort where there is one. */
function flush(keys: number): Map<MemtableStructure, number> {
  const runners = STRUCTURES.map((structure) => newRunner(structure));
  const spent = new Map<MemtableStructure, number>();
  for (const runner of runners) {
    for (let n = 0; n < keys; n += 1) put(runner, scattered(n, keys));
    const start = cpuNanoseconds();
    const cursor = runner.table.cursor();
    for (cursor.seekFirst(); cursor.valid; cursor.next()) {
      runner.sum += cursor.key[KEY_BYTES - 1]! + cursor.value.length;
    }
    cursor.close();
    spent.set(runner.structure, cpuNanoseconds() - start);
  }
  demandSameSums(runners);
  return perOperation(spent, keys);
}

function newRunner(structure: MemtableStructure): Runner {
  return {
    structure,
    key: new Uint8Array(KEY_BYTES),
    value: new Uint8Array(VALUE_BYTES).fill(ZERO),
    table: createMemtable({ structure }),
    sequence: 0,
    sum: 0,
  };
}

function demandSameSums(runners: readonly Runner[]): void {
  const sums = new Set(runners.map(({ sum, table }) => `${sum} ${table.entries}`));
  if (sums.size !== 1) throw new Error(`bench: structures differ: ${[...sums].join(", ")}`);
}

function perOperation(
  spent: ReadonlyMap<MemtableStructure, number>,
  operations: number,
): Map<MemtableStructure, number> {
  return new Map([...spent].map(([structure, ns]) => [structure, ns / operations / 1000]));
}

function report(bench: Bench, name: string, times: ReadonlyMap<MemtableStructure, number>): void {
  for (const structure of STRUCTURES) {
    bench.figure(`${name}: ${structure}`, times.get(structure)!, "us");
  }
  for (const structure of STRUCTURES.slice(1)) {
    bench.ratio(`${name}: ${structure}`, {
      subject: times.get(structure)!,
      peer: times.get("btree")!,
      peerName: "btree",
    });
  }
}

/**
 * The life of a memtable: filled with random keys, used as the mix says, walked for its flush. The
 * default is the one that wins this.
 */
function wholeLife(bench: Bench, keys: number): void {
  const life = new Map<MemtableStructure, number>(STRUCTURES.map((structure) => [structure, 0]));
  const add = (times: ReadonlyMap<MemtableStructure, number>): void => {
    for (const [structure, us] of times) life.set(structure, life.get(structure)! + us / 3);
  };
  for (const task of tasksFor(keys)) {
    const times = run(bench, keys, task);
    report(bench, task.name, times);
    if (task.name === "put random" || task.name === "mix") add(times);
  }
  const walked = flush(keys);
  report(bench, "flush", walked);
  add(walked);
  for (const structure of STRUCTURES.slice(1)) {
    bench.ratio(
      `whole life (fill, mix, flush): ${structure}`,
      { subject: life.get(structure)!, peer: life.get("btree")!, peerName: "btree" },
      { atLeast: 1 },
    );
  }
}

function warmUp(bench: Bench): void {
  const keys = bench.parameter("warmUpKeys", { small: 200, canonical: 20_000 });
  for (const task of tasksFor(keys)) run(bench, keys, task);
  flush(keys);
}

export function fewKeys(bench: Bench): void {
  warmUp(bench);
  wholeLife(bench, bench.parameter("keys", { small: 400, canonical: 10_000 }));
}

export function manyKeys(bench: Bench): void {
  warmUp(bench);
  wholeLife(bench, bench.parameter("keys", { small: 800, canonical: 100_000 }));
}

export function veryManyKeys(bench: Bench): void {
  warmUp(bench);
  wholeLife(bench, bench.parameter("keys", { small: 1600, canonical: 300_000 }));
}
