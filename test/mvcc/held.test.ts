/**
 * What a store holds on to, and lets go of: tables under scans that nobody finished, tables under
 * lookups, memory for conflicts while somebody is open for long. Method: files of tables are
 * counted, and memory is measured after a garbage collection of the runtime.
 */
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { openMvcc } from "#mvcc";
import type { Mvcc } from "#mvcc/types";
import type { SimulatedDisk } from "#platform/types";
import { temporaryDir } from "../support/processes.ts";
import { b, commit, DIR, drain, fresh, LAYOUTS, write } from "./support.ts";

const tableCount = (disk: SimulatedDisk): number =>
  disk.list(DIR).filter((name) => name.endsWith(".sst")).length;

/** Writes the same keys anew, so that all tables before are obsolete. @returns tables then. */
async function tablesAfterRewriting(mvcc: Mvcc, disk: SimulatedDisk): Promise<number> {
  for (let i = 0; i < 20; i += 1) await commit(mvcc, { [`key-${i}`]: "y".repeat(200) });
  await mvcc.collect();
  drain(mvcc);
  return tableCount(disk);
}

async function filled(layout: (typeof LAYOUTS)[number]) {
  const made = await fresh({ layout, engine: { cacheBytesMax: 0 } });
  for (let i = 0; i < 20; i += 1) await commit(made.mvcc, { [`key-${i}`]: "x".repeat(200) });
  await made.mvcc.collect();
  drain(made.mvcc);
  return made;
}

for (const layout of LAYOUTS) {
  test.each(["commit", "abort"] as const)(
    `06.2 ${layout}: %s lets go of what a scan held that was left in its middle`,
    async (ending) => {
      const plain = await filled(layout);
      const expected = await tablesAfterRewriting(plain.mvcc, plain.disk);
      const { mvcc, disk } = await filled(layout);
      const scans = [];
      for (const reverse of [false, true]) {
        const transaction = mvcc.begin();
        const scan = transaction.scan({ reverse });
        scan.next();
        await transaction[ending]();
        scans.push(scan);
      }
      expect(await tablesAfterRewriting(mvcc, disk)).toBe(expected);
      for (const scan of scans) expect(() => scan.next()).toThrow(/already/);
      await Promise.all([mvcc.close(), plain.mvcc.close()]);
    },
  );

  test(`06.2 ${layout}: a scan that fails lets go of what it held`, async () => {
    const plain = await filled(layout);
    const expected = await tablesAfterRewriting(plain.mvcc, plain.disk);
    const { mvcc, disk } = await filled(layout);
    const reader = mvcc.begin();
    for (const reverse of [false, true]) {
      disk.plan({ operation: "read", fault: "EIO", after: 0, times: 1, path: ".sst" });
      expect(() => Array.from(reader.scan({ reverse }))).toThrow(/input\/output error/);
    }
    reader.abort();
    expect(await tablesAfterRewriting(mvcc, disk)).toBe(expected);
    await Promise.all([mvcc.close(), plain.mvcc.close()]);
  });
}

test("06.2 a store that is only read lets go of tables that were replaced", async () => {
  const { mvcc, disk } = await fresh();
  for (let i = 0; i < 200; i += 1) await commit(mvcc, { [`key-${i}`]: "x".repeat(200) });
  const reader = mvcc.begin();
  reader.get(b("key-1"));
  drain(mvcc);
  const held = tableCount(disk);
  for (let i = 0; i < 2000; i += 1) reader.get(b(`key-${i % 200}`));
  drain(mvcc);
  expect(tableCount(disk)).toBeLessThan(held);
  await mvcc.close();
});

function usedBytes(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

test.each([
  ["writer", { level: "serializable" }],
  ["reader", { readOnly: true }],
] as const)(
  "06.4 a %s that stays open costs memory for keys written since, not for commits",
  async (_, options) => {
    // On the disk of this machine, since what a reader holds back there is no memory.
    const engine = { background: "step", memtableBytesMax: 256 * 1024, cacheBytesMax: 0 } as const;
    const mvcc = await openMvcc({ dir: join(temporaryDir(), "db"), engine });
    const overwrite = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i += 1) {
        await commit(mvcc, { [`key-${i % 50}`]: "x".repeat(16_000) });
        if (i % 20 === 0) drain(mvcc);
      }
      drain(mvcc);
    };
    await overwrite(100);
    const open = mvcc.begin(options);
    const before = usedBytes();
    await overwrite(250);
    // The values alone are 4 MB.
    expect(usedBytes() - before).toBeLessThan(2_000_000);
    expect(mvcc.stats().oldestReader?.versionsSince).toBe(250);
    open.abort();
    await mvcc.close();
  },
);

test("06.4 a conflict is found however often keys were committed again since", async () => {
  const { mvcc } = await fresh();
  const [early, reader] = [mvcc.begin(), mvcc.begin({ level: "serializable" })];
  for (const key of ["once", "often-7"]) reader.get(b(key));
  await commit(mvcc, { once: "1" });
  for (let i = 0; i < 4000; i += 1) await commit(mvcc, { [`often-${i % 5}`]: String(i) });
  write(early, { once: "2" });
  await expect(early.commit()).rejects.toMatchObject({ details: { rule: "T4" } });
  write(reader, { mine: "1" });
  await expect(reader.commit()).rejects.toMatchObject({ details: { key: "6f6e6365", rule: "T5" } });
  const late = mvcc.begin({ level: "serializable" });
  Array.from(late.scan());
  write(late, { once: "3" });
  await late.commit();
  await mvcc.close();
});
