/**
 * Compactions leave out versions, and no reader can tell. Method: one engine is driven by hand, so
 * that versions of one key come to lie in different levels; a commit is looked at through every
 * reader before and after each unit of background work.
 */
import { expect, test } from "vitest";
import type { Mvcc, Transaction } from "#mvcc/types";
import { seededRandom } from "#platform";
import { runSeeds } from "../support/seeds.ts";
import { b, commit, fresh, seen, worked, write } from "./support.ts";

/** Works by hand, and compares what every reader sees before and after each unit. */
function drainWatched(mvcc: Mvcc, readers: ReadonlyMap<Transaction, string>): void {
  while (mvcc.step()) {
    for (const [reader, expected] of readers) {
      expect(JSON.stringify(seen(reader)), `T6: ${reader.label}`).toBe(expected);
    }
  }
}

test("06.8 no unit of background work changes what a reader sees", async () => {
  await runSeeds(
    { count: 12, name: "06.8 no unit of background work changes what a reader sees" },
    async (_, random) => {
      const { mvcc, clock } = await fresh();
      const readers = new Map<Transaction, string>();
      for (let i = 0; i < 250; i += 1) {
        const transaction = mvcc.begin();
        for (let keys = random.below(4); keys >= 0; keys -= 1) {
          const key = `key-${String(random.below(30)).padStart(2, "0")}`;
          const value = random.below(4) === 0 ? null : `${i}`.padEnd(random.below(150), ".");
          write(transaction, { [key]: value });
        }
        await worked(mvcc, transaction.commit());
        if (random.below(25) === 0) {
          const reader = mvcc.begin();
          readers.set(reader, JSON.stringify(seen(reader)));
        }
        const [oldest] = readers.keys();
        if (oldest !== undefined && random.below(30) === 0) {
          readers.delete(oldest);
          oldest.abort();
        }
        clock.advance(random.below(500));
        if (random.below(10) === 0) drainWatched(mvcc, readers);
        if (random.below(60) === 0) await mvcc.collect();
      }
      drainWatched(mvcc, readers);
      await mvcc.close();
    },
  );
});

test("06.8 a deletion in a lower level than the value that it hides keeps hiding it", async () => {
  // Versions of one key are different keys of the engine, and may be taken down in any order.
  for (let seed = 1; seed <= 30; seed += 1) {
    const random = seededRandom(seed);
    const { mvcc, clock } = await fresh({ engine: { levelRatio: 2 } });
    for (let i = 0; i < 40; i += 1) {
      await commit(mvcc, { [`key-${random.below(6)}`]: "x".repeat(400 + random.below(900)) });
      if (random.below(3) === 0) await commit(mvcc, { [`key-${random.below(6)}`]: null });
      if (random.below(4) === 0) while (random.below(3) > 0 && mvcc.step());
      clock.advance(600);
    }
    const keys = Array.from({ length: 6 }, (_, i) => `key-${i}`);
    for (const key of keys) await commit(mvcc, { [key]: null });
    while (mvcc.step()) {
      for (const key of keys)
        expect(mvcc.begin().get(b(key)), `seed ${seed}: ${key}`).toBeUndefined();
    }
    await mvcc.close();
  }
});
