/**
 * The anomalies, as scripts. Each says whether it has happened. Support for the tests.
 *
 * Names and order as in Berenson et al., "A Critique of ANSI SQL Isolation Levels" (1995), and for
 * the last one Fekete, O'Neil and O'Neil, "A Read-Only Transaction Anomaly Under Snapshot
 * Isolation" (2004).
 */
import { isCairnError } from "#base";
import type { IsolationLevel, Mvcc, Transaction } from "#mvcc/types";
import { b, commit, s, seen, write } from "./support.ts";

/** @returns whether the anomaly has happened. */
export type Anomaly = (mvcc: Mvcc, level: IsolationLevel) => Promise<boolean>;

/** Commits; false after a conflict. */
async function commits(transaction: Transaction): Promise<boolean> {
  try {
    await transaction.commit();
    return true;
  } catch (error) {
    if (isCairnError(error, "MVCC_CONFLICT")) return false;
    throw error;
  }
}

const number = (transaction: Transaction, key: string): number =>
  Number(s(transaction.get(b(key))) ?? 0);

export const anomalies: Readonly<Record<string, Anomaly>> = {
  /** Two writers mix: of two keys that belong together, each keeps another's value. */
  "dirty write": async (mvcc, level) => {
    const [one, two] = [mvcc.begin({ level }), mvcc.begin({ level })];
    write(one, { x: "1" });
    write(two, { x: "2" });
    write(two, { y: "2" });
    write(one, { y: "1" });
    await Promise.all([commits(one), commits(two)]);
    const { x, y } = seen(mvcc.begin());
    return x !== y;
  },

  /** Somebody reads what is never committed. */
  "dirty read": async (mvcc, level) => {
    await commit(mvcc, { x: "1" });
    const writer = mvcc.begin({ level });
    write(writer, { x: "2" });
    const read = number(mvcc.begin({ level }), "x");
    writer.abort();
    return read === 2;
  },

  /** One transaction reads one key twice and gets two answers. */
  "fuzzy read": async (mvcc, level) => {
    await commit(mvcc, { x: "1" });
    const reader = mvcc.begin({ level });
    const first = number(reader, "x");
    await commit(mvcc, { x: "2" });
    return number(reader, "x") !== first;
  },

  /** Two keys that belong together are read from two moments. */
  "read skew": async (mvcc, level) => {
    await commit(mvcc, { x: "50", y: "50" });
    const reader = mvcc.begin({ level });
    const x = number(reader, "x");
    await commit(mvcc, { x: "10", y: "90" });
    return x + number(reader, "y") !== 100;
  },

  /** Two add to one number, and one addition is gone. */
  "lost update": async (mvcc, level) => {
    await commit(mvcc, { x: "100" });
    const [one, two] = [mvcc.begin({ level }), mvcc.begin({ level })];
    const [first, second] = [number(one, "x"), number(two, "x")];
    write(one, { x: String(first + 20) });
    write(two, { x: String(second + 30) });
    const done = [await commits(one), await commits(two)];
    return done.every(Boolean) && number(mvcc.begin(), "x") !== 150;
  },

  /** A range is read twice, and the second time there is more in it. */
  phantom: async (mvcc, level) => {
    await commit(mvcc, { "task/1": "4" });
    const reader = mvcc.begin({ level });
    const first = Object.keys(seen(reader, { from: b("task/"), before: b("task0") })).length;
    await commit(mvcc, { "task/2": "3" });
    const second = Object.keys(seen(reader, { from: b("task/"), before: b("task0") })).length;
    return first !== second;
  },

  /** Two doctors are on call. Each goes home, because the other one is there. */
  "write skew": async (mvcc, level) => {
    await commit(mvcc, { "doctor/ada": "on call", "doctor/bob": "on call" });
    const onCall = (transaction: Transaction): number =>
      ["doctor/ada", "doctor/bob"].filter((key) => s(transaction.get(b(key))) === "on call").length;
    const [ada, bob] = [mvcc.begin({ level }), mvcc.begin({ level })];
    if (onCall(ada) > 1) write(ada, { "doctor/ada": "home" });
    if (onCall(bob) > 1) write(bob, { "doctor/bob": "home" });
    await commits(ada);
    await commits(bob);
    return onCall(mvcc.begin()) === 0;
  },

  /** Write skew over a range: each adds a task of hours, and the day is too long. */
  "write skew by a phantom": async (mvcc, level) => {
    await commit(mvcc, { "task/1": "4" });
    const hours = (transaction: Transaction): number =>
      Object.values(seen(transaction, { from: b("task/"), before: b("task0") }))
        .map(Number)
        .reduce((sum, one) => sum + one, 0);
    const [one, two] = [mvcc.begin({ level }), mvcc.begin({ level })];
    if (hours(one) + 3 <= 8) write(one, { "task/2": "3" });
    if (hours(two) + 3 <= 8) write(two, { "task/3": "3" });
    await commits(one);
    await commits(two);
    return hours(mvcc.begin()) > 8;
  },

  /**
   * Savings 0, checking 0. A deposit of 20 goes to savings. A withdrawal of 10 from checking pays a
   * fee of 1, since it saw no deposit. A reader sees the deposit and no fee: in no order of the
   * three can that be.
   */
  "read-only anomaly": async (mvcc, level) => {
    await commit(mvcc, { savings: "0", checking: "0" });
    const withdrawal = mvcc.begin({ level });
    const total = number(withdrawal, "savings") + number(withdrawal, "checking");
    const deposit = mvcc.begin({ level });
    write(deposit, { savings: String(number(deposit, "savings") + 20) });
    const deposited = await commits(deposit);
    const reader = mvcc.begin({ level });
    const read = [number(reader, "savings"), number(reader, "checking")];
    await commits(reader);
    write(withdrawal, { checking: String(-10 - (total < 10 ? 1 : 0)) });
    const withdrawn = await commits(withdrawal);
    const isSeen = read[0] === 20 && read[1] === 0;
    return deposited && withdrawn && isSeen && number(mvcc.begin(), "checking") === -11;
  },
};
