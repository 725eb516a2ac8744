/**
 * What do transactions cost, above the engine's own batches?
 *
 * A transaction of ten puts at snapshot isolation against a batch of the same ten, both in rounds
 * that take turns, sixteen under way at a time, not synced: each is handed to the system before it
 * is answered. Keys are drawn at random from a million; each of the sixteen has a share of its own,
 * so that none is refused. Not measured: conflicts (contention.bench.ts) and reads
 * (layouts.bench.ts).
 */
import { createWriteBatch, openEngine } from "#lsm";
import { type Bench, keyOf, randomNumbers, valueFor } from "../harness/index.ts";
import { NANOSECONDS_PER_SECOND, openIn } from "./support.ts";

const PUTS = 10;
const IN_FLIGHT = 16;
const KEYS = 1_000_000;
/** What is asked of this module: 60 % of the engine's rate. */
const GOAL = 0.6;

export async function transactionsAgainstBatches(bench: Bench): Promise<void> {
  const rounds = bench.parameter("rounds", { small: 1, canonical: 7 });
  const count = bench.parameter("transactions", { small: 200, canonical: 20_000 });
  const engine = openEngine({ dir: bench.directory() });
  bench.defer(() => engine.close());
  const mvcc = await openIn(bench);
  const random = randomNumbers(1);
  const draw = (client: number): number => random(KEYS / IN_FLIGHT) * IN_FLIGHT + client;
  const bare = async (client: number): Promise<void> => {
    const batch = createWriteBatch();
    for (let i = 0; i < PUTS; i += 1) {
      const number = draw(client);
      batch.put(keyOf(number), valueFor(number, i));
    }
    await engine.write(batch);
  };
  const transaction = async (client: number): Promise<void> => {
    const one = mvcc.begin();
    for (let i = 0; i < PUTS; i += 1) {
      const number = draw(client);
      one.put(keyOf(number), valueFor(number, i));
    }
    await one.commit();
  };
  const ratios: number[] = [];
  const rates = { bare: 0, transaction: 0 };
  // The first round of each is warm-up.
  for (let round = -1; round < rounds; round += 1) {
    const bareNs = await timed(bench, count, bare);
    const transactionNs = await timed(bench, count, transaction);
    if (round < 0) continue;
    ratios.push(bareNs / transactionNs);
    rates.bare = (count * NANOSECONDS_PER_SECOND) / bareNs;
    rates.transaction = (count * NANOSECONDS_PER_SECOND) / transactionNs;
  }
  bench.work(`${mvcc.stats().versions} ${engine.stats().written.operations}`);
  bench.figure(`batches of ${PUTS}`, rates.bare, "per second");
  bench.figure(`transactions of ${PUTS} puts`, rates.transaction, "per second");
  const median = ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 2)]!;
  const of = { subject: median, peer: 1, peerName: "the engine's batches, median of rounds" };
  bench.ratio("rate of transactions", of, { atLeast: GOAL });
}

async function timed(
  bench: Bench,
  count: number,
  one: (client: number) => Promise<void>,
): Promise<number> {
  const start = bench.now();
  let left = count;
  const worker = async (_: unknown, client: number): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await one(client);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return bench.now() - start;
}
