/**
 * Flush and compaction in a worker thread. Method: real threads and a real directory, waited for
 * with `idle` and `flush`.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { createWriteBatch, openEngine } from "#lsm";
import type { Engine, EngineOptions } from "#lsm/types";
import { b, contentOf, filler, s } from "./engine-support.ts";

const ROOT = mkdtempSync(join(tmpdir(), "cairn-lsm-"));
afterAll(() => rmSync(ROOT, { recursive: true, force: true }));

let made = 0;
const freshDir = (): string => {
  made += 1;
  return join(ROOT, `engine-${made}`);
};

const KIB = 1024;
const SMALL = { memtableBytesMax: 64 * KIB, tableBytesMax: 32 * KIB, levelZeroCompactRuns: 2 };
const open = (dir: string, options: Partial<EngineOptions> = {}): Engine =>
  openEngine({ dir, ...SMALL, ...options });

async function load(engine: Engine, rounds: number): Promise<void> {
  const batch = createWriteBatch();
  for (let round = 0; round < rounds; round += 1) {
    batch.clear();
    for (let i = 0; i < 200; i += 1) batch.put(b(`key${round % 10}-${i}`), filler(100, round));
    await engine.write(batch);
  }
}

test("a worker flushes and compacts, and everything is there afterwards", async () => {
  const dir = freshDir();
  const engine = open(dir);
  await load(engine, 40);
  await engine.flush();
  await engine.idle();
  const stats = engine.stats();
  expect(stats.background).toMatchObject({ failures: 0, failure: null });
  expect(stats.background.flushes).toBeGreaterThan(3);
  expect(stats.background.compactions).toBeGreaterThan(0);
  expect(engine.step()).toBe(false);
  expect(engine.verify().problems).toEqual([]);
  const content = contentOf(engine);
  expect(Object.keys(content)).toHaveLength(2000);
  await engine.close();
  const again = open(dir);
  expect(contentOf(again)).toEqual(content);
  await again.close();
});

test("a memtable that cannot be shared is written out by the caller's thread", async () => {
  for (const memtableStructure of ["map", "array", "skiplist", "btree"] as const) {
    const engine = open(freshDir(), { memtableStructure });
    await load(engine, 8);
    await engine.compact();
    expect(engine.stats().background).toMatchObject({ failures: 0 });
    expect(Object.keys(contentOf(engine))).toHaveLength(1600);
    await engine.close();
  }
});

test("writers wait for the worker, and go on by themselves", async () => {
  const engine = open(freshDir(), { memtableBytesMax: 16 * KIB, frozenMemtablesMax: 1 });
  const writes: Promise<void>[] = [];
  for (let i = 0; i < 2000; i += 1) writes.push(engine.put(b(`key${i}`), filler(100)));
  await Promise.all(writes);
  expect(engine.sequence).toBe(2000);
  await load(engine, 20);
  await engine.idle();
  expect(engine.stats().stalls.reason).toBeNull();
  await engine.close();
});

test("a large memtable is flushed by close, so that opening has nothing to read", async () => {
  const dir = freshDir();
  const engine = open(dir, { memtableBytesMax: 64 * KIB * KIB });
  for (let i = 0; i < 30; i += 1) await engine.put(b(`key${i}`), filler(100_000));
  await engine.close();
  const again = open(dir);
  expect(again.report).toMatchObject({ replayedGroups: 0, tables: 1 });
  expect(again.stats().logBytes).toBeLessThan(KIB);
  expect(again.get(b("key29"))).toHaveLength(100_000);
  await again.put(b("more"), b("x"));
  await again.close();
  const last = open(dir);
  expect(s(last.get(b("more")))).toBe("x");
  await last.close();
});

test("close ends a compaction under way, and leaves nothing behind that counts", async () => {
  const dir = freshDir();
  const engine = open(dir);
  await load(engine, 30);
  const compacted = engine.compact().catch((error: unknown) => error);
  await engine.close();
  const outcome = await compacted;
  if (outcome !== undefined) expect(outcome).toMatchObject({ code: "LSM_CLOSED" });
  const again = open(dir);
  expect(again.verify().problems).toEqual([]);
  const tables = readdirSync(dir).filter((name) => name.includes(".sst"));
  expect(tables).toHaveLength(again.verify().tables);
  await again.close();
});

test("engines after each other and beside each other each get their own work done", async () => {
  const [first, second] = [freshDir(), freshDir()];
  for (let round = 1; round <= 3; round += 1) {
    const engines = [open(first), open(second)];
    await Promise.all(engines.map((engine) => load(engine, 10 * round)));
    await Promise.all(engines.map((engine) => engine.compact()));
    const contents = engines.map(contentOf);
    await Promise.all(engines.map((engine) => engine.close()));
    for (const [i, dir] of [first, second].entries()) {
      const again = open(dir);
      expect(again.report.removedFiles).toEqual([]);
      expect(contentOf(again)).toEqual(contents[i]);
      await again.close();
    }
  }
});

test.each(["idle", "closed"])("an engine that is %s does not keep the process alive", (how) => {
  const script = `
    const { openEngine } = await import("#lsm");
    const engine = openEngine({ dir: ${JSON.stringify(freshDir())}, memtableBytesMax: 20000 });
    for (let i = 0; i < 500; i += 1) await engine.put(Buffer.from("key" + i), Buffer.alloc(100));
    await engine.idle();
    console.log(engine.stats().background.flushes > 0);
    if ("${how}" === "closed") await engine.close();
  `;
  const cwd = fileURLToPath(new URL("../../", import.meta.url));
  const args = ["--conditions=source", "--import", "tsx", "--input-type=module", "--eval", script];
  const output = execFileSync(process.execPath, args, { cwd, timeout: 15_000 });
  expect(output.toString().trim()).toBe("true");
});

test("a flush that fails is told, and is tried again by itself until it works", async () => {
  const dir = freshDir();
  const engine = open(dir);
  await load(engine, 3);
  await engine.flush();
  await engine.idle();
  const used = readdirSync(dir).map((name) => Number(/\d{6}/.exec(name)?.[0] ?? 0));
  // Directories where the next tables are to be written.
  for (let number = 1; number <= 3; number += 1) {
    mkdirSync(join(dir, `${String(Math.max(...used) + number).padStart(6, "0")}.sst.tmp`));
  }
  await engine.put(b("last"), b("x"));
  await expect(engine.flush()).rejects.toMatchObject({ code: expect.stringMatching(/^DISK_/) });
  expect(engine.stats().background.failure).not.toBeNull();
  expect(s(engine.get(b("last")))).toBe("x");
  await engine.put(b("more"), b("y"));
  await expect.poll(() => engine.stats().background.failure, { timeout: 10_000 }).toBeNull();
  await engine.idle();
  expect(engine.stats().frozenMemtables).toBe(0);
  await engine.close();
});
