/**
 * The checks that planted mistakes must face too: functions of the module under test.
 *
 * Each throws a Violation at the first thing that no table may do.
 */
import { type Bytes, isCairnError } from "#base";
import { compareBytes, putU32, putU64 } from "#bytes";
import { createSimulatedDisk, isPowerCut, mixSeeds, type Random, seededRandom } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { scaled } from "../support/seeds.ts";
import {
  checkLookups,
  checkScans,
  checkSeeks,
  checkWalk,
  DIR,
  FOOTER_BYTES,
  freshDisk,
  ID,
  made,
  PATH,
  readSpy,
  replace,
  resealFooter,
  type Subject,
  unlessCorrupt,
  write,
} from "./lab.ts";
import {
  bytesOf,
  lookup,
  must,
  mustWork,
  numbered,
  randomVersions,
  shown,
  type Version,
} from "./model.ts";

/** Lookups, scans, seeks and random moves over tables of many shapes. */
export function againstTheModel(subject: Subject): void {
  for (let seed = 1; seed <= scaled(25); seed += 1) {
    const random = seededRandom(seed);
    const versions = randomVersions(random, { keys: 1 + random.below(50), versionsMax: 4 });
    const { table } = made(subject, versions, {
      blockBytes: 64 + random.below(200),
      restartInterval: 1 + random.below(6),
      filterBitsPerKey: random.below(2) * 10,
    });
    mustWork(`seed ${seed}`, () => {
      checkLookups(table, versions);
      for (const readAheadBytesMax of [0, 300, undefined]) {
        const cursor = table.cursor(readAheadBytesMax === undefined ? {} : { readAheadBytesMax });
        checkScans(cursor, versions);
        checkSeeks(cursor, versions);
        checkWalk(cursor, versions, random, 200);
      }
      table.verify();
    });
  }
}

/** Keys that the filter must know, and how often it is wrong about others. */
export function filterRate(
  subject: Subject,
  sizes: { readonly keys: number; readonly bitsPerKey: number },
): { readonly measured: number; readonly predicted: number } {
  const { keys, bitsPerKey } = sizes;
  const versions = numbered(keys * 2, (i) => `a key ${String(i).padStart(8, "0")}`);
  const inside = versions.filter((_, i) => i % 2 === 0);
  const { table } = made(subject, inside, { filterBitsPerKey: bitsPerKey });
  for (const { key } of inside) {
    must(table.get(key).kind === "value", `the filter denies ${key.join()}, which was added`);
  }
  must(table.reads.filtered === 0, "a lookup that found its key was filtered");
  // All but the last one lie within the bounds.
  const outside = versions.filter((_, i) => i % 2 === 1).slice(0, -1);
  for (const { key } of outside) {
    must(table.get(key).kind === "absent", `${key.join()} was never added`);
  }
  const probes = Math.max(1, Math.round(bitsPerKey * Math.LN2));
  const predicted = (1 - Math.exp(-probes / bitsPerKey)) ** probes;
  return { measured: 1 - table.reads.filtered / outside.length, predicted };
}

/** The rate is within 30 % of the formula. */
export function filterFollowsTheFormula(subject: Subject): void {
  for (const bitsPerKey of [4, 10, 14]) {
    const { measured, predicted } = filterRate(subject, { keys: 10_000, bitsPerKey });
    // Three standard deviations of so few samples come on top.
    const noise = 3 * Math.sqrt(predicted / 10_000);
    const off = Math.abs(measured - predicted);
    must(
      off <= predicted * 0.3 + noise,
      `${bitsPerKey} bits: ${measured} of lookups pass, predicted ${predicted}`,
    );
  }
}

/** A table with everything in it that is still small enough to flip each of its bits. */
export function smallVersions(): Version[] {
  const random = seededRandom(3);
  return randomVersions(random, { keys: 14, versionsMax: 3, valueBytesMax: 8, keyBytesMax: 5 });
}

/** Asks a file that may be damaged everything. What it answers must be right. */
export function rightOrCorrupt(
  subject: Subject,
  disk: SimulatedDisk,
  versions: readonly Version[],
): void {
  const table = unlessCorrupt("open", () => subject.openTable({ disk, path: PATH, id: ID }));
  if (table === null) return;
  for (const { key } of versions) {
    const got = unlessCorrupt("get", () => table.get(key));
    if (got === null) continue;
    const expected = shown(lookup(versions, key));
    must(shown(got) === expected, `get of ${key.join()}: ${shown(got)}, not ${expected}`);
  }
  unlessCorrupt("scan", () => checkScans(table.cursor(), versions));
  table.close();
}

