/**
 * Opens a log: reads it, judges it, repairs its end, and only then lets anybody write.
 *
 * Invariant: nothing on disk changes before the whole log has been read and found sound (W6, W8).
 * Given. Steps 01.4, 01.6 and 01.9 add a line each, where the comments say so.
 *
 * Written by a reader who had only the pages of chapter 01: neither the reference nor the solution.
 */
import type { FileHandle } from "#platform/types";
import type { RecoveryReport, Wal, WalOptions, WalRecord } from "#wal/types";
import { checkOptions, type Settings } from "../../../chapters/01-wal/starter/options.ts";
import { createLog } from "./log.ts";
import { repairEnd } from "./recovery.ts";
import { type Scan, scanSegment } from "./scan.ts";
import { type Directory, listSegments, makeSegment, type Segment } from "./segment.ts";

/** See `WalModule.openWal` in `src/wal/types.ts`. */
export function openWal(
  options: WalOptions,
  onRecord: (record: WalRecord) => void,
): { wal: Wal; report: RecoveryReport } {
  const settings = checkOptions(options);
  const { disk, dir } = settings;
  disk.makeDir(dir);
  const directory = listSegments(settings);
  const scan = scanAll(settings, directory, onRecord);
  const { segments, handle } = prepareEnd(settings, directory, scan);
  // The header that decided about them is durable now.
  for (const path of directory.obsolete) disk.unlink(path);
  const firstLsn = segments[0]!.firstLsn;
  const report: RecoveryReport = {
    records: scan.nextLsn - firstLsn,
    firstLsn,
    nextLsn: scan.nextLsn,
    droppedBytes: scan.droppedBytes,
    reason: scan.droppedBytes > 0 ? "torn-tail" : "clean",
    segments: segments.length,
  };
  return { wal: createLog(settings, { segments, handle, nextLsn: scan.nextLsn }), report };
}

/** Reads every segment, oldest first. Changes nothing. */
function scanAll(
  settings: Settings,
  { segments, unfinished }: Directory,
  onRecord: (record: WalRecord) => void,
): Scan {
  let scan: Scan = { nextLsn: 1, watermark: 0, droppedBytes: 0 };
  for (const [index, segment] of segments.entries()) {
    const before = segments[index + 1]?.firstLsn ?? null;
    const isSealed = before !== null || unfinished !== null;
    scan = scanSegment(settings, segment, { before, isSealed }, onRecord);
  }
  return scan;
}

/** Makes the end of the log fit for writing, and opens it. */
function prepareEnd(
  settings: Settings,
  { segments, unfinished }: Directory,
  scan: Scan,
): { segments: Segment[]; handle: FileHandle } {
  const last = segments.at(-1);
  if (last === undefined || unfinished !== null) {
    const made = makeSegment(settings, unfinished ?? 1, scan.nextLsn);
    return { segments: [...segments, made.segment], handle: made.handle };
  }
  const handle = settings.disk.open(last.path, "read-write");
  repairEnd(handle, last, scan);
  // Who made the segment may have been killed before its name was durable.
  settings.disk.syncDir(settings.dir);
  return { segments, handle };
}
