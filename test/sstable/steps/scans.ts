/**
 * Step 03.8: cursors in both directions, and ranges whose bounds are exact.
 */
import type { Bytes, Cursor } from "#base";
import { compareBytes } from "#bytes";
import { type Check, expectThat, type Lesson, type Step } from "#learn";
import { type Random, seededRandom } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import * as reference from "#sstable/reference";
import type { Table } from "#sstable/types";
import { handlesOf, PATH } from "../lab.ts";
import { around, bytesOf, indexAtOrAbove } from "../model.ts";
import { dataBlocksOf } from "./format.ts";
import type { ScanRange, Subject, Version } from "./subject.ts";
import { diskWith, openSound, unlessCorrupt } from "./table-lab.ts";
import { drawVersions, rowKey, rows } from "./versions.ts";
import { k, orFail, same, version, versionAt } from "./words.ts";

/** Compares where a cursor stands with the version at `index`, which may be outside. */
function checkAt(
  cursor: Cursor,
  versions: readonly Version[],
  index: number,
  moves: string[],
): void {
  const at = versionAt(cursor);
  const expected = versions[index] ?? null;
  expectThat(same(at, expected), () => ({
    happened: `In a table of ${versions.length} versions, ${moves.at(-1)} should lead to ${version(expected)}. Your cursor stands at ${version(at)}.`,
    why: "A scan that skips a row loses it for every report; one that stops early loses the rest.",
    timeline: [...moves.slice(-5), ...around5(versions, index)],
  }));
}

/** The versions around an index, for failures. */
function around5(versions: readonly Version[], index: number): string[] {
  const from = Math.max(0, Math.min(index, versions.length) - 2);
  return versions.slice(from, from + 5).map((one, i) => `version ${from + i} is ${version(one)}`);
}

/** Moves, and compares. */
class Walk {
  readonly cursor: Cursor;
  readonly #versions: readonly Version[];
  readonly #moves: string[] = [];
  #index = -1;

  constructor(table: Table, versions: readonly Version[]) {
    this.cursor = table.cursor();
    this.#versions = versions;
  }

  get isInside(): boolean {
    return this.#index >= 0 && this.#index < this.#versions.length;
  }

  first(): void {
    this.#go("seekFirst()", 0, () => this.cursor.seekFirst());
  }

  last(): void {
    this.#go("seekLast()", this.#versions.length - 1, () => this.cursor.seekLast());
  }

