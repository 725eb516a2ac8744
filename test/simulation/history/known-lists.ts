/**
 * Histories of transactions whose verdict a person has worked out. Support for the tests.
 *
 * `rules` are the names of what must be found, in any order; a history without any holds.
 */
import type { ListTransaction } from "#simulation";
import { transaction as t } from "./calls.ts";

/** A history and what must be found in it. */
export interface KnownTransactions {
  readonly name: string;
  readonly rules: readonly string[];
  /** Found also where real time does not count. Default: all rules. */
  readonly withoutTime?: readonly string[];
  readonly history: readonly ListTransaction[];
}

export const knownTransactions: readonly KnownTransactions[] = [
  { name: "nothing happened", rules: [], history: [] },
  {
    name: "one after the other",
    rules: [],
    history: [t("a= a+1", [1, 2]), t("a=1 a+2 b+3", [3, 4]), t("b=3 a=1,2", [5, 6])],
  },
  {
    name: "side by side, in the other order",
    rules: [],
    history: [t("a+1 b+1", [1, 4]), t("a+2 b+2", [2, 3]), t("a=2,1 b=2,1", [5, 6])],
  },
  {
    name: "writes in two orders",
    rules: ["G0"],
    history: [t("a+1 b+1", [1, 4]), t("a+2 b+2", [2, 3]), t("a=1,2 b=2,1", [5, 6])],
  },
  {
    name: "each reads what the other wrote",
    rules: ["G1c"],
    history: [t("a+1 b=1", [1, 4]), t("b+1 a=1", [2, 3])],
  },
  {
    name: "half of a transaction is seen",
    rules: ["G-single"],
    history: [t("a+1 b+1", [1, 4]), t("a=1 b=", [2, 3]), t("b=1", [5, 6])],
  },
  {
    name: "write skew: each looks, and writes elsewhere",
    rules: ["G2"],
    history: [t("a= b+1", [1, 4]), t("b= a+1", [2, 3]), t("a=1 b=1", [5, 6])],
  },
  {
    name: "write skew: what each missed has happened, though no later read shows it",
    rules: ["G2"],
    history: [t("a= b+1", [1, 4]), t("b= a+1", [2, 3])],
  },
  {
    name: "a lost update: both extend the same list",
    rules: ["G-single"],
    history: [t("a= a+1", [1, 4]), t("a= a+2", [2, 3]), t("a=1,2", [5, 6])],
  },
  {
    name: "a lost append",
    rules: ["lost append", "G0 in real time"],
    withoutTime: [],
    history: [t("a+1", [1, 2]), t("a+2", [3, 4]), t("a=2", [5, 6])],
  },
  {
    name: "an append that returned later may still be on its way",
    rules: [],
    history: [t("a+1", [1, 6]), t("a+2", [2, 3]), t("a=2", [4, 5])],
  },
  {
    name: "an unknown append that nobody sees",
    rules: [],
    history: [t("a+1", [1]), t("a+2", [2, 3]), t("a=2", [4, 5])],
  },
  {
    name: "an unknown append that is seen late",
    rules: [],
    history: [t("a+1", [1]), t("a+2", [2, 3]), t("a=2", [4, 5]), t("a=2,1", [6, 7])],
  },
  {
    name: "an unknown append that is seen, and seen no more",
    rules: ["G-single in real time"],
    withoutTime: [],
    history: [t("a+1", [1]), t("a=1", [2, 3]), t("a=", [4, 5])],
  },
  {
    name: "half of an unknown transaction is seen, the other half is missing",
    rules: ["G-single"],
    history: [t("a+1 b+1", [1]), t("a=1", [2, 3]), t("a=1 b=", [4, 5])],
  },
  {
    name: "a value of a transaction that failed",
    rules: ["dirty read"],
    history: [t("a+1", [1, 2], "failed"), t("a=1", [3, 4])],
  },
  {
    name: "a value of nobody",
    rules: ["garbage read"],
    history: [t("a+1", [1, 2]), t("a=1,7", [3, 4])],
  },
  {
    name: "a value twice: a command was applied again",
    rules: ["duplicate"],
    history: [t("a+1", [1, 2]), t("a=1,1", [3, 4])],
  },
  {
    name: "two readers of two orders",
    rules: ["incompatible order"],
    history: [t("a+1", [1, 4]), t("a+2", [2, 3]), t("a=1,2", [5, 6]), t("a=2,1", [7, 8])],
  },
  {
    name: "a list that ends in the middle of a transaction",
    rules: ["intermediate read", "G-single"],
    history: [t("a+1 a+2", [1, 4]), t("a=1", [2, 3])],
  },
  {
    name: "a transaction whose own values are exchanged",
    rules: ["intermediate read"],
    history: [t("a+1 a+2", [1, 2]), t("a+3", [3, 4]), t("a=2,1,3", [5, 6])],
  },
  {
    name: "another's value inside of a transaction",
    rules: ["intermediate read", "G0"],
    history: [t("a+1 a+2", [1, 4]), t("a+3", [2, 3]), t("a=1,3,2", [5, 6])],
  },
  {
    name: "a transaction sees its own appends",
    rules: [],
    history: [t("a+1", [1, 2]), t("a+2 a=1,2 a+3 a=1,2,3", [3, 4])],
  },
  {
    name: "a transaction does not see its own append",
    rules: ["internal"],
    history: [t("a+1", [1, 2]), t("a+2 a=1", [3, 4])],
  },
  {
    name: "a transaction reads twice, and differently",
    rules: ["internal"],
    history: [t("a+1", [2, 3]), t("a= a=1", [1, 4])],
  },
  {
    name: "a transaction reads what it will append",
    rules: ["future read"],
    history: [t("a=1 a+1", [1, 2])],
  },
  {
    name: "a stale read",
    rules: ["G-single in real time"],
    withoutTime: [],
    history: [t("a+1", [1, 2]), t("a=1", [3, 4]), t("a=", [5, 6])],
  },
  {
    name: "a read of the future",
    rules: ["G1c in real time"],
    withoutTime: [],
    history: [t("a=1", [1, 2]), t("a+1", [3, 4])],
  },
  {
    name: "a long fork: two readers see two writes in two orders",
    rules: ["G2"],
    history: [
      t("a+1", [1, 8]),
      t("b+1", [2, 7]),
      t("a=1 b=", [3, 4]),
      t("a= b=1", [5, 6]),
      t("a=1 b=1", [9, 10]),
    ],
  },
  {
    name: "writes later than their successors in real time",
    rules: ["G0 in real time"],
    withoutTime: [],
    history: [t("a+1", [1, 2]), t("a+2", [3, 4]), t("a=2,1", [5, 6])],
  },
];
