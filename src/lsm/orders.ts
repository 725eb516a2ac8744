/**
 * What flush and compaction are told: plain data, made at the moment when they start.
 *
 * Invariant: an order names every reader and every table that counts at that moment.
 * Chapter: 04-lsm, "Background work"
 */
import type { EngineParts } from "./engine-parts.ts";
import type { FlushOrder } from "./jobs.ts";
import type { CompactionJob, CompactionPlan, SupersededKeys, TableShape } from "./parts.ts";
import { olderSpans, outsideSpans } from "./picker-math.ts";

/** The order for a flush that starts now. */
export function flushOrder({ settings, snapshots }: EngineParts): FlushOrder {
  return { snapshots: snapshots.list(), shape: shapeOf(settings) };
}

/** The job for a plan that starts now. */
export function compactionJob(parts: EngineParts, plan: CompactionPlan): CompactionJob {
  const { settings, snapshots, manifest } = parts;
  return {
    plan,
    snapshots: snapshots.list(),
    older: olderSpans(manifest.state.version, plan),
    shape: shapeOf(settings),
    superseded: supersededKeys(parts, plan),
  };
}

/** Undefined where no key has a timestamp, or nothing was given up yet. */
function supersededKeys(
  { settings, horizon, manifest }: EngineParts,
  plan: CompactionPlan,
): SupersededKeys | undefined {
  const firstByte = settings.timestampedKeys?.firstByte;
  if (firstByte === undefined || horizon.timestamp === 0) return undefined;
  const outside = outsideSpans(manifest.state.version, plan);
  return { firstByte, horizon: horizon.timestamp, outside };
}

/** Only what travels to another thread. */
function shapeOf(settings: TableShape): TableShape {
  const { tableBytesMax, blockBytes, filterBitsPerKey, compression } = settings;
  return { tableBytesMax, blockBytes, filterBitsPerKey, compression };
}
