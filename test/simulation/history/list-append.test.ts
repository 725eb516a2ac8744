/**
 * Verdicts on histories of transactions that a person has judged before, what a violation says, and
 * the time for a large history. Method: each known history at both levels; the text of one cycle,
 * word for word.
 */
import { describe, expect, test } from "vitest";
import { seededRandom } from "#platform";
import { checkListAppend, type ListTransaction } from "#simulation";
import { transaction } from "./calls.ts";
import { knownTransactions } from "./known-lists.ts";
import { randomLists } from "./random-lists.ts";

describe("strict serializable", () => {
  test.each(knownTransactions)("$name: $rules", ({ rules, history }) => {
    const { kind, violations, text } = checkListAppend(history);
    expect(violations.map(({ rule }) => rule).sort(), text).toEqual([...rules].sort());
    expect(kind).toBe(rules.length === 0 ? "holds" : "violated");
  });
});

describe("serializable", () => {
  test.each(knownTransactions)("$name", ({ rules, withoutTime = rules, history }) => {
    const { violations, text } = checkListAppend(history, { level: "serializable" });
    expect(violations.map(({ rule }) => rule).sort(), text).toEqual([...withoutTime].sort());
  });
});

test("a cycle comes with the reason for each step and with the transactions", () => {
  const history: ListTransaction[] = [
    { ...transaction("a= b+1", [1, 4]), process: 1 },
    { ...transaction("b= a+2", [2, 3]), process: 2, note: "node 3" },
    { ...transaction("a=2 b=1", [5, 6]), process: 3 },
  ];
  const { text, cycle } = checkListAppend(history);
  expect(text.split("\n")).toEqual([
    "NOT strict serializable: 1 violation in 3 transactions",
    "  G2: a cycle: T1 -rw-> T0 -rw-> T1",
    "    T1 -rw-> T0: T1 (client 2, node 3) reads b [], without 1 of T0 (client 1)",
    "    T0 -rw-> T1: T0 (client 1) reads a [], without 2 of T1 (client 2, node 3)",
    "    T1 (client 2, node 3): read b []; append a 2",
    "    T0 (client 1): read a []; append b 1",
  ]);
  expect(cycle.map(({ kind, from, to }) => [kind, from, to])).toEqual([
    ["rw", 1, 0],
    ["rw", 0, 1],
  ]);
});

test("every cycle is closed, and each of its steps is a dependency of another pair", () => {
  for (const { name, history } of knownTransactions) {
    const { cycle } = checkListAppend(history);
    for (const [at, { from, to }] of cycle.entries()) {
      expect(to, name).toBe(cycle[(at + 1) % cycle.length]!.from);
      expect(from, name).not.toBe(to);
    }
  }
});

test("ten thousand transactions are judged, and one stale read among them is found", () => {
  const shape = { clients: 8, transactions: 10_000, keys: 400, unknownShare: 0, failedShare: 0 };
  const history = randomLists(seededRandom(1), shape);
  const report = checkListAppend(history);
  expect(report.kind, report.text).toBe("holds");
  const last = history.at(-1)!;
  const [first, ...rest] = last.steps;
  if (first?.kind !== "read" || first.values === undefined) throw new Error("not a read");
  const stale = { ...last, steps: [{ ...first, values: first.values.slice(0, -1) }, ...rest] };
  const wrong = checkListAppend([...history.slice(0, -1), stale]);
  expect(wrong.violations.map(({ rule }) => rule)).toEqual(["G-single"]);
  expect(wrong.cycle.length).toBeLessThan(6);
});

test("nonsense is refused", () => {
  const twice = [transaction("a+1", [1, 2]), transaction("a+1", [3, 4])];
  expect(() => checkListAppend(twice)).toThrow(/1 is appended to a more than once/);
  const silent = [{ ...transaction("a=1", [1, 2], "failed"), outcome: "ok" as const }];
  expect(() => checkListAppend(silent)).toThrow(/T0 is ok, and its read of a has no values/);
  expect(() => checkListAppend([transaction("a+1", [3, 2])])).toThrow(RangeError);
  const endless = { ...transaction("a+1", [3, 4]), returnedAt: Infinity };
  expect(() => checkListAppend([endless])).toThrow(RangeError);
});
