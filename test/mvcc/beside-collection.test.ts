/**
 * Collections beside commits: what is committed while garbage is being removed stays. Method:
 * commits begin between any two steps of a collection, on every layout.
 */
import { expect, test } from "vitest";
import type { Mvcc } from "#mvcc/types";
import type { Random } from "#platform/types";
import { runSeeds } from "../support/seeds.ts";
import { commit, content, fresh, LAYOUTS, seen, write } from "./support.ts";

type Content = Record<string, string>;

/** More than a vacuum or a purge does at once. */
const KEYS = 1200;
const keyOf = (index: number): string => `key-${String(index).padStart(4, "0")}`;

/**
 * Collects, and commits meanwhile. The first commit shares its sync with the horizon of the
 * collection, so both go on in one turn of the event loop, and further ones fall between any two
 * steps of the collection. They take keys from the end, to which it comes last. Notes in `expected`
 * what was committed.
 */
async function collectBeside(mvcc: Mvcc, random: Random, expected: Content): Promise<void> {
  let index = 0;
  const commitNext = (sync: boolean): Promise<number> => {
    const key = keyOf(KEYS - 1 - index);
    const value = random.below(4) === 0 ? null : `beside ${index}`;
    index += 1;
    const transaction = mvcc.begin();
    write(transaction, { [key]: value });
    if (value === null) delete expected[key];
    else expected[key] = value;
    return transaction.commit({ sync });
  };
  let isOver = false;
  const collecting = mvcc.collect().finally(() => {
    isOver = true;
  });
  const commits: Promise<unknown>[] = [collecting];
  while (!isOver && index < KEYS) {
    await commitNext(true);
    for (let i = 0; i < 40 && index < KEYS; i += 1) {
      commits.push(commitNext(false));
      for (let turns = random.below(4); turns > 0; turns -= 1) await null;
    }
  }
  await Promise.all(commits);
}

test.each(LAYOUTS)("06.7 %s: what is committed during a collection stays", async (layout) => {
  const name = `06.7 ${layout}: what is committed during a collection stays`;
  await runSeeds({ count: 3, name }, async (_, random) => {
    const { mvcc } = await fresh({ layout, engine: { memtableBytesMax: 1024 * 1024 } });
    const expected: Content = {};
    for (const round of ["1", "2"]) {
      for (let i = 0; i < KEYS; i += 1) expected[keyOf(i)] = round;
      await commit(mvcc, expected);
    }
    const reader = mvcc.begin();
    const before = JSON.stringify(seen(reader));
    await collectBeside(mvcc, random, expected);
    expect(content(mvcc)).toEqual(expected);
    expect(JSON.stringify(seen(reader))).toBe(before);
    reader.abort();
    const { versionsAfter } = await mvcc.collect();
    expect(versionsAfter).toBe(Object.keys(expected).length);
    expect(content(mvcc)).toEqual(expected);
    await mvcc.close();
  });
});
