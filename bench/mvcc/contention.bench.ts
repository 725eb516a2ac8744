/**
 * How often is a commit refused, the more keys are fought over?
 *
 * Sixteen clients read two keys and write one of them, drawn by Zipf's law: at skew 0 all keys come
 * equally often, at 1 a few come nearly always. Both levels see the same draws. A refused
 * transaction is not run again. Everything is in memory and nothing is synced: what counts is the
 * share of refusals.
 */
import { isCairnError } from "#base";
import type { IsolationLevel, Mvcc } from "#mvcc/types";
import { type Bench, keyOf, valueFor, zipfNumbers } from "../harness/index.ts";
import { openIn } from "./support.ts";

const CLIENTS = 16;
const KEYS = 1000;
const SKEWS = [0, 0.5, 0.9, 1.2];
const LEVELS: readonly IsolationLevel[] = ["snapshot", "serializable"];

export async function refusals(bench: Bench): Promise<void> {
  const count = bench.parameter("transactions", { small: 200, canonical: 20_000 });
  for (const skew of SKEWS) {
    for (const level of LEVELS) {
      const mvcc = await openIn(bench);
      const refused = await play(mvcc, level, zipfNumbers(KEYS, 7, skew), count);
      const share = (100 * refused) / count;
      bench.figure(`refused at skew ${skew}, ${level}`, share, "%");
      bench.work(`${skew} ${level} ${count}`);
      await mvcc.close();
    }
  }
}

/** @returns how many were refused. */
async function play(
  mvcc: Mvcc,
  level: IsolationLevel,
  draw: () => number,
  count: number,
): Promise<number> {
  let left = count;
  let refused = 0;
  const client = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const transaction = mvcc.begin({ level });
      const [read, written] = [draw(), draw()];
      transaction.get(keyOf(read));
      // Other clients have their turn between reading and writing.
      await new Promise((resolve) => setImmediate(resolve));
      transaction.get(keyOf(written));
      transaction.put(keyOf(written), valueFor(written, left));
      try {
        await transaction.commit();
      } catch (error) {
        if (!isCairnError(error, "MVCC_CONFLICT")) throw error;
        refused += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return refused;
}
