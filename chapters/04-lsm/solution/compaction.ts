/**
 * Compaction: several runs become one, without what nobody can see (04.6, 04.7).
 *
 * The inputs are only read. Until an edit in the manifest names the outputs, they belong to nobody.
 * Invariant: all versions of a key go into one output, so that outputs do not overlap (L6).
 * Chapter: 04-lsm, steps 04.6 and 04.7
 */
import type { Bytes } from "#base";
import { compareBytes } from "#bytes";
import { type CompactionJob, createRunCursor, type JobRun, type TableIo } from "#lsm/reference";
import { createOutputs, ENTRY_BYTES, type Outputs, SLICE_BYTES } from "./flush.ts";
import { createKeepRule } from "./keep-rule.ts";
import { mergeCursors } from "./merge.ts";
import type { ForwardCursor, KeepRule, KeyVersion } from "./types.ts";

/** Runs a compaction, in slices. Outputs are split at the shape's `tableBytesMax`. */
export function* runCompaction(job: CompactionJob, io: TableIo): JobRun {
  const { plan, shape } = job;
  const rule = createKeepRule(job.snapshots, job.older);
  const outputs = createOutputs(io, shape);
  let [entriesRead, entriesWritten, left] = [0, 0, SLICE_BYTES];
  let isDone = false;
  const merged = mergeCursors(
    plan.inputs.map(({ tables }) =>
      createRunCursor(tables, (table) => io.open(table).cursor({ fillCache: false })),
    ),
  );
  try {
    merged.seekFirst();
    while (merged.valid) {
      const { key, versions } = takeKey(merged);
      entriesRead += versions.length;
      entriesWritten += writeKey(outputs, rule, key, versions);
      for (const { value } of versions) left -= key.length + value.length + ENTRY_BYTES;
      // Between two keys, never inside of one.
      if (outputs.bytes >= shape.tableBytesMax) outputs.finish();
      if (left > 0) continue;
      yield;
      left = SLICE_BYTES;
    }
    outputs.finish();
    isDone = true;
  } finally {
    if (!isDone) outputs.remove();
    merged.close();
  }
  const inputs = plan.inputs.flatMap(({ tables }) => tables);
  return {
    tables: outputs.tables,
    bytesRead: inputs.reduce((sum, table) => sum + table.bytes, 0),
    bytesWritten: outputs.tables.reduce((sum, table) => sum + table.bytes, 0),
    entriesDropped: entriesRead - entriesWritten,
  };
}

interface HeldVersion extends KeyVersion {
  readonly value: Bytes;
}

/** All versions of the key at the cursor, newest first: copies. Leaves it at the next key. */
function takeKey(cursor: ForwardCursor): { key: Bytes; versions: HeldVersion[] } {
  const key = cursor.key.slice();
  const versions: HeldVersion[] = [];
  for (; cursor.valid && compareBytes(cursor.key, key) === 0; cursor.next()) {
    const { sequence, isDeletion } = cursor;
    versions.push({ sequence, isDeletion, value: cursor.value.slice() });
  }
  return { key, versions };
}

/** @returns how many versions stayed. */
function writeKey(
  outputs: Outputs,
  rule: KeepRule,
  key: Bytes,
  versions: readonly HeldVersion[],
): number {
  const stay = new Set(rule.survivors(key, versions).map(({ sequence }) => sequence));
  for (const { sequence, isDeletion, value } of versions) {
    if (stay.has(sequence)) outputs.add(key, isDeletion ? null : value, sequence);
  }
  return stay.size;
}
