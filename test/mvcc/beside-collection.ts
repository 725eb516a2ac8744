/**
 * A collection, and commits between any two steps of it. Support for the tests.
 */
import type { Mvcc, VersionLayout } from "#mvcc/types";
import { seededRandom } from "#platform";
import type { Random } from "#platform/types";
import { Difference } from "./model-run.ts";
import { commit, content, fresh, type Subject, seen, write } from "./support.ts";

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

/** What is committed meanwhile stays, and so does what a reader sees. @throws Difference */
export async function commitBesideCollection(
  subject: Subject,
  layout: VersionLayout,
  seed: number,
): Promise<void> {
  const engine = { memtableBytesMax: 1024 * 1024 };
  const { mvcc } = await fresh({ layout, engine }, subject);
  const expected: Content = {};
  for (const round of ["1", "2"]) {
    for (let i = 0; i < KEYS; i += 1) expected[keyOf(i)] = round;
    await commit(mvcc, expected);
  }
  const reader = mvcc.begin();
  const before = seen(reader);
  await collectBeside(mvcc, seededRandom(seed), expected);
  compare(content(mvcc), expected);
  compare(seen(reader), before);
  reader.abort();
  const { versionsAfter } = await mvcc.collect();
  compare(content(mvcc), expected);
  const keys = Object.keys(expected).length;
  if (versionsAfter !== keys) throw new Difference(`T6: ${versionsAfter} versions of ${keys} keys`);
  await mvcc.close();
}

function compare(found: Content, expected: Content): void {
  for (const key of new Set([...Object.keys(found), ...Object.keys(expected)])) {
    if (found[key] === expected[key]) continue;
    throw new Difference(`T2: ${key} is ${found[key]}, not ${expected[key]}`);
  }
}
