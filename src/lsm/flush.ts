/**
 * Running a flush: writes one memtable as one table.
 *
 * Versions that nobody can see are left out, as in a compaction. A deletion that hides nothing here
 * is kept, always: the key may live in any table (L5).
 *
 * Invariant: the table is durable before the result is there. The memtable is only read, so that a
 * flush that failed can be tried again.
 * Chapter: 04-lsm
 */
import type { Cursor, Sequence } from "#base";
import { writeKept } from "./compaction.ts";
import { createKeepRule } from "./keep-rule.ts";
import type { JobRun, TableIo, TableShape } from "./parts.ts";

/**
 * Runs a flush. Ends with one table, however large, or none if there was nothing to write.
 *
 * @param cursor - over the memtable, which changes no more; closed at the end.
 * @param snapshots - as in `CompactionJob`.
 * @throws as `runCompaction`.
 */
export function* runFlush(
  cursor: Cursor,
  snapshots: readonly Sequence[],
  shape: TableShape,
  io: TableIo,
): JobRun {
  const rule = createKeepRule(snapshots, null);
  return yield* writeKept({ cursor, rule, shape, io, bytesRead: 0, splits: false });
}
