/**
 * Running a transaction again after a conflict, with a pause that grows and is drawn by chance.
 *
 * Without chance two transactions that met once would meet again at every try.
 * Chapter: 06-mvcc. Source: exponential back-off with full jitter.
 */
import { isCairnError, type Ms } from "#base";
import type { Clock, Random } from "#platform/types";
import type { Mvcc, RetryReason, RunOptions, Transaction } from "./types.ts";

const ATTEMPTS_MAX_DEFAULT = 10;
const BACKOFF_MS_DEFAULT: Ms = 1;
const BACKOFF_MS_MAX_DEFAULT: Ms = 100;

/** See `Mvcc.run`. */
export async function runInTransaction<T>(
  outside: { readonly mvcc: Mvcc; readonly clock: Clock; readonly random: Random },
  body: (transaction: Transaction, reason: RetryReason | null) => T | Promise<T>,
  options: RunOptions,
): Promise<T> {
  const attemptsMax = options.attemptsMax ?? ATTEMPTS_MAX_DEFAULT;
  let reason: RetryReason | null = null;
  for (let attempts = 1; ; attempts += 1) {
    const transaction = outside.mvcc.begin(options);
    try {
      const result = await body(transaction, reason);
      if (transaction.state === "open") await transaction.commit(options);
      return result;
    } catch (error) {
      transaction.abort();
      if (!isCairnError(error, "MVCC_CONFLICT") || attempts >= attemptsMax) throw error;
      reason = { attempts, conflict: error };
    }
    await pause(outside, attempts, options);
  }
}

async function pause(
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  attempts: number,
  { backoffMs = BACKOFF_MS_DEFAULT, backoffMsMax = BACKOFF_MS_MAX_DEFAULT }: RunOptions,
): Promise<void> {
  const longest = Math.min(backoffMsMax, backoffMs * 2 ** (attempts - 1));
  await new Promise<void>((resolve) => {
    clock.after(random.fraction() * longest, resolve);
  });
}
