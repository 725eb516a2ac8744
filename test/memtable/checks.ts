/**
 * Checks that compare a memtable with the model under random use. They take the module as an
 * argument, so that the planted mistakes go through the very checks that the module passes.
 *
 * A check throws {@link Violation} when the table says something else than the model.
 */
import type { Bytes, Cursor } from "#base";
import { equalBytes } from "#bytes";
import type * as Reference from "#memtable";
import type { Memtable, MemtableStructure } from "#memtable/types";
import type { Random } from "#platform/types";
import { arrivals, type KeyFamily, keyFamilies } from "./keys.ts";
import {
  bytesOf,
  linesOf,
  lookupText,
  Model,
  type Range,
  textOf,
  type Version,
  versionOf,
} from "./model.ts";

/** The module as it is, or with a mistake in it. */
export type Module = typeof Reference;

/** What is checked: the module, and one of its structures. */
export interface Subject {
  readonly module: Module;
  readonly structure: MemtableStructure;
}

export const structures: readonly MemtableStructure[] = ["btree", "skiplist", "map", "array"];

/** The table and the model do not agree. */
export class Violation extends Error {}

export function demand(holds: boolean, message: string): void {
  if (!holds) throw new Violation(message);
}

export function demandSame(found: string, expected: string, what: string): void {
  if (found === expected) return;
  throw new Violation(`${what}: found\n${found}\nexpected\n${expected}`);
}

/** A table with its model, which are written together. */
export class Pair {
  readonly table: Memtable;
  readonly model = new Model();
  sequence = 0;

  constructor({ module, structure }: Subject, random?: Random) {
    // A small start, so that the arena grows many times.
    const chance = random && { random: () => random.fraction() };
    this.table = module.createMemtable({ structure, bytesInitial: 64, ...chance });
  }

  record(key: string, value: string | null, newestReader?: number): void {
    this.sequence += 1;
    const { sequence } = this;
    if (value === null) this.table.delete(bytesOf(key), sequence, newestReader);
    else this.table.put(bytesOf(key), bytesOf(value), sequence, newestReader);
    this.model.record({ key, value, sequence }, newestReader);
  }

  /** Gets a key on both sides. */
  compareGet(key: string, at?: number): void {
    const found = lookupText(this.table.get(bytesOf(key), at));
    demandSame(found, this.model.get(key, at), `get of ${JSON.stringify(key)} at ${at}`);
  }

  /** Scans a range on both sides, forwards and backwards. */
  compareScan(range: Range = {}): void {
    const expected = this.model.scan(range);
    const { from, before } = range;
    const bounds = {
      ...(from !== undefined && { from: bytesOf(from) }),
      ...(before !== undefined && { before: bytesOf(before) }),
    };
    const scanned = [...this.table.scan(bounds)].map(versionOf);
    demandSame(linesOf(scanned), linesOf(expected), `scan of ${JSON.stringify(range)}`);
    const cursor = this.table.cursor();
    demandSame(backwards(cursor, range), linesOf(expected), `back over ${JSON.stringify(range)}`);
    cursor.close();
  }

  compareCounts(): void {
    const kept = this.model.scan();
    const sequences = kept.map(({ sequence }) => sequence);
    const { entries, deletions, sequenceMin, sequenceMax } = this.table;
    demandSame(
      JSON.stringify({ entries, deletions, sequenceMin, sequenceMax }),
      JSON.stringify({
        entries: kept.length,
        deletions: kept.filter(({ value }) => value === null).length,
        sequenceMin: kept.length === 0 ? 0 : Math.min(...sequences),
        sequenceMax: this.sequence,
      }),
      "counts",
    );
  }
}

/** What stands at a cursor, as a line of {@link linesOf}. */
export function lineAt(cursor: Cursor): string {
  const value = cursor.isDeletion ? null : cursor.value;
  return linesOf([versionOf({ key: cursor.key, value, sequence: cursor.sequence })]);
}

export function forwards(cursor: Cursor): string {
  const lines: string[] = [];
  for (cursor.seekFirst(); cursor.valid; cursor.next()) lines.push(lineAt(cursor));
  return lines.join("\n");
}

/** The versions of a range, met from the end, and put the right way round again. */
export function backwards(cursor: Cursor, { from = "", before }: Range = {}): string {
  const lines: string[] = [];
  if (before === undefined) cursor.seekLast();
  else cursor.seekBefore(bytesOf(before));
  for (; cursor.valid && textOf(cursor.key) >= from; cursor.prev()) lines.push(lineAt(cursor));
  return lines.reverse().join("\n");
}

/** Thousands of random operations against the model, with every version kept (M1, M2, M3). */
export function randomOperations(subject: Subject, random: Random, count: number): void {
  const pair = new Pair(subject, random);
  const keys = keyFamilies["a few names with numbers"]!(count / 8, random);
  const draw = (): string => keys[random.below(keys.length)]!;
  for (let i = 0; i < count; i += 1) {
    const kind = random.below(100);
    if (kind < 45) pair.record(draw(), `v${i}`.repeat(random.below(4)));
    else if (kind < 60) pair.record(draw(), null);
    else if (kind < 98) pair.compareGet(draw(), 1 + random.below(pair.sequence + 2));
    else if (kind < 99) pair.compareCounts();
    else pair.compareScan(drawRange(draw, random));
  }
  pair.compareScan();
  for (const key of keys) pair.compareGet(key);
}

/** Any two bounds: equal, the wrong way round, or missing as well. */
function drawRange(draw: () => string, random: Random): Range {
  const range: { from?: string; before?: string } = {};
  if (random.below(4) > 0) range.from = random.below(9) === 0 ? "" : draw();
  if (random.below(4) > 0) range.before = random.below(9) === 0 ? range.from! : draw();
  if (range.before === undefined) delete range.before;
  return range;
}

