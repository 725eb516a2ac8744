/**
 * Repair of damaged engines. Method: an engine with tables on several levels and a log is damaged
 * in one way, repaired, opened, and compared with what was written; a dry run in front of it must
 * say the same and change nothing.
 */
import { describe, expect, test } from "vitest";
import { isCairnError } from "#base";
import { createWriteBatch, openEngine, repairEngine } from "#lsm";
import { createSimulatedClock, createSimulatedDisk, isPowerCut } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { forEachSeed } from "../support/seeds.ts";
import { DIR, filesOf, isLogFile, isTableFile } from "./directory.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const OPTIONS = {
  ...({ dir: DIR, background: "step" } as const),
  ...{ memtableBytesMax: 100_000, tableBytesMax: 900 },
  ...{ blockBytes: 200, levelZeroCompactRuns: 100, levelZeroSlowdownRuns: 100 },
  levelZeroStopRuns: 100,
};

type Content = Map<string, string>;

interface Built {
  readonly disk: SimulatedDisk;
  readonly content: Content;
}

function open(disk: SimulatedDisk) {
  return openEngine({ ...OPTIONS, disk, clock: createSimulatedClock() });
}

/** Three generations of values on three levels, deletions, and a log with more. */
async function build(): Promise<Built> {
  const disk = createSimulatedDisk();
  const engine = open(disk);
  const content: Content = new Map();
  const write = async (generation: number, keys: readonly number[]) => {
    const batch = createWriteBatch();
    for (const number of keys) {
      const key = `key ${100 + number}`;
      // Each third of the later writes is a deletion.
      if (generation > 1 && number % 3 === 0) {
        batch.delete(encode(key));
        content.delete(key);
      } else {
        const value = `generation ${generation} of ${number} ${"x".repeat(20)}`;
        batch.put(encode(key), encode(value));
        content.set(key, value);
      }
    }
    await engine.write(batch, { sync: true });
  };
  const numbers = (from: number, before: number, step: number) =>
    Array.from({ length: Math.ceil((before - from) / step) }, (_, i) => from + i * step);
  await write(1, numbers(0, 60, 1));
  await pumped(engine, engine.flush());
  await pumped(engine, engine.compact());
  await write(2, numbers(0, 60, 4));
  await pumped(engine, engine.flush());
  await write(3, numbers(10, 40, 5));
  await pumped(engine, engine.flush());
  await write(4, numbers(0, 60, 7));
  const log = disk.kill();
  return { disk: log, content };
}

/** Does the background's work until a promise is settled. */
async function pumped(engine: { step(): boolean }, promise: Promise<void>): Promise<void> {
  let isSettled = false;
  const settled = promise.finally(() => {
    isSettled = true;
  });
  while (!isSettled) {
    engine.step();
    await Promise.resolve();
  }
  await settled;
}

function contentOf(disk: SimulatedDisk): Content {
  const engine = open(disk);
  const content: Content = new Map();
  const iterator = engine.iterator();
  while (iterator.next()) content.set(decode(iterator.key), decode(iterator.value));
  iterator.close();
  expect(engine.verify().problems).toEqual([]);
  return content;
}

/** Files and their contents, and how many operations there were. */
function imageOf(disk: SimulatedDisk): object {
  const paths = filesOf(disk).filter((path) => !/LOCK$|lost\/(?:log|manifest)/.test(path));
  const files = paths.map((path) => [path, Buffer.from(disk.content(path)).toString("hex")]);
  return { files, operations: disk.operations };
}

/** Repairs a copy: a dry run first, which must change nothing and say the same. */
function repaired(disk: SimulatedDisk) {
  const before = imageOf(disk);
  const said = repairEngine({ disk, dir: DIR, dryRun: true });
  expect(imageOf(disk), "a dry run changes nothing").toEqual(before);
  const report = repairEngine({ disk, dir: DIR, dryRun: false });
  expect({ ...said, dryRun: false }).toEqual(report);
  return report;
}

function tablesOf(disk: SimulatedDisk): string[] {
  return filesOf(disk).filter((path) => isTableFile(path) && !path.includes("/lost/"));
}

