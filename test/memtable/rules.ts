/**
 * Checks of single rules on small tables, for the module and for the planted mistakes.
 *
 * Invariant: each check says by its name what is wrong when it throws.
 */
import type { Bytes } from "#base";
import type { SkipList } from "#memtable";
import { seededRandom } from "#platform";
import type { Random } from "#platform/types";
import {
  backwards,
  demand,
  demandSame,
  forwards,
  type Module,
  Pair,
  type Subject,
} from "./checks.ts";
import { bytesOf, linesOf, lookupText, textOf } from "./model.ts";

/** M1: absent, deleted and empty are three things, and a deletion is a fact of its own. */
export function threeOutcomes(subject: Subject): void {
  for (const key of ["", "key", "\0", "\xff\xff"]) {
    const pair = new Pair(subject);
    pair.compareGet(key);
    demandSame(lookupText(pair.table.get(bytesOf(key))), "absent", "a key that never was");
    pair.record(key, null);
    demandSame(lookupText(pair.table.get(bytesOf(key))), "deleted", "a key deleted unseen");
    pair.record(key, "");
    demandSame(lookupText(pair.table.get(bytesOf(key))), "value ", "a value of no bytes");
    pair.record(key, "back");
    pair.record(key, null);
    demandSame(lookupText(pair.table.get(bytesOf(key))), "deleted", "a key deleted again");
    pair.record(key, "again");
    demandSame(lookupText(pair.table.get(bytesOf(key))), "value again", "a key that came back");
    for (let at = 0; at <= pair.sequence; at += 1) pair.compareGet(key, at);
    pair.compareGet(`${key}x`);
    pair.compareScan();
    pair.compareCounts();
  }
}

/** M4: buffers of the caller's may be used again, and what is handed out is the caller's. */
export function buffersUsedAgain({ module, structure }: Subject): void {
  const table = module.createMemtable({ structure, bytesInitial: 0 });
  const buffer = new Uint8Array(2);
  const said = (n: number): string => String.fromCharCode(n >> 8, n & 255);
  const set = (n: number): Bytes => {
    buffer.set([n >> 8, n & 255]);
    return buffer;
  };
  for (let n = 0; n < 300; n += 1) {
    if (n % 3 === 0) table.delete(set(n), n + 1);
    else table.put(set(n), buffer, n + 1);
  }
  for (let n = 0; n < 300; n += 1) {
    const found = table.get(set(n));
    demandSame(lookupText(found), n % 3 === 0 ? "deleted" : `value ${said(n)}`, `get of ${n}`);
    if (found.kind === "value") found.value.fill(0xee);
  }
  for (let n = 1; n < 300; n += 3) {
    demandSame(lookupText(table.get(set(n))), `value ${said(n)}`, `second get of ${n}`);
  }
  for (const { key, value } of table.scan()) {
    key.fill(0xee);
    value?.fill(0xee);
  }
  const bounds = { from: bytesOf(said(100)), before: bytesOf(said(103)) };
  const scan = table.scan(bounds);
  bounds.from.fill(0);
  bounds.before.fill(0);
  const keys = [...scan].map(({ key }) => textOf(key));
  demandSame(JSON.stringify(keys), JSON.stringify([100, 101, 102].map(said)), "scan");
}

/** M5: deletions alone reach any threshold, and each distinct key counts. */
export function deletionsGrow({ module, structure }: Subject): void {
  const table = module.createMemtable({ structure, bytesInitial: 0 });
  let last = table.approximateBytes();
  for (let n = 1; n <= 2000; n += 1) {
    table.delete(bytesOf(`key ${n}`), n);
    const bytes = table.approximateBytes();
    demand(bytes >= last + `key ${n}`.length, `deletion ${n} added ${bytes - last} bytes`);
    last = bytes;
  }
  demandSame(`${table.entries}, ${table.deletions}`, "2000, 2000", "entries, deletions");
  demand(last > 2000 * "key 1000".length, `2000 deletions take ${last} bytes`);
}

