/**
 * A commit on its way to the disk, and a transaction that begins meanwhile. Support for the tests.
 */
import { isCairnError } from "#base";
import type { VersionLayout } from "#mvcc/types";
import { Difference } from "./model-run.ts";
import { b, commit, fresh, type Subject, s } from "./support.ts";

/**
 * It does not see the commit, so it must not overwrite what was committed: also when nobody else is
 * open. @throws Difference
 */
export async function overwrittenInFlight(subject: Subject, layout: VersionLayout): Promise<void> {
  const { mvcc } = await fresh({ layout }, subject);
  await commit(mvcc, { sum: "100" });
  const add = (amount: number): Promise<number> => {
    const transaction = mvcc.begin();
    const sum = Number(s(transaction.get(b("sum"))));
    transaction.put(b("sum"), b(String(sum + amount)));
    return transaction.commit({ sync: true });
  };
  const first = add(20);
  // Somebody else comes and goes: nobody is open now, and yet the first is not forgotten.
  mvcc.begin().abort();
  const outcomes = await Promise.allSettled([first, add(30)]);
  const done = outcomes.filter(({ status }) => status === "fulfilled").length;
  for (const outcome of outcomes) {
    if (outcome.status === "rejected" && !isCairnError(outcome.reason, "MVCC_CONFLICT")) {
      throw outcome.reason;
    }
  }
  const sum = s(mvcc.begin().get(b("sum")));
  const expected = done === 2 ? "150" : "120";
  if (sum !== expected) throw new Difference(`T4: ${done} additions, and the sum is ${sum}`);
  await mvcc.close();
}