function flip(disk: SimulatedDisk, path: string, offset: number): void {
  disk.flipBit(path, offset < 0 ? disk.content(path).length + offset : offset, 3);
}

const built = await build();
const builtTables = tablesOf(built.disk.kill());

function damaged(damage: (disk: SimulatedDisk) => void): SimulatedDisk {
  const copy = built.disk.kill();
  damage(copy);
  return copy.kill();
}

function differences(found: Content, expected: Content): string[] {
  const keys = new Set([...found.keys(), ...expected.keys()]);
  return [...keys].filter((key) => found.get(key) !== expected.get(key)).sort();
}

describe("with a sound manifest", () => {
  test("an engine without damage is left as it is", () => {
    const disk = damaged(() => {});
    const before = imageOf(disk);
    const report = repaired(disk);
    expect(imageOf(disk)).toEqual(before);
    expect(report).toMatchObject({ tablesRebuilt: 0, lost: [] });
    expect(contentOf(disk)).toEqual(built.content);
  });

  test("a table with a damaged block loses only what was in the block", () => {
    for (const path of builtTables) {
      const disk = damaged((copy) => flip(copy, path, 10));
      const report = repaired(disk);
      expect(report.tablesRebuilt, path).toBe(1);
      expect(report.lost.join("\n"), path).toMatch(/block of \d+ bytes at 0: .* the beginning/);
      expect(differences(contentOf(disk), built.content).length, path).toBeLessThan(8);
      expect(disk.exists(path.replace(DIR, `${DIR}/lost`)), "it is kept in lost/").toBe(true);
    }
  });

  test("a table whose filter is damaged loses nothing", () => {
    // The last part but three; its place is between the data and the properties.
    for (const path of builtTables) {
      let isFound = false;
      for (let back = 100; back < 300 && !isFound; back += 8) {
        const disk = damaged((copy) => flip(copy, path, -back));
        const report = repaired(disk);
        isFound = report.tablesRebuilt === 1 && report.lost.length === 0;
        if (isFound) expect(contentOf(disk)).toEqual(built.content);
      }
      expect(isFound, path).toBe(true);
    }
  });

  test("a missing table is named with its keys, and the rest goes on", () => {
    for (const path of builtTables) {
      const disk = damaged((copy) => {
        copy.unlink(path);
        copy.syncDir(DIR);
      });
      expect(() => open(disk)).toThrow(/LSM_CORRUPT|missing/);
      const report = repaired(disk);
      expect(report.lost.join("\n")).toMatch(/entries between "key \d+" and "key \d+"/);
      contentOf(disk);
    }
  });
});

describe("without a manifest that can be trusted", () => {
  const everyWay: Record<string, (disk: SimulatedDisk) => void> = {
    "CURRENT is damaged": (disk) => flip(disk, `${DIR}/CURRENT`, 18),
    "CURRENT is missing": (disk) => disk.unlink(`${DIR}/CURRENT`),
    "the manifest is damaged": (disk) => flip(disk, manifestFile(disk), 40),
    "the manifest is missing": (disk) => disk.unlink(manifestFile(disk)),
    "both are missing": (disk) => {
      disk.unlink(`${DIR}/CURRENT`);
      disk.unlink(manifestFile(disk));
    },
  };

  test.each(Object.keys(everyWay))("nothing is lost when %s", (way) => {
    const disk = damaged(everyWay[way]!);
    expect(() => open(disk)).toThrow();
    const report = repaired(disk);
    expect(report.lost).toEqual([]);
    // What is repaired needs no repair.
    expect(repaired(disk)).toMatchObject({ tablesRebuilt: 0, lost: [] });
    expect(contentOf(disk)).toEqual(built.content);
  });

  test("a damaged block is passed over as well", () => {
    for (const path of builtTables) {
      const disk = damaged((copy) => {
        copy.unlink(manifestFile(copy));
        flip(copy, path, 10);
      });
      const report = repaired(disk);
      expect(report.tablesRebuilt, path).toBe(1);
      expect(report.lost.length).toBeGreaterThan(0);
      expect(differences(contentOf(disk), built.content).length, path).toBeLessThan(8);
    }
  });

  test("a flush whose edit has rotted is replayed from the log", () => {
    const disk = damaged((copy) => flip(copy, manifestFile(copy), -3));
    expect(repaired(disk).lost).toEqual([]);
    expect(contentOf(disk)).toEqual(built.content);
  });

  test("a manifest whose last compaction has rotted away is not believed", async () => {
    const disk = built.disk.kill();
    const engine = open(disk);
    await pumped(engine, engine.compact());
    const copy = disk.kill();
    // The inputs are gone; the manifest, read as far as it goes, still names them.
    flip(copy, manifestFile(copy), -3);
    const rotten = copy.kill();
    expect(() => open(rotten)).toThrow(/missing/);
    const report = repaired(rotten);
    expect(report.findings.join("\n")).toMatch(/of which it knows nothing/);
    expect(contentOf(rotten)).toEqual(built.content);
  });
});