/** M5: the size is what keys and values take, and not much more. */
export function sizeIsNearTheTruth({ module, structure }: Subject): void {
  const table = module.createMemtable({ structure });
  const [keyBytes, valueBytes, keys] = [16, 100, 5000];
  for (let n = 1; n <= keys; n += 1) {
    table.put(bytesOf(`${n * 7919}`.padStart(keyBytes, "0")), new Uint8Array(valueBytes), n);
  }
  const bytes = table.approximateBytes();
  const least = keys * (keyBytes + valueBytes);
  demand(bytes >= least, `${bytes} bytes hold ${least}`);
  demand(bytes <= keys * (keyBytes + valueBytes + 64), `${bytes / keys} bytes for each key`);
}

/** What nobody reads is replaced, and the table does not grow by it. */
export function overwritesDoNotLeak(subject: Subject): void {
  for (const size of [() => 100, (n: number) => n % 101, (n: number) => (n * 37) % 101]) {
    const pair = new Pair(subject);
    for (let n = 0; n <= 101; n += 1) pair.record("key", "x".repeat(size(n)), 0);
    const { table } = pair;
    const before = table.approximateBytes();
    for (let n = 0; n < 5000; n += 1) {
      // In groups, with deletions between them, which keep the room that there was.
      if (n % 7 === 0) table.delete(bytesOf("key"), 1000 + n, 0);
      else table.put(bytesOf("key"), new Uint8Array(size(n)), 1000 + n, 0);
    }
    demandSame(`${table.approximateBytes()}`, `${before}`, "bytes after 5000 overwrites");
    demandSame(`${table.entries}`, "1", "entries after 5000 overwrites");
    demandSame(`${table.sequenceMin}`, "5999", "lowest sequence");
  }
  growingValues(subject);
}

/** A value that grows a little each time leaves a trail, which must not grow with every step. */
function growingValues({ module, structure }: Subject): void {
  const table = module.createMemtable({ structure });
  for (let n = 1; n <= 4000; n += 1) table.put(bytesOf("key"), new Uint8Array(n), n, 0);
  const bytes = table.approximateBytes();
  demand(bytes < 12 * 4000, `a value that grew to 4000 bytes takes ${bytes}`);
}

/** M6: a frozen table takes nothing, and says the same as before. */
export function frozenNeverChanges(subject: Subject): void {
  const pair = new Pair(subject);
  for (let n = 0; n < 200; n += 1) pair.record(`k${n % 70}`, n % 5 === 0 ? null : `v${n}`);
  const { table } = pair;
  const refused = (write: () => unknown): boolean => {
    try {
      write();
      return false;
    } catch (error) {
      return error instanceof Error && error.name === "InvariantError";
    }
  };
  demand(
    refused(() => table.share()),
    "what is not frozen was shared",
  );
  const bytes = table.approximateBytes();
  table.freeze();
  table.freeze();
  demand(
    refused(() => table.put(bytesOf("k1"), bytesOf("x"), 999)),
    "put of a known key",
  );
  demand(
    refused(() => table.put(bytesOf("new"), bytesOf("x"), 999)),
    "put of a new key",
  );
  demand(
    refused(() => table.delete(bytesOf("k1"), 999, 0)),
    "delete of a known key",
  );
  demand(
    refused(() => table.delete(bytesOf("new"), 999)),
    "delete of a new key",
  );
  demandSame(`${table.approximateBytes()}`, `${bytes}`, "bytes");
  pair.compareScan();
  pair.compareCounts();
  for (let n = 0; n < 70; n += 1) pair.compareGet(`k${n}`);
}

/** M2: the versions of a key, at every sequence, when none is let go. */
export function versionsAtSequences(subject: Subject): void {
  const pair = new Pair(subject);
  for (let n = 0; n < 60; n += 1) pair.record(`k${n % 4}`, n % 3 === 0 ? null : `${n}`);
  for (let at = 0; at <= pair.sequence + 1; at += 1) {
    for (const key of ["k0", "k1", "k2", "k3", "k4"]) pair.compareGet(key, at);
  }
  pair.compareScan();
}