/** Every single bit of a table, flipped. @returns how many. */
export function flipEveryBit(subject: Subject): number {
  const versions = smallVersions();
  const { disk, table } = made(subject, versions, { blockBytes: 96, restartInterval: 3 });
  table.close();
  const bits = disk.content(PATH).length * 8;
  for (let bit = 0; bit < bits; bit += 1) {
    disk.flipBit(PATH, bit >>> 3, bit & 7);
    rightOrCorrupt(subject, disk, versions);
    const checked = unlessCorrupt("verify", () => {
      const table = subject.openTable({ disk, path: PATH, id: ID });
      table.verify();
      return table;
    });
    must(checked === null, `nobody noticed bit ${bit & 7} of byte ${bit >>> 3}`);
    disk.flipBit(PATH, bit >>> 3, bit & 7);
  }
  return bits;
}

/** Two blocks of one size, exchanged; and one table under the number of another. */
export function misplaced(subject: Subject): void {
  const versions = numbered(60, (i) => String(100 + i)).map((version, i) => ({
    ...version,
    value: bytesOf(String(100 + i)),
  }));
  const { disk } = made(subject, versions, { blockBytes: 128 });
  const { parts } = subject.describeTable({ disk, path: PATH });
  const [first, second] = parts.filter(({ kind }) => kind === "data");
  must(first !== undefined && second !== undefined, "there are two blocks");
  must(first.bytes === second.bytes, "two blocks are of one size");
  const content = disk.content(PATH);
  const changed = content.slice();
  changed.copyWithin(first.offset, second.offset, second.offset + second.bytes);
  changed.set(content.subarray(first.offset, first.offset + first.bytes), second.offset);
  replace(disk, changed);
  rightOrCorrupt(subject, disk, versions);
  unlessCorrupt("verify", () => {
    subject.openTable({ disk, path: PATH, id: ID }).verify();
    must(false, "nobody noticed that two blocks changed places");
  });
  replace(disk, content);
  unlessCorrupt("open", () => {
    subject.openTable({ disk, path: PATH, id: ID + 1 });
    must(false, "a table passed under the number of another");
  });
}

/** A block of another table, from the same offset: right in itself, and in the wrong file. */
export function foreignBlock(subject: Subject): void {
  const versions = numbered(60);
  const { disk } = made(subject, versions, { blockBytes: 128 });
  const other = `${PATH}.other`;
  const writer = subject.createTableWriter({ disk, path: other, id: ID + 1, blockBytes: 128 });
  for (const { key, value, sequence } of versions)
    writer.add(key, value?.fill(7) ?? null, sequence);
  writer.finish();
  const { parts } = subject.describeTable({ disk, path: PATH });
  const file = disk.content(PATH);
  file.set(disk.content(other).subarray(0, parts[0]!.bytes));
  replace(disk, file);
  rightOrCorrupt(subject, disk, numbered(60));
}

/** A temporary file that a crash left behind, longer than the table that comes. */
export function remainsOfACrash(subject: Subject): void {
  const disk = freshDisk();
  replace(disk, new Uint8Array(100_000).fill(7), `${PATH}.tmp`);
  const versions = numbered(10);
  write(subject, disk, versions);
  checkPublished(subject, disk, versions);
}

/** Footers whose checksum is right and whose numbers lie. */
export function lyingLengths(subject: Subject): void {
  const { disk } = made(subject, numbered(50));
  const content = disk.content(PATH);
  const spy = readSpy(disk);
  const lies = [content.length, 2 ** 31, 2 ** 32 - 1];
  const tryOne = (lie: (file: Bytes) => void): void => {
    const file = content.slice();
    lie(file);
    resealFooter(file);
    replace(disk, file);
    const table = unlessCorrupt("open", () =>
      subject.openTable({ disk: spy.disk, path: PATH, id: ID }),
    );
    must(table === null, "a footer lied and was believed");
    must(spy.largest() <= content.length, `a read of ${spy.largest()} bytes was tried`);
  };
  const footer = content.length - FOOTER_BYTES;
  for (const at of [20, 32, 44])
    for (const n of lies) tryOne((file) => putU32(file, footer + at, n));
  for (const at of [12, 24, 36]) {
    for (const n of [...lies, 2 ** 53 - 1]) tryOne((file) => putU64(file, footer + at, n));
  }
}

/** What stands under the final name must be whole, and everything that was written. */
function checkPublished(subject: Subject, disk: SimulatedDisk, versions: readonly Version[]): void {
  mustWork("a table under its final name", () => {
    const table = subject.openTable({ disk, path: PATH, id: ID });
    table.verify();
    must(table.meta.entries === versions.length, "entries are missing");
    checkScans(table.cursor(), versions);
    table.close();
  });
}

