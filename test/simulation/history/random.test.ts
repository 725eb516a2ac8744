/**
 * A thousand random histories that are right by construction hold; each of them, with one answer
 * changed so that it is certainly wrong, is violated. Method: seeded generators of registers, lists
 * and transactions; and a checker that tries every order, for histories of a few operations.
 */
import { expect, test } from "vitest";
import { seededRandom } from "#platform";
import { checkLinearizability, checkListAppend, registerModel } from "#simulation";
import { forEachSeed } from "../../support/seeds.ts";
import { anyCalls, anyShape, anyTransactions } from "./anything.ts";
import { asOperation, hasOrder, listsModel, withoutTime } from "./every-order.ts";
import { corruptedLists, LIST_CORRUPTIONS, randomLists } from "./random-lists.ts";
import { type Corruption, corrupted, randomRegisters } from "./random-registers.ts";

const CORRUPTIONS: readonly Corruption[] = [
  "never written",
  "overwritten",
  "from the future",
  "first value",
];

test("1,000 random histories of registers hold, and each made wrong is violated", () => {
  const tried = new Map<Corruption, number>();
  forEachSeed(1000, (_, random) => {
    const history = randomRegisters(random, anyShape(random));
    const report = checkLinearizability(history, registerModel);
    expect(report.kind, report.text).toBe("holds");
    for (const how of CORRUPTIONS) {
      const wrong = corrupted(random, history, how);
      if (wrong === undefined) continue;
      tried.set(how, (tried.get(how) ?? 0) + 1);
      const judged = checkLinearizability(wrong, registerModel);
      expect(judged.kind, `${how}: ${judged.text}`).toBe("violated");
      const evidence = judged.keys.flatMap((key) => key.evidence);
      const again = checkLinearizability(evidence, registerModel);
      expect(again.kind, `the evidence alone: ${judged.text}`).toBe("violated");
    }
  });
  // Every way was tried, not only the easy one.
  expect([...tried.keys()].sort()).toEqual([...CORRUPTIONS].sort());
});

test("1,000 random histories of transactions hold, and each made wrong is violated", () => {
  const tried = new Set<string>();
  forEachSeed(1000, (_, random) => {
    const history = randomLists(random, {
      clients: 1 + random.below(6),
      transactions: 5 + random.below(60),
      keys: 1 + random.below(4),
      unknownShare: random.below(2) * 0.1,
      failedShare: random.below(2) * 0.1,
    });
    for (const level of ["serializable", "strict-serializable"] as const) {
      const report = checkListAppend(history, { level });
      expect(report.kind, report.text).toBe("holds");
    }
    for (const how of LIST_CORRUPTIONS) {
      const wrong = corruptedLists(random, history, how);
      if (wrong === undefined) continue;
      tried.add(how);
      const { kind, text } = checkListAppend(wrong);
      expect(kind, `${how}: ${text}`).toBe("violated");
    }
  });
  expect([...tried].sort()).toEqual([...LIST_CORRUPTIONS].sort());
});

test("on any few operations the search says what trying every order says", () => {
  const counts = { holds: 0, violated: 0 };
  forEachSeed(6000, (_, random) => {
    const history = anyCalls(random);
    const expected = hasOrder(history, registerModel) ? "holds" : "violated";
    counts[expected] += 1;
    const { kind, text } = checkLinearizability(history, registerModel);
    expect(kind, text).toBe(expected);
  });
  const all = counts.holds + counts.violated;
  expect(Math.min(counts.holds, counts.violated)).toBeGreaterThan(all / 10);
});

test("on any few transactions the check says what trying every order says", () => {
  const counts = { holds: 0, violated: 0 };
  forEachSeed(20_000, (_, random) => {
    const history = anyTransactions(random);
    for (const level of ["serializable", "strict-serializable"] as const) {
      const asked = level === "serializable" ? history.map(withoutTime) : history;
      const expected = hasOrder(asked.map(asOperation), listsModel) ? "holds" : "violated";
      counts[expected] += 1;
      const { kind, text } = checkListAppend(history, { level });
      expect(kind, `${text}\n${JSON.stringify(history)}`).toBe(expected);
    }
  });
  const all = counts.holds + counts.violated;
  expect(Math.min(counts.holds, counts.violated)).toBeGreaterThan(all / 20);
});

test("300 operations of six clients take less than 20,000 steps", () => {
  const shape = { clients: 6, operations: 300, getShare: 0.35, casShare: 0.1 };
  for (let seed = 1; seed <= 10; seed += 1) {
    const history = randomRegisters(seededRandom(seed), shape);
    const { kind, keys } = checkLinearizability(history, registerModel);
    expect(kind).toBe("holds");
    expect(keys[0]!.steps).toBeLessThan(20_000);
  }
});
