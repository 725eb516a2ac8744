/**
 * Compaction: several runs become one.
 *
 * 04.6: merge the inputs and write all of it anew. 04.7: ask the rule of `keep-rule.ts` which
 * versions stay.
 * Chapter: 04-lsm, steps 04.6 and 04.7
 */
import { notWritten } from "#base";
import type { CompactionJob, JobRun, TableIo } from "#lsm/reference";

/**
 * Runs a compaction: a generator, in slices as `runFlush`. Inputs are only read. A new table begins
 * when the last one has `shape.tableBytesMax` bytes, but never between two versions of a key.
 *
 * When something throws, or the caller gives up (`return`), all outputs are removed, finished ones
 * too: nobody will ever name them.
 */
export function runCompaction(_job: CompactionJob, _io: TableIo): JobRun {
  return notWritten("04.6", "runCompaction");
}