/** M3: bounds that are equal, missing, empty, between keys, and the wrong way round. */
export function boundsAreHalfOpen(subject: Subject): void {
  const pair = new Pair(subject);
  pair.compareScan();
  for (const key of ["", "a", "b", "b\0", "c", "\xff", "\xff\xff"]) pair.record(key, key);
  pair.record("b", null);
  const bounds = [undefined, "", "a", "a\0", "b", "b\0", "b\0\0", "c", "d", "\xff", "\xff\xff\xff"];
  for (const from of bounds) {
    for (const before of bounds) pair.compareScan({ from, before });
  }
}

/** What is shared says what the frozen table says, after a message's way of copying it. */
export function sharedIsTheSame(subject: Subject): void {
  for (const count of [0, 1, 40, 700]) {
    const pair = tableWithHistory(subject, count);
    pair.table.freeze();
    const shared = pair.table.share();
    if (shared === null) throw new Error("memtable: nothing was shared");
    const cursor = subject.module.openSharedMemtable(structuredClone(shared));
    const expected = linesOf(pair.model.scan());
    demandSame(forwards(cursor), expected, "forwards over what is shared");
    demandSame(backwards(cursor), expected, "backwards over what is shared");
    const range = { from: "k2", before: "k7" };
    demandSame(backwards(cursor, range), linesOf(pair.model.scan(range)), "part of what is shared");
    cursor.close();
    pair.compareScan();
  }
}

/** Keys in no order, some with older versions, some deleted, some replaced. */
export function tableWithHistory(subject: Subject, count: number): Pair {
  const pair = new Pair(subject);
  for (let n = 0; n < count; n += 1) {
    const key = `k${(n * 7919) % Math.ceil(count * 0.7)}`;
    const newestReader = n % 3 === 0 ? pair.sequence : Math.max(0, pair.sequence - 50);
    pair.record(key, n % 7 === 0 ? null : `${n}`.repeat(n % 9), newestReader);
  }
  return pair;
}

/** A skip list with keys in random order, each given twice. */
export function fillSkipList(
  module: Module,
  keys: number,
  random?: () => number,
): { readonly list: SkipList; readonly keyOf: ReadonlyMap<number, string> } {
  const arena = module.createArena(0);
  const list = module.createSkipList(arena, random);
  const keyOf = new Map<number, string>();
  const draw = seededRandom(7);
  const drawn = new Set<number>();
  while (drawn.size < keys) drawn.add(draw.below(keys * 8));
  for (const number of drawn) {
    const key = bytesOf(`${number}`);
    for (let time = 0; time < 2; time += 1) {
      const known = list.locate(key);
      const reference = known === 0 ? arena.allocate(key, 0) : known;
      list.place(key, reference);
      keyOf.set(reference, `${number}`);
    }
  }
  return { list, keyOf };
}

/** The chains of a skip list: each ascends, holds no key twice, and skips what is below it only. */
export function levelsAreParts({ module }: Subject, random: Random): void {
  const count = 600;
  const { list, keyOf } = fillSkipList(module, count, () => random.fraction());
  const levels = list.levels().map((references) => references.map((one) => keyOf.get(one)!));
  demandSame(`${levels[0]!.length}`, `${count}`, "keys on the lowest level");
  demand(levels.length >= 3, `${count} keys on ${levels.length} levels`);
  for (const [level, keys] of levels.entries()) {
    for (const [i, key] of keys.entries()) {
      demand(i === 0 || keys[i - 1]! < key, `level ${level}: ${keys[i - 1]} before ${key}`);
      demand(level === 0 || levels[level - 1]!.includes(key), `level ${level}: ${key} floats`);
    }
  }
}
