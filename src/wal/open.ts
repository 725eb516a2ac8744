/**
 * Opens a log: reads it, judges it, repairs its end, and only then lets anybody write.
 *
 * Invariant: nothing on disk changes before the whole log has been read and found sound, and what
 * the caller is told about is durable when this returns (W3, W8). Chapter: 01-wal, "Recovery"
 */
import type { FileHandle } from "#platform/types";
import { readDirectory } from "./directory.ts";
import { createLog } from "./log.ts";
import { checkOptions, type WalSettings } from "./options.ts";
import { isVouchedFor, repairEnd, type Scan, scanLog } from "./recovery.ts";
import type { Segment } from "./segment.ts";
import { SEGMENT_HEADER_BYTES } from "./segment-header.ts";
import { createTail, makeSegment } from "./tail.ts";
import type { RecoveryReport, Wal, WalOptions, WalRecord } from "./types.ts";

/**
 * Opens or creates a log, recovers it, and hands out every record, oldest first, before it returns.
 *
 * @param onRecord - called for each record; what it throws ends the opening with nothing changed.
 * @throws `WAL_CORRUPT` with `details` `file`, `segment` and `offset`, when a record that must have
 * been durable is damaged or missing; nothing is changed then. Disk errors as they come. RangeError
 * for an option outside its range.
 */
export function openWal(
  options: WalOptions,
  onRecord: (record: WalRecord) => void,
): { wal: Wal; report: RecoveryReport } {
  const settings = checkOptions(options);
  settings.disk.makeDir(settings.dir);
  const directory = readDirectory(settings);
  const segments = [...directory.live];
  const scan = scanLog(settings, directory, onRecord);
  const handle = repair(settings, segments, { scan, unfinished: directory.unfinished });
  // A void segment goes only now, when the header that made it void is durable for sure.
  for (const path of directory.void) settings.disk.unlink(path);
  const isFresh = directory.unfinished !== null || directory.live.length === 0;
  const tail = createTail(settings, {
    segments,
    handle,
    nextLsn: scan.nextLsn,
    endOffset: isFresh ? SEGMENT_HEADER_BYTES : scan.endOffset,
    endsInMark: !isFresh && scan.endsInMark,
  });
  const firstLsn = segments[0]!.firstLsn;
  const report: RecoveryReport = {
    records: scan.nextLsn - firstLsn,
    firstLsn,
    nextLsn: scan.nextLsn,
    droppedBytes: scan.droppedBytes,
    reason: scan.droppedBytes > 0 ? "torn-tail" : "clean",
    segments: segments.length,
  };
  return { wal: createLog(settings, tail), report };
}

/**
 * Makes the end of the log fit for writing. @returns the last segment's handle; a new segment is
 * added to the list.
 */
function repair(
  settings: WalSettings,
  segments: Segment[],
  found: { readonly scan: Scan; readonly unfinished: number | null },
): FileHandle {
  const last = segments[segments.length - 1];
  if (last === undefined || found.unfinished !== null) {
    const made = makeSegment(settings, found.unfinished ?? 1, found.scan.nextLsn);
    segments.push(made.segment);
    return made.handle;
  }
  const handle = settings.disk.open(last.path, "read-write");
  if (isVouchedFor(found.scan)) return handle;
  try {
    repairEnd(handle, last, found.scan);
    // The process may have been killed between making the segment and syncing its name.
    settings.disk.syncDir(settings.dir);
    return handle;
  } catch (error) {
    handle.close();
    throw error;
  }
}
