/**
 * Checks that compactions change nothing for any reader, for the store itself and for those with a
 * mistake. Support for the tests.
 *
 * One store is driven by hand, so that versions of one key come to lie in different levels.
 */
import type { EngineOptions } from "#lsm/types";
import type { Mvcc, Transaction } from "#mvcc/types";
import { seededRandom } from "#platform";
import { Difference } from "./model-run.ts";
import { commit, content, fresh, type Subject, seen, worked, write } from "./support.ts";

type Picker = Exclude<NonNullable<EngineOptions["picker"]>, string>;

/** What each open reader saw when it began. */
type Expected = Map<Transaction, string>;

/** Works by hand, and compares what every reader sees before and after each unit. */
function drainWatched(mvcc: Mvcc, readers: Expected): void {
  while (mvcc.step()) {
    for (const [reader, expected] of readers) {
      const found = JSON.stringify(seen(reader));
      if (found !== expected) {
        throw new Difference(`T6: ${reader.label} saw ${expected}, and then ${found}`);
      }
    }
  }
}

/** Random commits, readers that come and go, flushes, compactions. @throws Difference */
export async function watchedWork(subject: Subject, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const { mvcc, clock } = await fresh({}, subject);
  const readers: Expected = new Map();
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
}

/**
 * Versions of one key are different keys of the engine, and may be taken down in any order: a
 * deletion below the value that it hides must go on hiding it. @throws Difference
 */
export async function deletionsInLevels(subject: Subject, seed: number): Promise<void> {
  const random = seededRandom(seed);
  const { mvcc, clock } = await fresh({ engine: { levelRatio: 2 } }, subject);
  for (let i = 0; i < 40; i += 1) {
    const size = 400 + random.below(900);
    await commit(mvcc, { [`key-${random.below(6)}`]: "x".repeat(size) });
    if (random.below(3) === 0) await commit(mvcc, { [`key-${random.below(6)}`]: null });
    if (random.below(4) === 0) while (random.below(3) > 0 && mvcc.step());
    clock.advance(600);
  }
  const keys = Array.from({ length: 6 }, (_, i) => `key-${i}`);
  for (const key of keys) await commit(mvcc, { [key]: null });
  clock.advance(1100);
  await commit(mvcc, { other: "1" });
  do {
    const reader = mvcc.begin();
    const all = seen(reader);
    const back = keys.filter((key) => key in all);
    reader.abort();
    if (back.length > 0) throw new Difference(`T6: ${back.join(", ")}: deleted, and back`);
  } while (mvcc.step());
  await mvcc.close();
}

/** Which plan is due next in {@link deletionBelow}. */
type Stage = "wait" | "take down" | "rewrite";

/**
 * The deletion is taken to level 1, below the value in level 0, and is then written anew there: it
 * must stay, though no older table holds anything. @throws Difference
 */
export async function deletionBelow(subject: Subject): Promise<void> {
  let stage: Stage = "wait";
  const picker: Picker = {
    name: "by hand",
    pick(version) {
      const run = version.runs.find(({ level }) => level === (stage === "take down" ? 0 : 1));
      if (stage === "wait" || run === undefined) return null;
      const { level, number, tables } = run;
      const outputRun = stage === "rewrite" ? number : null;
      stage = "wait";
      const inputs = [{ level, run: number, tables }];
      return { reason: "by hand", inputs, outputLevel: 1, outputRun };
    },
  };
  const { mvcc, clock } = await fresh({ engine: { picker, levelZeroCompactRuns: 2 } }, subject);
  const padding = "x".repeat(5000);
  // What the store keeps for itself goes down first, out of the way of the two tables.
  await mvcc.collect();
  await commit(mvcc, { k: padding });
  while (mvcc.step());
  await commit(mvcc, { k: null });
  await commit(mvcc, { jj: padding });
  while (mvcc.step());
  clock.advance(1100);
  await commit(mvcc, { a: "after" });
  // Behind this one, the horizon that the one before has set off is durable, and in force.
  const behind = mvcc.begin();
  write(behind, { a: "later" });
  await worked(mvcc, behind.commit({ sync: true }));
  for (const next of ["take down", "rewrite"] as const) {
    stage = next;
    while (mvcc.step());
    if (content(mvcc)["k"] !== undefined) throw new Difference(`T6: back after: ${next}`);
  }
  await mvcc.close();
}
