/**
 * The open tables of an engine. Method: real tables of a few keys; which files are open, and which
 * may go, after each call; random calls against a model that counts naively.
 */
import { describe, expect, test } from "vitest";
import { InvariantError, isCairnError } from "#base";
import { createTableSet, type Version } from "#lsm";
import { createSimulatedDisk } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { createBlockCache } from "#sstable";
import type { TableMeta } from "#sstable/types";
import { forEachSeed } from "../support/seeds.ts";
import { versionOf, writeTable } from "./manifest-tables.ts";

const DIR = "engine";
const encode = (text: string) => new TextEncoder().encode(text);
const path = (id: number) => `${DIR}/${String(id).padStart(6, "0")}.sst`;

/** A set over tables 1, 2 and so on, each with a key of its own number. */
function setOf(count: number, openTablesMax = 100) {
  const disk = createSimulatedDisk();
  const metas = Array.from({ length: count }, (_, i) =>
    writeTable({ disk, dir: DIR }, i + 1, [`key ${i + 1}`]),
  );
  const gone: string[] = [];
  const onObsolete = (paths: readonly string[]) => void gone.push(...paths);
  const version = versionOf(...metas);
  const cache = createBlockCache(10_000);
  const set = createTableSet({ disk, dir: DIR, cache, openTablesMax, onObsolete }, version);
  return { disk, metas, gone, version, set };
}

function valueIn(table: { get(key: Uint8Array): object }, key: string): string {
  const found = table.get(encode(key));
  return "value" in found ? new TextDecoder().decode(found.value as Uint8Array) : "nothing";
}

describe("tables are opened when asked for", () => {
  test("04.2 the same one each time, and with the values of its file", () => {
    const { set, metas } = setOf(3);
    expect(set.openTables).toBe(0);
    const table = set.get(metas[1]!);
    expect(valueIn(table, "key 2")).toBe("key 2 of 2");
    expect(set.get(metas[1]!)).toBe(table);
    expect(set.openTables).toBe(1);
    expect(set.memoryBytes).toBeGreaterThan(0);
  });

  test("04.2 no more than the limit stay open, and who was asked lately stays", () => {
    const { set, metas } = setOf(10, 3);
    const favourite = set.get(metas[0]!);
    for (let round = 0; round < 5; round += 1) {
      for (const meta of metas.slice(1)) {
        set.get(meta);
        expect(set.get(metas[0]!)).toBe(favourite);
        expect(set.openTables).toBeLessThanOrEqual(3);
      }
    }
    expect(valueIn(set.get(metas[7]!), "key 8")).toBe("key 8 of 8");
  });

  test("L4 pinned tables stay open beyond the limit, and others make room", () => {
    const { set, metas } = setOf(8, 2);
    const pinned = metas.slice(0, 4).map((meta) => set.pin(meta));
    for (const meta of metas) set.get(meta);
    for (const [i, table] of pinned.entries()) {
      expect(set.pin(metas[i]!)).toBe(table);
      expect(valueIn(table, `key ${i + 1}`)).toBe(`key ${i + 1} of ${i + 1}`);
      set.unpin(metas[i]!);
      set.unpin(metas[i]!);
    }
    for (const meta of metas.slice(4)) set.get(meta);
    expect(set.openTables).toBeLessThanOrEqual(5);
    expect(() => set.unpin(metas[7]!)).toThrow(InvariantError);
  });

  test("04.2 what reading has cost is counted, of closed tables too", () => {
    const { set, metas } = setOf(6, 1);
    for (const [i, meta] of metas.entries()) valueIn(set.get(meta), `key ${i + 1}`);
    expect(set.openTables).toBe(1);
    expect(set.reads.blocks).toBe(6);
  });

  const damages: Record<string, (disk: SimulatedDisk) => void> = {
    LSM_CORRUPT: (disk) => disk.unlink(path(2)),
    SSTABLE_CORRUPT: (disk) => disk.rename(path(1), path(2)),
  };
  test.each(Object.keys(damages))("L2 a file that is not the right one is refused: %s", (code) => {
    const { disk, set, metas } = setOf(2);
    damages[code]!(disk);
    expect(() => set.get(metas[1]!)).toThrow(path(2));
    expect(set.openTables).toBe(0);
  });

  test("L2 a sound table that is not the one of the manifest is refused", () => {
    const { disk, set, metas } = setOf(2);
    disk.unlink(path(2));
    writeTable({ disk, dir: DIR }, 2, ["key 2", "key 3"]);
    let thrown: unknown;
    try {
      set.get(metas[1]!);
    } catch (error) {
      thrown = error;
    }
    expect(isCairnError(thrown, "LSM_CORRUPT")).toBe(true);
  });
});

