/**
 * What a crash may leave. Method: one short history, many crashes; every outcome that the crash
 * model names must be seen, and no other. Then random histories against the model's limits.
 */

import { expect, test } from "vitest";
import { createSimulatedDisk, isPowerCut, type SimulatedDisk, seededRandom } from "#platform";
import { forEachSeed, scaled } from "../support/seeds.ts";
import { text } from "./disk-contract.ts";

const SECTOR_BYTES = 512;
const CRASHES = scaled(300);

const filled = (sectors: number, byte: number): Uint8Array =>
  new Uint8Array(sectors * SECTOR_BYTES).fill(byte);

/** The different results of `look` over many crashes of one disk. */
function outcomes(disk: SimulatedDisk, look: (after: SimulatedDisk) => string): string[] {
  const seen = new Set<string>();
  for (let seed = 1; seed <= CRASHES; seed += 1) seen.add(look(disk.crash(seed)));
  return [...seen].sort();
}

/** A file's content, run by run: `a3 .2` is three a's and two zeros. */
function runs(disk: SimulatedDisk, path: string): string {
  if (!disk.exists(path)) return "missing";
  const found: { byte: number; count: number }[] = [];
  for (const byte of disk.content(path)) {
    const last = found[found.length - 1];
    if (last?.byte === byte) last.count += 1;
    else found.push({ byte, count: 1 });
  }
  const name = (byte: number): string => (byte === 0 ? "." : String.fromCharCode(byte));
  return found.map(({ byte, count }) => `${name(byte)}${count}`).join(" ");
}

/** A disk with one durable file of `sectors` sectors of "a". */
function durableFile(sectors: number): SimulatedDisk {
  const disk = createSimulatedDisk();
  const file = disk.open("f", "create-new");
  file.write(0, filled(sectors, 0x61));
  file.sync();
  file.close();
  disk.syncDir("/");
  return disk;
}

test("what was synced, by content and by name, survives every crash", () => {
  expect(outcomes(durableFile(3), (after) => runs(after, "f"))).toEqual(["a1536"]);
});

test("content that was synced is lost with a name that was not", () => {
  const disk = createSimulatedDisk();
  const file = disk.open("f", "create-new");
  file.write(0, text("aaaa"));
  file.sync();
  expect(outcomes(disk, (after) => runs(after, "f"))).toEqual(["a4", "missing"]);
});

test("an overwritten sector is old, new, or torn once, and each is seen", () => {
  const disk = durableFile(1);
  const file = disk.open("f", "read-write");
  file.write(0, filled(1, 0x62));
  const seen = outcomes(disk, (after) => runs(after, "f"));
  expect(seen).toContain("a512");
  expect(seen).toContain("b512");
  const torn = seen.filter((content) => content !== "a512" && content !== "b512");
  expect(torn.filter((content) => content.startsWith("a")).length).toBeGreaterThan(0);
  expect(torn.filter((content) => content.startsWith("b")).length).toBeGreaterThan(0);
  for (const content of torn) expect(content).toMatch(/^a\d+ b\d+$|^b\d+ a\d+$/);
});

test("sectors are kept and lost independently", () => {
  const disk = durableFile(3);
  disk.open("f", "read-write").write(0, filled(3, 0x62));
  const whole = /^[ab]{3}$/;
  const seen = outcomes(disk, (after) => {
    const content = after.content("f");
    const sectors = [0, 1, 2].map((sector) => {
      const part = content.subarray(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);
      return part.every((byte) => byte === part[0]) ? String.fromCharCode(part[0] ?? 0) : "t";
    });
    return sectors.join("");
  });
  expect(seen.filter((sectors) => whole.test(sectors))).toHaveLength(8);
});

test("growth survives with its data, without it, in part, or not at all", () => {
  const disk = durableFile(1);
  disk.open("f", "read-write").write(SECTOR_BYTES, filled(2, 0x62));
  const seen = outcomes(disk, (after) => runs(after, "f"));
  for (const content of ["a512", "a512 b1024", "a512 .1024", "a512 b512 .512", "a512 b512"]) {
    expect(seen).toContain(content);
  }
  for (const content of seen) expect(content).toMatch(/^a512( [b.]\d+)*$/);
});

test("an unsynced truncate has happened or not, and never in part", () => {
  const disk = durableFile(3);
  disk.open("f", "read-write").truncate(SECTOR_BYTES);
  expect(outcomes(disk, (after) => runs(after, "f"))).toEqual(["a1536", "a512"]);
});

test("a sector that was written twice may be left as it was in between", () => {
  const disk = durableFile(1);
  const file = disk.open("f", "read-write");
  file.write(0, filled(1, 0x62));
  file.write(0, filled(1, 0x63));
  const seen = outcomes(disk, (after) => runs(after, "f"));
  expect(seen).toEqual(expect.arrayContaining(["a512", "b512", "c512"]));
});

test("a rename is kept or lost whole, and the synced content goes with it", () => {
  const disk = durableFile(1);
  const file = disk.open("tmp", "create-new");
  file.write(0, text("new"));
  file.sync();
  disk.rename("tmp", "f");
  const look = (after: SimulatedDisk): string => `${after.list("/")}: ${runs(after, "f")}`;
  const later = disk.kill();
  expect(outcomes(disk, look)).toEqual(["f,tmp: a512", "f: a512", "f: n1 e1 w1"]);
  later.syncDir("/");
  expect(later.durable("f")).toEqual(text("new"));
  expect(outcomes(later, look)).toEqual(["f: n1 e1 w1"]);
});