/** Keys of one family in one order of arrival: all are found, in order, and no others. */
export function awkwardKeys(
  subject: Subject,
  random: Random,
  draw: { readonly family: KeyFamily; readonly arrival: keyof typeof arrivals; count: number },
): void {
  const pair = new Pair(subject, random);
  const keys = arrivals[draw.arrival]!(draw.family(draw.count, random), random);
  for (const [i, key] of keys.entries()) {
    pair.record(key, `${i}`);
    // Whether a key that came earlier is still found is most in doubt at once.
    if (i % 16 === 0) pair.compareGet(keys[random.below(i + 1)]!);
  }
  for (const key of keys) {
    pair.compareGet(key);
    pair.compareGet(`${key}\0`);
    pair.compareGet(key.slice(0, -1));
  }
  pair.compareScan();
  for (let i = 0; i < 4; i += 1)
    pair.compareScan(drawRange(() => draw.family(1, random)[0]!, random));
  const versions = pair.model.scan();
  for (let i = 0; i < 40; i += 1) {
    compareSeeks(pair.table, versions, neighbour(keys[random.below(keys.length)]!, i));
  }
}

/** A key, or one that is close to it. */
function neighbour(key: string, i: number): string {
  return [key, `${key}\0`, key.slice(0, -1), `${key.slice(0, -1)}\xff`][i % 4]!;
}

function compareSeeks(table: Memtable, versions: readonly Version[], key: string): void {
  const cursor = table.cursor();
  const above = versions.find((version) => version.key >= key);
  const below = versions.findLast((version) => version.key < key);
  cursor.seek(bytesOf(key));
  const atAbove = cursor.valid ? lineAt(cursor) : "";
  demandSame(atAbove, linesOf(above ? [above] : []), `seek to ${JSON.stringify(key)}`);
  cursor.seekBefore(bytesOf(key));
  const atBelow = cursor.valid ? lineAt(cursor) : "";
  demandSame(atBelow, linesOf(below ? [below] : []), `seek before ${JSON.stringify(key)}`);
  cursor.close();
}

/**
 * Readers come and go while few keys are written again and again. Each reader sees what it saw when
 * it came, and nothing is kept that no reader sees (M2).
 */
export function readersComeAndGo(subject: Subject, random: Random, count: number): void {
  const pair = new Pair(subject, random);
  const readers: number[] = [];
  const key = (): string => `k${random.below(12)}`;
  for (let i = 0; i < count; i += 1) {
    const kind = random.below(20);
    if (kind === 0) readers.push(pair.sequence);
    else if (kind === 1 && readers.length > 0) readers.splice(random.below(readers.length), 1);
    else if (kind === 2) pair.compareScan();
    else if (kind === 3) pair.compareCounts();
    else if (kind < 6) pair.record(key(), null, Math.max(0, ...readers));
    else pair.record(key(), "x".repeat(random.below(50)), Math.max(0, ...readers));
    const read = key();
    pair.compareGet(read);
    for (const at of readers) pair.compareGet(read, at);
  }
}

/** A step of a cursor, remembered as copies. */
interface Step {
  readonly key: string;
  readonly sequence: number;
  readonly line: string;
}

/**
 * Writes between the moves of cursors. Each goes one way over all, meets in order what was there
 * from the start, and finds its views as they were when it came (M3).
 */
export function writesBetweenMoves(subject: Subject, random: Random, rounds: number): void {
  const pair = new Pair(subject, random);
  const write = (newestReader?: number, key = `k${random.below(150)}`): void => {
    pair.record(key, random.below(9) === 0 ? null : "v".repeat(random.below(90)), newestReader);
  };
  for (let i = 0; i < 200; i += 1) write();
  for (let round = 0; round < rounds; round += 1) {
    const expected = pair.model.scan().map((version) => linesOf([version]));
    const isForward = round % 2 === 0;
    // Every version is kept; or those that were there; or, in the last kind of round, none: then
    // what the cursor stands at would be written over, were it not standing there.
    const newestReader = [undefined, pair.sequence, 0][round % 3];
    const cursor = pair.table.cursor();
    const steps: Step[] = [];
    if (isForward) cursor.seekFirst();
    else cursor.seekLast();
    while (cursor.valid) {
      const [key, value] = [cursor.key, cursor.value];
      const step = { key: textOf(key), sequence: cursor.sequence, line: lineAt(cursor) };
      for (let i = random.below(3); i > 0; i -= 1) {
        write(newestReader, random.below(4) === 0 ? step.key : undefined);
      }
      demandViews(step, { key, value, cursor });
      steps.push(step);
      if (isForward) cursor.next();
      else cursor.prev();
    }
    cursor.close();
    demandOrder(isForward ? steps : steps.reverse(), newestReader === 0 ? [] : expected);
  }
  pair.compareCounts();
}

function demandViews(step: Step, at: { key: Bytes; value: Bytes; cursor: Cursor }): void {
  demandSame(textOf(at.key), step.key, "a view of a key, after writes");
  demandSame(lineAt(at.cursor), step.line, "where a cursor stands, after writes");
  demand(equalBytes(at.value, at.cursor.value), `the view of ${step.line} has changed`);
}

function demandOrder(steps: readonly Step[], expected: readonly string[]): void {
  for (const [i, { key, sequence, line }] of steps.entries()) {
    const last = steps[i - 1];
    if (last === undefined) continue;
    const isBehind = last.key < key || (last.key === key && last.sequence > sequence);
    demand(isBehind, `${last.line} comes before ${line}`);
  }
  const met = new Set(steps.map(({ line }) => line));
  const missed = expected.filter((line) => !met.has(line));
  demandSame(missed.join("\n"), "", "missed");
}
