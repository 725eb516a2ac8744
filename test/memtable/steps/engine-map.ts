/**
 * The reference's durable map: the engine of chapter 04, worked by hand and never flushed, so that
 * all it has is its log and one memtable.
 */
import { createWriteBatch, openEngine } from "#lsm";
import type { KeyRange } from "#memtable/types";
import { createSimulatedClock } from "#platform";
import type { Disk } from "#platform/types";
import type { Change, DurableMap } from "./subject.ts";

/** Opens the engine as a map whose every change is synced. */
export function openEngineMap({
  disk,
  dir,
}: {
  readonly disk: Disk;
  readonly dir: string;
}): DurableMap {
  const engine = openEngine({ disk, dir, background: "step", clock: createSimulatedClock() });
  return {
    put: (key, value) => engine.put(key, value, { sync: true }),
    delete: (key) => engine.delete(key, { sync: true }),
    batch(changes: readonly Change[]) {
      const batch = createWriteBatch();
      for (const { key, value } of changes) {
        if (value === null) batch.delete(key);
        else batch.put(key, value);
      }
      return engine.write(batch, { sync: true });
    },
    get: (key) => engine.get(key),
    *scan({ from, before }: KeyRange = {}) {
      const iterator = engine.iterator({
        ...(from !== undefined && { gte: from }),
        ...(before !== undefined && { lt: before }),
      });
      try {
        while (iterator.next()) yield { key: iterator.key.slice(), value: iterator.value.slice() };
      } finally {
        iterator.close();
      }
    },
    close: () => engine.close(),
  };
}