test("a rename without a sync of the content may leave an empty file", () => {
  const disk = durableFile(1);
  disk.open("tmp", "create-new").write(0, text("new"));
  disk.rename("tmp", "f");
  disk.syncDir("/");
  const seen = outcomes(disk, (after) => runs(after, "f"));
  expect(seen).toEqual(expect.arrayContaining(["", ".3", "n1 e1 w1"]));
  expect(seen.some((content) => content.includes("a"))).toBe(false);
});

test("a rename into another directory needs both directories synced", () => {
  const disk = durableFile(1);
  disk.makeDir("/d");
  disk.rename("f", "d/f");
  const look = (after: SimulatedDisk): string => `${after.exists("f")} ${after.exists("d/f")}`;
  const later = disk.kill();
  expect(outcomes(disk, look)).toEqual(["false true", "true false"]);
  later.syncDir("/d");
  const last = later.kill();
  expect(outcomes(later, look)).toEqual(["false true", "true true"]);
  last.syncDir("/");
  expect(outcomes(last, look)).toEqual(["false true"]);
});

test("an unsynced unlink has happened or not, and independently of a later create", () => {
  const disk = durableFile(1);
  disk.unlink("f");
  expect(disk.durable("f")).toEqual(filled(1, 0x61));
  const later = disk.kill();
  expect(outcomes(disk, (after) => runs(after, "f"))).toEqual(["a512", "missing"]);
  const file = later.open("f", "create-new");
  file.write(0, text("bb"));
  file.sync();
  expect(outcomes(later, (after) => runs(after, "f"))).toEqual(["a512", "b2", "missing"]);
});

test("the same disk and seed give the same result, and the disk before it is dead", () => {
  const disk = durableFile(8);
  const file = disk.open("f", "read-write");
  file.write(100, filled(7, 0x62));
  const seen = new Set<string>();
  for (let seed = 1; seed <= 20; seed += 1) {
    const first = disk.crash(seed).content("f");
    expect(disk.crash(seed).content("f")).toEqual(first);
    seen.add(first.join());
  }
  expect(seen.size).toBeGreaterThan(10);
  for (const call of [() => file.sync(), () => disk.list("/"), () => disk.lock("L")]) {
    expect(call).toThrow(expect.toSatisfy(isPowerCut));
  }
});

test("after a crash everything is durable: a second crash changes nothing", () => {
  const disk = durableFile(4);
  disk.open("f", "read-write").write(0, filled(6, 0x62));
  for (let seed = 1; seed <= 50; seed += 1) {
    const after = disk.crash(seed);
    expect(after.crash(seed + 1000).content("f")).toEqual(after.content("f"));
    expect(after.operations).toBe(0);
  }
});

test("a killed process loses no write, but what was unsynced is still unsynced", () => {
  const disk = durableFile(1);
  const file = disk.open("f", "read-write");
  file.write(0, filled(1, 0x62));
  const killed = disk.kill();
  expect(runs(killed, "f")).toBe("b512");
  expect(killed.durable("f")).toEqual(filled(1, 0x61));
  expect(() => file.size()).toThrow(expect.toSatisfy(isPowerCut));
  expect(outcomes(killed, (after) => runs(after, "f"))).toContain("a512");
  const second = disk.kill();
  second.open("f", "read-write").sync();
  expect(outcomes(second, (after) => runs(after, "f"))).toEqual(["b512"]);
});

test("locks are free after a crash and after a kill, also where the file is left", () => {
  const disk = durableFile(1);
  disk.lock("LOCK");
  disk.syncDir("/");
  for (const next of [disk.kill(), disk.crash(1)]) {
    expect(next.list("/")).toContain("LOCK");
    next.lock("LOCK")();
  }
});

test("random histories never leave what was not there, nor lose what was synced", () => {
  forEachSeed(300, (seed) => {
    const random = seededRandom(seed);
    const disk = createSimulatedDisk({ seed });
    const file = disk.open("f", "create-new");
    disk.syncDir("/");
    // Every byte value at a place since the last sync, and every size: what a crash may leave.
    let allowed: Set<number>[] = [];
    let sizes = [0];
    let model: number[] = [];
    const allow = (): void => {
      for (const [at, byte] of model.entries()) {
        const bytes = allowed[at] ?? new Set([0]);
        allowed[at] = bytes.add(byte);
      }
      sizes.push(model.length);
    };
    for (let step = 0; step < 12; step += 1) {
      const choice = random.below(6);
      if (choice === 0) {
        file.sync();
        allowed = model.map((byte) => new Set([byte]));
        sizes = [model.length];
      } else if (choice === 1) {
        const size = random.below(model.length + 1);
        file.truncate(size);
        for (let at = size; at < model.length; at += 1) allowed[at]?.add(0);
        model = model.slice(0, size);
      } else {
        const offset = random.below(Math.min(model.length + 1, 2500));
        const bytes = random.bytes(1 + random.below(900));
        file.write(offset, bytes);
        for (const [index, byte] of bytes.entries()) model[offset + index] = byte;
      }
      allow();
      expect(Buffer.compare(disk.content("f"), Uint8Array.from(model))).toBe(0);
    }
    for (let crash = 0; crash < 10; crash += 1) {
      const content = disk.crash(crash).content("f");
      expect(content.length).toBeGreaterThanOrEqual(Math.min(...sizes));
      expect(content.length).toBeLessThanOrEqual(Math.max(...sizes));
      const invented = content.findIndex((byte, at) => allowed[at]?.has(byte) !== true);
      expect(invented, `byte ${invented} of crash ${crash}`).toBe(-1);
    }
  });
});