/** Power cuts at every operation of writing a table, some over the remains of an earlier one. */
export function powerCuts(subject: Subject, seeds: number): number {
  const versions = numbered(400).map((version) => ({ ...version, value: new Uint8Array(900) }));
  let runs = 0;
  for (let point = 0; ; point += 1) {
    let ended = false;
    for (let seed = 1; seed <= scaled(seeds); seed += 1) {
      const disk = freshDisk();
      disk.syncDir(DIR);
      disk.cutPowerAt(point + disk.operations);
      ended = finishes(subject, disk, versions);
      const after = disk.crash(mixSeeds(point, seed));
      const isThere = after.exists(PATH);
      must(isThere || !ended, "finish returned, and the table is gone");
      if (isThere) checkPublished(subject, after, versions);
      // The same number again, over whatever the crash left.
      mustWork("writing again", () => write(subject, after, versions));
      checkPublished(subject, after.crash(seed), versions);
      runs += 2;
    }
    if (ended) return runs;
  }
}

function finishes(subject: Subject, disk: SimulatedDisk, versions: readonly Version[]): boolean {
  try {
    write(subject, disk, versions);
    return true;
  } catch (error) {
    if (isPowerCut(error)) return false;
    throw error;
  }
}

/** Every operation of writing a table fails once. */
export function failingDisk(subject: Subject): number {
  const versions = numbered(400).map((version) => ({ ...version, value: new Uint8Array(900) }));
  let runs = 0;
  for (const operation of ["open", "truncate", "write", "sync", "rename", "syncDir"] as const) {
    for (const fault of ["EIO", "ENOSPC"] as const) {
      for (let after = 0, met = true; met; after += 1) {
        const disk = freshDisk();
        disk.plan({ operation, fault, after });
        met = failsCleanly(subject, disk, versions);
        runs += 1;
      }
    }
  }
  return runs;
}

/** @returns whether the fault was met. */
function failsCleanly(
  subject: Subject,
  disk: SimulatedDisk,
  versions: readonly Version[],
): boolean {
  const code = (error: unknown): boolean =>
    isCairnError(error, "DISK_IO") || isCairnError(error, "DISK_FULL");
  let writer = null;
  try {
    writer = subject.createTableWriter({ disk, path: PATH, id: ID });
    for (const { key, value, sequence } of versions) writer.add(key, value, sequence);
    writer.finish();
    return false;
  } catch (error) {
    must(code(error), `a failing disk ends in ${String(error)}`);
  }
  writer?.abandon();
  must(disk.list(DIR).length === 0, `left behind: ${disk.list(DIR).join()}`);
  mustWork("writing again", () => write(subject, disk, versions));
  return true;
}

/** Several tables in caches that are too small for them. */
export function cacheUnderPressure(subject: Subject): void {
  for (let seed = 1; seed <= scaled(6); seed += 1) {
    const random = seededRandom(seed);
    const cache = subject.createBlockCache(random.below(20) * 4096 + random.below(4096));
    const disk = createSimulatedDisk();
    const lists = Array.from({ length: 3 }, () => largeVersions(random));
    const tables = lists.map((versions, i) => {
      const path = `${i + 1}.sst`;
      const writer = subject.createTableWriter({ disk, path, id: i + 1, blockBytes: 1024 });
      for (const { key, value, sequence } of versions) writer.add(key, value, sequence);
      writer.finish();
      return subject.openTable({ disk, path, id: i + 1, cache });
    });
    const cursors = tables.map((table) => table.cursor({ readAheadBytesMax: 0 }));
    for (const cursor of cursors) cursor.seekFirst();
    const places = cursors.map(() => 0);
    for (let step = 0; step < 600; step += 1) {
      const i = random.below(tables.length);
      const versions = lists[i]!;
      const { key } = versions[random.below(versions.length)]!;
      const got = shown(mustWork("get", () => tables[i]!.get(key)));
      must(got === shown(lookup(versions, key)), `table ${i}: another table's block: ${got}`);
      moveOn(cursors[i]!, places, i, versions);
      must(cache.bytes <= cache.bytesMax, `${cache.bytes} bytes of ${cache.bytesMax}`);
    }
    for (const table of tables) table.close();
    must(cache.bytes === 0, `closed tables keep ${cache.bytes} bytes`);
  }
}

function moveOn(
  cursor: ReturnType<ReturnType<Subject["openTable"]>["cursor"]>,
  places: number[],
  i: number,
  versions: readonly Version[],
): void {
  const place = places[i]!;
  must(cursor.valid && compareBytes(cursor.key, versions[place]!.key) === 0, "a cursor jumped");
  const value = versions[place]!.value ?? new Uint8Array(0);
  must(compareBytes(cursor.value, value) === 0, "a cursor's value was overwritten");
  mustWork("next", () => cursor.next());
  places[i] = (place + 1) % versions.length;
  if (places[i] === 0) cursor.seekFirst();
}

/** Versions in about sixty blocks, a few of them too large for a slot of the cache. */
function largeVersions(random: Random): Version[] {
  return numbered(120).map((version, i) => {
    const value = random.bytes(i % 40 === 7 ? 6000 + random.below(3000) : random.below(900));
    return { ...version, value };
  });
}