describe("L4 a table goes when no version in use names it", () => {
  test("L4 at once, if only the current version did, and closed", () => {
    const { set, metas, gone } = setOf(3);
    for (const meta of metas) set.get(meta);
    set.setCurrent(versionOf(metas[0]!));
    expect(gone).toEqual([path(3), path(2)]);
    expect(set.openTables).toBe(1);
    expect(() => set.get(metas[1]!)).toThrow(InvariantError);
  });

  test("L4 when the last holder of an old version has let go", () => {
    const { set, metas, gone, version } = setOf(3);
    set.retain(version);
    set.retain(version);
    const table = set.pin(metas[1]!);
    const next = versionOf(metas[0]!);
    set.setCurrent(next);
    expect(gone).toEqual([]);
    expect(valueIn(table, "key 2")).toBe("key 2 of 2");
    set.release(version);
    expect(gone).toEqual([]);
    set.unpin(metas[1]!);
    set.release(version);
    expect(gone).toEqual([path(3), path(2)]);
    expect(() => set.release(version)).toThrow(InvariantError);
    expect(() => set.retain(version)).toThrow(InvariantError);
  });

  test("L4 tables of older runs are named first, so that deletions outlive what they hide", () => {
    const { set, gone } = setOf(5);
    set.setCurrent(versionOf());
    expect(gone).toEqual([5, 4, 3, 2, 1].map(path));
  });

  test("L4 after closing, nothing is handed out any more", () => {
    const { set, metas, gone, version } = setOf(2);
    set.retain(version);
    set.pin(metas[0]!);
    set.setCurrent(versionOf());
    set.close();
    set.unpin(metas[0]!);
    set.release(version);
    expect(gone).toEqual([]);
    expect(set.openTables).toBe(0);
  });

  test("L4 random calls agree with a count of all versions", () => {
    forEachSeed(15, (_, random) => {
      const { set, metas, gone, version } = setOf(12, 1 + random.below(5));
      const held: Version[] = [];
      const went = new Set<string>();
      let current = version;
      let live: TableMeta[] = [...metas];
      for (let step = 0; step < 60; step += 1) {
        const dice = random.below(10);
        if (dice < 3 && live.length > 0) {
          live = live.filter(() => random.below(6) > 0);
          current = versionOf(...live);
          set.setCurrent(current);
        } else if (dice < 6) {
          set.retain(current);
          held.push(current);
        } else if (dice < 8 && held.length > 0) {
          set.release(held.splice(random.below(held.length), 1)[0]!);
        } else if (live.length > 0) {
          const meta = live[random.below(live.length)]!;
          expect(valueIn(set.get(meta), `key ${meta.id}`)).toBe(`key ${meta.id} of ${meta.id}`);
        }
        for (const one of gone.splice(0)) {
          expect(went.has(one), `${one} goes twice`).toBe(false);
          went.add(one);
        }
        const used = [...held, current].flatMap(({ runs }) => runs.flatMap((run) => run.tables));
        const names = new Set(used.map(({ id }) => path(id)));
        for (const { id } of metas) expect(went.has(path(id))).toBe(!names.has(path(id)));
      }
    });
  });
});
