/**
 * Reads of all accounts: one total. Method: a right read, and each way in which one can be wrong.
 */
import { expect, test } from "vitest";
import { type BankRead, checkBank } from "#simulation";
import { forEachSeed } from "../../support/seeds.ts";

const accounts = ["a", "b", "c"];
const rules = { accounts, total: 100, balanceMin: 0 };

const read = (balances: Record<string, number>, note?: string): BankRead => ({
  process: 4,
  balances: new Map(Object.entries(balances)),
  ...(note === undefined ? {} : { note }),
});

test("money that only moves is no violation", () => {
  forEachSeed(200, (_, random) => {
    const balances: Record<string, number> = { a: 100, b: 0, c: 0 };
    const reads: BankRead[] = [];
    for (let transfer = 0; transfer < 20; transfer += 1) {
      const from = accounts[random.below(3)]!;
      const to = accounts[random.below(3)]!;
      const amount = random.below(balances[from]! + 1);
      balances[from]! -= amount;
      balances[to]! += amount;
      reads.push(read(balances));
    }
    expect(checkBank(reads, rules)).toEqual([]);
  });
});

test("half of a transfer changes the total", () => {
  const right = read({ a: 50, b: 50, c: 0 });
  const half = read({ a: 40, b: 50, c: 0 }, "t=7");
  expect(checkBank([right, half], rules)).toEqual([
    {
      rule: "bank total",
      text: "client 4 (t=7) reads a total of 90, not 100: a 40, b 50, c 0",
    },
  ]);
});

test("an overdrawn account is a violation where none is allowed", () => {
  const overdrawn = [read({ a: 110, b: -10, c: 0 })];
  expect(checkBank(overdrawn, rules)).toEqual([
    { rule: "bank balance", text: "client 4 reads -10 on account b, below 0" },
  ]);
  expect(checkBank(overdrawn, { accounts, total: 100 })).toEqual([]);
});

test("accounts that are missing, foreign or no number are named", () => {
  const rulesOf = (balances: Record<string, number>): string[] =>
    checkBank([read(balances)], rules).map(({ rule }) => rule);
  expect(rulesOf({ a: 60, b: 40 })).toEqual(["missing account"]);
  expect(rulesOf({ a: 60, b: 40, c: 0, d: 0 })).toEqual(["foreign account"]);
  expect(rulesOf({ a: Number.NaN, b: 40, c: 0 })).toEqual(["bank balance", "bank total"]);
});
