/**
 * The edits that background work leads to.
 *
 * Invariant: an edit that names the log's position is made only when the log is durable up to
 * there. Else a crash could leave a log that ends before the place from which it is replayed.
 * Chapter: 04-lsm
 */
import type { FrozenLayer } from "./memory.ts";
import type { CompactionPlan, JobResult, VersionEdit } from "./parts.ts";

/** A flush: its table is the newest run of level 0. */
export function flushEdit(
  layer: FrozenLayer,
  result: JobResult,
  place: { readonly run: number; readonly nextNumber: number; readonly logFrom: number | null },
): VersionEdit {
  const { run, nextNumber, logFrom } = place;
  return {
    remove: [],
    add: result.tables.map((table) => ({ level: 0, run, table })),
    sequence: layer.sequence,
    nextNumber,
    ...(logFrom === null ? {} : { logFrom }),
  };
}

/** A compaction: the outputs take the place of the inputs. */
export function compactionEdit(
  plan: CompactionPlan,
  result: JobResult,
  place: { readonly run: number; readonly nextNumber: number },
): VersionEdit {
  return {
    remove: removedBy(plan),
    add: result.tables.map((table) => ({ level: plan.outputLevel, run: place.run, table })),
    nextNumber: place.nextNumber,
  };
}

/** A move: the tables stay as they are, on another level. */
export function moveEdit(
  plan: CompactionPlan,
  place: { readonly run: number; readonly nextNumber: number },
): VersionEdit {
  const tables = plan.inputs.flatMap((input) => input.tables);
  return {
    remove: removedBy(plan),
    add: tables.map((table) => ({ level: plan.outputLevel, run: place.run, table })),
    nextNumber: place.nextNumber,
  };
}

function removedBy(plan: CompactionPlan): VersionEdit["remove"] {
  return plan.inputs.flatMap(({ level, tables }) => tables.map(({ id }) => ({ level, id })));
}
