/**
 * What the benches of transactions share: stores in a directory of the bench, keys and values.
 */
import { openMvcc } from "#mvcc";
import type { Mvcc, MvccOptions, Transaction } from "#mvcc/types";
import type { Bench } from "../harness/index.ts";

export const LAYOUTS = ["timestamped", "appended", "undo"] as const;
export const NANOSECONDS_PER_MICROSECOND = 1000;
export const NANOSECONDS_PER_SECOND = 1e9;

/** A store in a fresh directory, closed at the end. */
export async function openIn(bench: Bench, options: Partial<MvccOptions> = {}): Promise<Mvcc> {
  const mvcc = await openMvcc({ dir: bench.directory(), ...options });
  bench.defer(() => mvcc.close());
  return mvcc;
}

/** Keys that a scan has met. */
export function countScan(transaction: Transaction): number {
  let count = 0;
  for (const _ of transaction.scan()) count += 1;
  return count;
}
