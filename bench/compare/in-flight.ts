/**
 * Two ways of keeping 256 writes in flight. Each adapter takes the one its engine is faster with.
 *
 * Invariant: never more than `IN_FLIGHT` unanswered; every write is answered on return; the first
 * failure is thrown.
 */
import type { KeyList } from "./types.ts";
import { IN_FLIGHT } from "./workload.ts";

/** 256 callers, each of which waits for its own write before it makes the next. */
export async function callers(
  { keys, from, before }: KeyList,
  write: (number: number) => Promise<unknown>,
): Promise<void> {
  let next = from;
  const caller = async () => {
    while (next < before) {
      const number = keys[next]!;
      next += 1;
      await write(number);
    }
  };
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, before - from) }, caller));
}

/** 256 writes at once; when all are answered, the next 256. */
export async function waves(
  { keys, from, before }: KeyList,
  write: (number: number) => Promise<unknown>,
): Promise<void> {
  for (let start = from; start < before; start += IN_FLIGHT) {
    const end = Math.min(before, start + IN_FLIGHT);
    const answers: Promise<unknown>[] = [];
    for (let at = start; at < end; at += 1) answers.push(write(keys[at]!));
    await Promise.all(answers);
  }
}

/** Calls for each group of up to 256: for engines that take those in one transaction. */
export async function groups(list: KeyList, write: (group: KeyList) => void): Promise<void> {
  for (let from = list.from; from < list.before; from += IN_FLIGHT) {
    write({ keys: list.keys, from, before: Math.min(list.before, from + IN_FLIGHT) });
    // Who waits for one of these is woken between two groups, as with the other engines.
    await new Promise(setImmediate);
  }
}
