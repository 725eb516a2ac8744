/**
 * A thousand random histories that are right by construction hold; each of them, with one answer
 * changed so that it is certainly wrong, is violated. Method: seeded generators of registers, lists
 * and transactions; and a checker that tries every order, for histories of a few operations.
 */
import { expect, test } from "vitest";
import { seededRandom } from "#platform";
import type { Random } from "#platform/types";
import {
  checkLinearizability,
  checkListAppend,
  type ListStep,
  type ListTransaction,
  type RegisterInput,
  type RegisterOutput,
  registerModel,
} from "#simulation";
import { forEachSeed } from "../../support/seeds.ts";
import type { RegisterCall } from "./calls.ts";
import { asOperation, hasOrder, listsModel, withoutTime } from "./every-order.ts";
import { corruptedLists, LIST_CORRUPTIONS, randomLists } from "./random-lists.ts";
import {
  type Corruption,
  corrupted,
  type RegisterShape,
  randomRegisters,
} from "./random-registers.ts";

const CORRUPTIONS: readonly Corruption[] = [
  "never written",
  "overwritten",
  "from the future",
  "first value",
];

/** Small and large, with and without losses: the seed decides. */
function shapeOf(random: Random): RegisterShape {
  const isLossy = random.below(2) === 0;
  return {
    clients: 1 + random.below(6),
    operations: 5 + random.below(80),
    keys: 1 + random.below(3),
    getShare: 0.2 + 0.4 * random.fraction(),
    casShare: 0.3 * random.fraction(),
    ...(isLossy ? { unknownShare: 0.08, failedShare: 0.05 } : {}),
  };
}

test("1,000 random histories of registers hold, and each made wrong is violated", () => {
  const tried = new Map<Corruption, number>();
  forEachSeed(1000, (_, random) => {
    const history = randomRegisters(random, shapeOf(random));
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

/** A few operations with any answers at all: right or wrong, nobody knows before. */
function anything(random: Random): RegisterCall[] {
  const count = 2 + random.below(5);
  const values = [null, 1, 2];
  const value = (): number | null => values[random.below(values.length)]!;
  return Array.from({ length: count }, (_, process) => {
    const calledAt = random.below(12);
    const isUnknown = random.below(5) === 0;
    const isFailed = !isUnknown && random.below(8) === 0;
    const inputs: readonly RegisterInput[] = [
      { kind: "get" },
      { kind: "put", value: 1 + random.below(2) },
      { kind: "cas", expected: value(), value: 1 + random.below(2) },
    ];
    const input = inputs[random.below(inputs.length)]!;
    const answers: Record<RegisterInput["kind"], RegisterOutput> = {
      get: value(),
      put: true,
      cas: random.below(2) === 0,
    };
    return {
      process,
      key: "x",
      input,
      outcome: isUnknown ? "unknown" : isFailed ? "failed" : "ok",
      output: isUnknown || isFailed ? undefined : answers[input.kind],
      calledAt,
      returnedAt: isUnknown ? Infinity : calledAt + random.below(8),
    };
  });
}

test("on any few operations the search says what trying every order says", () => {
  const counts = { holds: 0, violated: 0 };
  forEachSeed(6000, (_, random) => {
    const history = anything(random);
    const expected = hasOrder(history, registerModel) ? "holds" : "violated";
    counts[expected] += 1;
    const { kind, text } = checkLinearizability(history, registerModel);
    expect(kind, text).toBe(expected);
  });
  const all = counts.holds + counts.violated;
  expect(Math.min(counts.holds, counts.violated)).toBeGreaterThan(all / 10);
});

/** Transactions with any reads at all, most of them close to something that could have been. */
function anyTransactions(random: Random): ListTransaction[] {
  let values = 0;
  const count = 2 + random.below(4);
  const perTransaction = 1 + random.below(3);
  const list = (): number[] => {
    const all = Array.from({ length: random.below(4) }, () => 1 + random.below(4));
    return random.below(4) === 0 ? all : [...new Set(all)].sort();
  };
  return Array.from({ length: count }, (_, process): ListTransaction => {
    const draw = random.below(10);
    const outcome = draw === 0 ? "failed" : draw === 1 ? "unknown" : "ok";
    const steps = Array.from({ length: 1 + random.below(perTransaction) }, (): ListStep => {
      const key = random.below(4) === 0 ? "b" : "a";
      if (random.below(2) === 0) {
        return { kind: "read", key, values: outcome === "ok" ? list() : undefined };
      }
      values += 1;
      return { kind: "append", key, value: values };
    });
    const calledAt = random.below(12);
    const returnedAt = outcome === "unknown" ? Infinity : calledAt + random.below(8);
    return { process, outcome, steps, calledAt, returnedAt };
  });
}

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
