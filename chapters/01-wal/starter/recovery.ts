/**
 * Repairing the end of a log before anybody writes to it. Steps 01.4 and 01.8.
 *
 * Invariant: what `openWal` has handed out is durable when it returns.
 */
import { notWritten } from "#base";
import type { FileHandle } from "#platform/types";
import type { Scan } from "./scan.ts";
import type { Segment } from "./segment.ts";

/**
 * Cuts what is behind the last frame, and makes what is left durable (step 01.4). In step 01.8 it
 * also stops believing what an earlier, failed sync may have left in memory only.
 */
export function repairEnd(_handle: FileHandle, _segment: Segment, _scan: Scan): void {
  notWritten("01.4", "repairEnd");
}
