/**
 * Running a transaction again after a conflict, with a pause that grows and is drawn by chance.
 *
 * Without chance two transactions that met once would meet again at every try.
 * Chapter: 06-mvcc. Source: exponential back-off with full jitter.
 */
import { isCairnError } from "#base";
import type { Clock, Random } from "#platform/types";
import { checkRetries, type Retries } from "./options.ts";
import type { Mvcc, RetryReason, RunOptions, Transaction } from "./types.ts";

/** What surrounds a transaction. */
export interface Surroundings {
  readonly mvcc: Mvcc;
  readonly clock: Clock;
  readonly random: Random;
  /** @throws `LSM_CLOSED` once the store is closed. */
  readonly checkOpen: () => void;
}

/** See `Mvcc.run`. */
export async function runInTransaction<T>(
  outside: Surroundings,
  body: (transaction: Transaction, reason: RetryReason | null) => T | Promise<T>,
  options: RunOptions,
): Promise<T> {
  const retries = checkRetries(options);
  let reason: RetryReason | null = null;
  for (let attempts = 1; ; attempts += 1) {
    const transaction = outside.mvcc.begin(options);
    try {
      const result = await body(transaction, reason);
      if (transaction.state === "open") await transaction.commit(options);
      // If the store was closed meanwhile, that has aborted it, and nobody must take it for done.
      else if (transaction.state === "aborted") outside.checkOpen();
      return result;
    } catch (error) {
      transaction.abort();
      if (!isCairnError(error, "MVCC_CONFLICT") || attempts >= retries.attemptsMax) throw error;
      reason = { attempts, conflict: error };
    }
    await pause(outside, attempts, retries);
  }
}

async function pause(
  { clock, random }: Surroundings,
  attempts: number,
  { backoffMs, backoffMsMax }: Retries,
): Promise<void> {
  const longest = Math.min(backoffMsMax, backoffMs * 2 ** (attempts - 1));
  await new Promise<void>((resolve) => {
    clock.after(random.fraction() * longest, resolve);
  });
}
