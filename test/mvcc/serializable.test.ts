/**
 * Serializable transactions could have run one after the other. Method: random histories of eight
 * clients, whose dependency graph must have no cycle; the same histories at snapshot isolation, and
 * with mistakes planted (mistakes.test.ts), must have some, or the finder is blind.
 */
import { describe, expect, test } from "vitest";
import type { IsolationLevel, VersionLayout } from "#mvcc/types";
import { seededRandom } from "#platform";
import { scaled } from "../support/seeds.ts";
import { cycleText, dependencies, findCycle } from "./cycles.ts";
import { playHistory } from "./histories.ts";
import { b, drain, fresh, LAYOUTS, write } from "./support.ts";

/** Histories that share a store; a new one for each would take most of the time. */
const PER_STORE = 50;

async function cyclesIn(
  layout: VersionLayout,
  level: IsolationLevel,
  seeds: readonly number[],
): Promise<{ cycles: string[]; committed: number; conflicts: number }> {
  const found = { cycles: [] as string[], committed: 0, conflicts: 0 };
  const { mvcc } = await fresh({ layout });
  for (const seed of seeds) {
    const shape = { clients: 8, transactions: 24, keys: 6, level };
    const history = await playHistory(mvcc, seededRandom(seed), shape, `h${seed}`);
    drain(mvcc);
    found.committed += history.committed.length;
    found.conflicts += history.conflicts;
    const cycle = findCycle(dependencies(history.committed));
    if (cycle !== null) found.cycles.push(`seed ${seed}: ${cycleText(cycle)}`);
  }
  await mvcc.close();
  return found;
}

function seedsFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

describe("06.6 random histories of eight clients", () => {
  const batches = Array.from({ length: scaled(40) }, (_, i) => 1 + i * PER_STORE);

  test("serializable: none of 2,000 has a cycle", { timeout: 120_000 }, async () => {
    let [committed, conflicts] = [0, 0];
    for (const first of batches) {
      const found = await cyclesIn("timestamped", "serializable", seedsFrom(first, PER_STORE));
      expect(found.cycles).toEqual([]);
      committed += found.committed;
      conflicts += found.conflicts;
    }
    expect(batches.length * PER_STORE).toBe(scaled(40) * PER_STORE);
    expect(committed).toBeGreaterThan(conflicts / 4);
  });

  test.each(LAYOUTS)("serializable on %s: none has a cycle", async (layout) => {
    const found = await cyclesIn(layout, "serializable", seedsFrom(5000, PER_STORE));
    expect(found.cycles).toEqual([]);
  });

  test("snapshot isolation: many have one, so the finder sees them", async () => {
    const found = await cyclesIn("timestamped", "snapshot", seedsFrom(1, PER_STORE));
    expect(found.cycles.length).toBeGreaterThan(PER_STORE / 4);
    expect(found.cycles.every((text) => (text.match(/-rw/g) ?? []).length >= 2)).toBe(true);
  });
});

test("06.6 transactions on different keys never conflict, however many are open", async () => {
  const { mvcc } = await fresh();
  for (let round = 0; round < 50; round += 1) {
    const open = Array.from({ length: 8 }, () => mvcc.begin({ level: "serializable" }));
    for (const [place, transaction] of open.entries()) {
      const own = `client-${place}/`;
      transaction.get(b(`${own}${round}`));
      Array.from(transaction.scan({ from: b(own), before: b(`client-${place}0`) }));
      write(transaction, { [`${own}${round}`]: "1", [`${own}last`]: String(round) });
    }
    await Promise.all(open.map((transaction) => transaction.commit()));
    drain(mvcc);
  }
  expect(mvcc.stats()).toMatchObject({ commits: 400, writeConflicts: 0, readConflicts: 0 });
  await mvcc.close();
});

test("06.6 who only reads is never refused", async () => {
  const { mvcc } = await fresh();
  const reader = mvcc.begin({ level: "serializable" });
  Array.from(reader.scan());
  const writer = mvcc.begin();
  write(writer, { a: "1" });
  await writer.commit();
  expect(await reader.commit()).toBe(reader.readTimestamp);
  await mvcc.close();
});

test("06.6 a scan that stops early has read only so far", async () => {
  const { mvcc } = await fresh();
  const first = mvcc.begin();
  write(first, { a: "1", b: "1", c: "1", d: "1" });
  await first.commit();
  const open = () => mvcc.begin({ level: "serializable" });
  const [ahead, behind] = [open(), open()];
  for (const transaction of [ahead, behind]) {
    for (const [key] of transaction.scan()) if (String.fromCharCode(key[0]!) === "b") break;
    write(transaction, { z: "1" });
  }
  const other = mvcc.begin();
  write(other, { c: "2" });
  await other.commit();
  await ahead.commit();
  const another = mvcc.begin();
  write(another, { aa: "new" });
  await another.commit();
  await expect(behind.commit()).rejects.toMatchObject({ code: "MVCC_CONFLICT" });
  await mvcc.close();
});
