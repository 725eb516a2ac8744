/**
 * A commit is all or nothing, and no timestamp comes twice. Method: the power fails at every disk
 * operation of a history of transfers, with flushes, compactions and collections (crash-lab.ts).
 */
import { expect, test } from "vitest";
import { openMvcc } from "#mvcc";
import { createSimulatedDisk } from "#platform";
import { scaled } from "../support/seeds.ts";
import { crashPoints, crashRun } from "./crash-lab.ts";
import { overlapPoints, overlapRun } from "./overlap-lab.ts";
import { commit, LAYOUTS, open } from "./support.ts";

test.each(LAYOUTS)(
  "06.3 %s: a power cut at every crash point",
  { timeout: 120_000 },
  async (layout) => {
    const points = await crashPoints({ openMvcc }, { layout });
    expect(points).toBeGreaterThan(100);
    for (let point = 0; point < points; point += 1) {
      for (let seed = 1; seed <= scaled(2); seed += 1) {
        try {
          await crashRun({ openMvcc }, { layout }, { point, seed });
        } catch (error) {
          throw new Error(`crash point ${point}, seed ${seed}`, { cause: error });
        }
      }
    }
  },
);

test.each(LAYOUTS)(
  "06.3 %s: a power cut at every crash point of commits that overlap",
  { timeout: 60_000 },
  async (layout) => {
    const points = await overlapPoints({ openMvcc }, { layout });
    expect(points).toBeGreaterThan(60);
    for (let point = 0; point < points; point += 1) {
      for (let seed = 1; seed <= scaled(1); seed += 1) {
        try {
          await overlapRun({ openMvcc }, { layout }, { point, seed });
        } catch (error) {
          throw new Error(`crash point ${point}, seed ${seed}`, { cause: error });
        }
      }
    }
  },
);

test("06.3 timestamps grow across restarts, also when the last commits were lost", async () => {
  const disk = createSimulatedDisk();
  let last = 0;
  let present = disk;
  for (let restart = 0; restart < 5; restart += 1) {
    const mvcc = await open(present);
    for (let i = 0; i < 3; i += 1) {
      const timestamp = await commit(mvcc, { a: String(i) });
      expect(timestamp).toBeGreaterThan(last);
      last = timestamp;
    }
    present = present.crash(restart);
  }
});

test("06.3 a directory keeps the layout that it was made with", async () => {
  const disk = createSimulatedDisk();
  const mvcc = await open(disk, { layout: "undo" });
  await commit(mvcc, { a: "1" });
  await mvcc.close();
  await expect(open(disk, { layout: "timestamped" })).rejects.toMatchObject({
    code: "MVCC_LAYOUT_MISMATCH",
    details: { made: "undo", layout: "timestamped" },
  });
  const again = await open(disk, { layout: "undo" });
  expect(again.begin().get(new TextEncoder().encode("a"))).toBeDefined();
  await again.close();
});

test("06.3 a commit that meets a full disk is refused, and the store goes on", async () => {
  const disk = createSimulatedDisk();
  const mvcc = await open(disk);
  await commit(mvcc, { a: "1" });
  disk.plan({ operation: "write", fault: "ENOSPC", after: 0, times: 1 });
  const transaction = mvcc.begin();
  transaction.put(new TextEncoder().encode("a"), new TextEncoder().encode("2"));
  await expect(transaction.commit({ sync: true })).rejects.toMatchObject({
    code: "LSM_WRITE_REFUSED",
  });
  expect(() => transaction.get(new Uint8Array(1))).toThrow(/committed already|aborted already/);
  while (mvcc.step());
  const timestamp = await commit(mvcc, { a: "3" });
  const reader = mvcc.begin();
  expect(reader.readTimestamp).toBe(timestamp);
  expect(new TextDecoder().decode(reader.get(new TextEncoder().encode("a")))).toBe("3");
  await mvcc.close();
});