describe("the log", () => {
  test("what stands before a damaged record is kept, what is behind it is told", async () => {
    const disk = built.disk.kill();
    const engine = open(disk);
    for (const text of ["one", "two", "three"]) {
      await engine.put(encode(`late ${text}`), encode(text), { sync: true });
    }
    const log = filesOf(disk).find(isLogFile)!;
    const content = Buffer.from(disk.content(log));
    const killed = disk.kill();
    flip(killed, log, content.indexOf("late two"));
    const rotten = killed.kill();
    expect(() => open(rotten)).toThrow(/WAL|record/);
    const report = repaired(rotten);
    expect(report.lost.join("\n")).toMatch(/what comes behind it/);
    const expected = new Map([...built.content, ["late one", "one"]]);
    expect(contentOf(rotten)).toEqual(expected);
  });

  test("a log that is missing is told, and the tables go on", () => {
    const disk = damaged((copy) => {
      for (const path of filesOf(copy).filter(isLogFile)) copy.unlink(path);
    });
    expect(() => open(disk)).toThrow(/missing/);
    repaired(disk);
    contentOf(disk);
  });
});

test("a power cut at any point of a repair leaves what a second one repairs", () => {
  const ways = [
    (disk: SimulatedDisk) => disk.unlink(manifestFile(disk)),
    (disk: SimulatedDisk) => flip(disk, tablesOf(disk)[0]!, -150),
  ];
  for (const way of ways) {
    const whole = damaged(way);
    const from = whole.operations;
    repairEngine({ disk: whole, dir: DIR, dryRun: false });
    const points = whole.operations - from;
    const expected = contentOf(whole);
    for (let point = 0; point < points; point += 1) {
      const disk = damaged(way);
      disk.cutPowerAt(disk.operations + point);
      expect(isPowerCut(thrownBy(() => repairEngine({ disk, dir: DIR, dryRun: false })))).toBe(
        true,
      );
      forEachSeed(3, (seed) => {
        const crashed = disk.crash(seed);
        repairEngine({ disk: crashed, dir: DIR, dryRun: false });
        expect(contentOf(crashed), `crash point ${point}`).toEqual(expected);
      });
    }
  }
});

test("a directory in use is refused, and so is one that holds no engine", () => {
  const disk = damaged(() => {});
  open(disk);
  const refused = thrownBy(() => repairEngine({ disk, dir: DIR, dryRun: true }));
  expect(isCairnError(refused, "DISK_LOCKED")).toBe(true);
  const empty = createSimulatedDisk();
  for (const dir of ["nothing", DIR]) {
    empty.makeDir(DIR);
    const thrown = thrownBy(() => repairEngine({ disk: empty, dir, dryRun: false }));
    expect(isCairnError(thrown, "LSM_NOT_FOUND")).toBe(true);
  }
});

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return null;
}

function manifestFile(disk: SimulatedDisk): string {
  return filesOf(disk).find((path) => path.startsWith(`${DIR}/manifest-`))!;
}