  seek(key: Bytes): void {
    const index = indexAtOrAbove(this.#versions, key);
    this.#go(`seek(${k(key)})`, index, () => this.cursor.seek(key));
  }

  seekBefore(key: Bytes): void {
    const index = indexAtOrAbove(this.#versions, key) - 1;
    this.#go(`seekBefore(${k(key)})`, index, () => this.cursor.seekBefore(key));
  }

  next(): void {
    this.#go("next()", this.#index + 1, () => this.cursor.next());
  }

  prev(): void {
    this.#go("prev()", this.#index - 1, () => this.cursor.prev());
  }

  #go(move: string, index: number, run: () => void): void {
    this.#moves.push(move);
    this.#index = index;
    orFail(run, (error) => ({
      happened: `In a sound table of ${this.#versions.length} versions ${move} threw ${error}.`,
      why: "A scan ended in an error, and nothing is damaged.",
      timeline: this.#moves.slice(-6),
    }));
    checkAt(this.cursor, this.#versions, index, this.#moves);
  }
}

/** A table of many small blocks. */
function drawTable(subject: Subject, random: Random): { table: Table; versions: Version[] } {
  const versions = drawVersions(random, 1 + random.below(25), 3);
  const disk = diskWith(subject, versions, { blockBytes: 64 + random.below(100) });
  return { table: openSound(subject, disk), versions };
}

const bothWays: Check<Subject> = {
  name: "a cursor walks over every version both ways, and turns round anywhere",
  kind: "model",
  rule: "S8",
  run(subject, { seed }) {
    for (let round = 0; round < 15; round += 1) {
      const random = seededRandom(seed * 1000 + round);
      const { table, versions } = drawTable(subject, random);
      const walk = new Walk(table, versions);
      for (walk.first(); walk.isInside; ) walk.next();
      for (walk.last(); walk.isInside; ) walk.prev();
      for (let step = 0; step < 60; step += 1) {
        if (!walk.isInside) walk.seek(versions[random.below(versions.length)]!.key);
        else if (random.below(2) === 0) walk.next();
        else walk.prev();
      }
      walk.cursor.close();
      table.close();
    }
  },
};

/** Seeks every key and its neighbours from both sides, and goes on from there. */
function checkSeeks(table: Table, versions: readonly Version[]): void {
  const walk = new Walk(table, versions);
  for (const { key } of versions) {
    for (const near of around(key)) {
      walk.seek(near);
      if (walk.isInside) walk.prev();
      walk.seekBefore(near);
      if (walk.isInside) walk.next();
    }
  }
  walk.cursor.close();
}

const seeks: Check<Subject> = {
  name: "seek and seekBefore lead to a key's neighbours, at the edges of blocks too",
  kind: "model",
  rule: "S8",
  run(subject, { seed }) {
    for (let round = 0; round < 8; round += 1) {
      const { table, versions } = drawTable(subject, seededRandom(seed * 1000 + round));
      checkSeeks(table, versions);
      table.close();
    }
  },
};

const shortSeparators: Check<Subject> = {
  name: "seeks are exact in a table whose separators lie between its keys",
  kind: "mistake",
  rule: "S8",
  run(subject, { seed }) {
    for (let round = 0; round < 6; round += 1) {
      const random = seededRandom(seed * 1000 + round);
      const versions = drawVersions(random, 4 + random.below(25), 2);
      const disk = diskWith(reference, versions, { blockBytes: 64 + random.below(60) });
      const table = openSound(subject, disk);
      checkSeeks(table, versions);
      table.close();
    }
  },
};

/** A range in words. */
function rangeWords({ from, before, isReversed }: ScanRange): string {
  const low = from === undefined ? "the first key" : k(from);
  const high = before === undefined ? "behind the last" : `before ${k(before)}`;
  return `from ${low} to ${high}${isReversed === true ? ", backwards" : ""}`;
}

/** What a scan must hand out. */
function expectedOf(
  versions: readonly Version[],
  { from, before, isReversed }: ScanRange,
): Version[] {
  const inside = versions.filter(({ key }) => {
    if (from !== undefined && compareBytes(key, from) < 0) return false;
    return before === undefined || compareBytes(key, before) < 0;
  });
  return isReversed === true ? inside.reverse() : inside;
}

function checkScan(
  subject: Subject,
  table: Table,
  versions: readonly Version[],
  range: ScanRange,
): void {
  const cursor = table.cursor();
  const expected = expectedOf(versions, range);
  const scanned = orFail(
    () => [...subject.scanRange(cursor, range)],
    (error) => ({
      happened: `scanRange ${rangeWords(range)} of a sound table threw ${error}.`,
      why: "A scan ended in an error, and nothing is damaged.",
    }),
  );
  cursor.close();
  const lesson = (): Lesson => {
    const wrong = expected.findIndex((one, i) => !same(one, scanned[i]));
    const index = wrong < 0 ? expected.length : wrong;
    return {
      happened: `A scan ${rangeWords(range)} should give ${expected.length} versions, and gave ${scanned.length}. Number ${index} should be ${version(expected[index])}, and is ${version(scanned[index])}.`,
      why: "A row beyond the bound is somebody else's: a page of a list shows it twice, and a delete of the range deletes it.",
      timeline: scanned
        .slice(Math.max(0, index - 3), index + 3)
        .map((one) => `scanned ${version(one)}`),
    };
  };
  const isSame =
    scanned.length === expected.length && expected.every((one, i) => same(one, scanned[i]));
  expectThat(isSame, lesson);
}

/** A table whose blocks begin at known keys. */
function blocksOfRows(subject: Subject): {
  readonly disk: SimulatedDisk;
  readonly table: Table;
  readonly versions: readonly Version[];
  /** The first key of each block. */
  readonly firsts: readonly Bytes[];
} {
  const versions = rows(60, 10);
  const disk = diskWith(subject, versions, { blockBytes: 160 });
  const separators = dataBlocksOf(disk.content(PATH)).map(({ separator }) => separator);
  const firsts = versions
    .filter(({ key }, i) => {
      const before = versions[i - 1]?.key;
      const isLast = (last: Bytes): boolean =>
        compareBytes(last, before!) >= 0 && compareBytes(last, key) < 0;
      return before === undefined || separators.some(isLast);
    })
    .map(({ key }) => key);
  return { disk, table: openSound(subject, disk), versions, firsts };
}

const firstOfBlock: Check<Subject> = {
  name: "a scan that ends before the first key of a block does not give that key",
  kind: "mistake",
  rule: "S8",
  run(subject) {
    const { table, versions, firsts } = blocksOfRows(subject);
    for (const before of firsts) {
      for (const isReversed of [false, true]) {
        checkScan(subject, table, versions, { before, isReversed });
        checkScan(subject, table, versions, { from: rowKey(7), before, isReversed });
        checkScan(subject, table, versions, { from: before, isReversed });
      }
    }
    table.close();
  },
};

const ranges: Check<Subject> = {
  name: "every range is what the list has in it, empty and turned round ones included",
  kind: "model",
  rule: "S8",
  run(subject, { seed }) {
    for (let round = 0; round < 10; round += 1) {
      const random = seededRandom(seed * 1000 + round);
      const { table, versions } = drawTable(subject, random);
      const draw = (): Bytes => {
        const near = around(versions[random.below(versions.length)]!.key);
        return near[random.below(near.length)]!;
      };
      checkScan(subject, table, versions, {});
      for (let i = 0; i < 12; i += 1) {
        const isReversed = random.below(2) === 1;
        checkScan(subject, table, versions, { from: draw(), before: draw(), isReversed });
        checkScan(subject, table, versions, { from: draw(), isReversed });
        checkScan(subject, table, versions, { before: draw(), isReversed });
      }
      const key = draw();
      checkScan(subject, table, versions, { from: key, before: key });
      table.close();
    }
  },
};

const atNothing: Check<Subject> = {
  name: "a cursor that meets damage throws, and stands at no version afterwards",
  kind: "fault",
  rule: "S3",
  run(subject) {
    const { disk, table, firsts } = blocksOfRows(subject);
    const block = dataBlocksOf(disk.content(PATH))[2]!;
    disk.flipBit(PATH, block.offset + 9, 3);
    const damage = `A bit of the third block, at byte ${block.offset + 9}, was flipped.`;
    const cursor = table.cursor({ readAheadBytesMax: 0 });
    const moves: readonly (readonly [string, () => void])[] = [
      ["seek", () => cursor.seek(firsts[2]!)],
      ["next", () => nextFrom(cursor, firsts[2]!)],
      ["prev", () => prevFrom(cursor, firsts[3]!)],
    ];
    for (const [name, move] of moves) {
      cursor.seekFirst();
      const outcome = unlessCorrupt(name, damage, move);
      expectThat("corrupt" in outcome && !cursor.valid, () => ({
        happened: `${damage} A ${name} into that block ${"corrupt" in outcome ? "threw SSTABLE_CORRUPT" : "returned"}; the cursor stands at ${version(versionAt(cursor))}, and should stand at nothing.`,
        why: "A loop that goes on while the cursor is valid goes on with a row that is old, or from another block.",
      }));
    }
    table.close();
  },
};

/** Goes to the last version before a key, and one on. */
function nextFrom(cursor: Cursor, key: Bytes): void {
  cursor.seekBefore(key);
  cursor.next();
}

function prevFrom(cursor: Cursor, key: Bytes): void {
  cursor.seek(key);
  cursor.prev();
}

const sizes: Check<Subject> = {
  name: "approximateBytes tells the bytes of a range from the index alone",
  kind: "unit",
  rule: "S8",
  run(subject) {
    const { disk, table, versions } = blocksOfRows(subject);
    const data = handlesOf(disk.content(PATH))[0]!.offset;
    const all = table.approximateBytes(new Uint8Array(0), bytesOf("z"));
    const none = table.approximateBytes(rowKey(5), rowKey(5));
    const half = table.approximateBytes(rowKey(0), rowKey(versions.length / 2));
    const isRight =
      Math.abs(all - data) <= 16 && none === 0 && Math.abs(half - data / 2) <= data * 0.15;
    expectThat(isRight, () => ({
      happened: `A table of 60 rows has ${data} bytes of data. approximateBytes should be about ${data} for all, ${Math.round(data / 2)} for the first 30 rows, 0 for an empty range. Yours: ${all}, ${half}, ${none}.`,
      why: "Whoever divides work among threads asks this, and must not read a byte for it.",
    }));
    table.close();
  },
};

export const scanSteps: readonly Step<Subject>[] = [
  {
    id: "03.8",
    checks: [bothWays, seeks, shortSeparators, firstOfBlock, ranges, atNothing, sizes],
  },
];
