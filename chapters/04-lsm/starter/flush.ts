/**
 * Flush: a frozen memtable becomes a table, and the log may forget (04.3).
 *
 * Chapter: 04-lsm, step 04.3
 */
import { notWritten, type Sequence } from "#base";
import type { JobRun, TableIo, TableShape } from "#lsm/reference";
import type { FlushTarget, ForwardCursor, FrozenMemtable } from "./types.ts";

/**
 * Writes everything under a cursor as one table, however large; no table for no entries. Closes the
 * cursor. A generator, `function*`: `yield` after each 64 KiB or so, so that readers get a turn.
 *
 * When something throws, unfinished tables are removed (`TableWriter.abandon`), and the error goes
 * on. The table is durable before the result is there (S5).
 *
 * @param snapshots - sequences that somebody may still read at. Whoever writes every version need
 * not look at them.
 */
export function runFlush(
  _cursor: ForwardCursor,
  _snapshots: readonly Sequence[],
  _shape: TableShape,
  _io: TableIo,
): JobRun {
  return notWritten("04.3", "runFlush");
}

/**
 * Flushes one memtable: writes the table, applies the edit that names it, retires the log. In
 * slices as `runFlush`. A flush that failed may be tried again.
 *
 * The edit adds the table to level 0 as a new run (a number from `numbers`), and says `logFrom`,
 * `nextNumber` and `sequence`. The log must be durable up to where it will be replayed from.
 */
export function flushMemtable(
  _frozen: FrozenMemtable,
  _target: FlushTarget,
): Generator<void, void, void> {
  return notWritten("04.3", "flushMemtable");
}
