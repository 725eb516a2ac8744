/**
 * `cairn inspect`: what is in a file of ours, and where it is damaged.
 *
 * The kind is found by what a file holds, not by its name; a name counts only where damage has made
 * the content unrecognizable. Invariant: looking changes nothing, and takes no lock.
 */
import type { Bytes } from "#base";
import { isCairnError } from "#base";
import type { Disk } from "#platform/types";
import { isSegmentFile } from "#wal";
import { inspectEngine, isEngineDirectory } from "./inspect-engine.ts";
import {
  type InspectOptions,
  inspectSegment,
  logReport,
  readLog,
  segmentNames,
} from "./inspect-log.ts";
import { inspectCurrent, inspectManifestDirectory, isCurrentFile } from "./inspect-manifest.ts";
import { manifestEdits } from "./inspect-payload.ts";
import { type Report, reportJson, reportText } from "./inspect-report.ts";
import { inspectTable } from "./inspect-table.ts";

/** The end of every table: see the footer's format. */
const TABLE_MAGIC = "CAIRNSST";
/** Enough for the magic of a segment, and for all of `CURRENT`. */
const HEAD_BYTES = 64;

/** What `cairn inspect` is asked for. */
export interface InspectRequest extends InspectOptions {
  readonly json: boolean;
}

/** The answer: a text, and the exit code of the program. */
export interface InspectAnswer {
  readonly text: string;
  /** 0: sound, or torn as a crash leaves it. 1: damaged. 2: not a file that we know. */
  readonly exitCode: 0 | 1 | 2;
}

/** Looks at a file or directory. @throws disk errors as they come. */
export function inspect(request: InspectRequest): InspectAnswer {
  const report = inspectAny(request);
  if (report === null) {
    const text = `${request.path}: not a log, table, manifest or engine of cairn`;
    return { text, exitCode: 2 };
  }
  const text = request.json ? reportJson(report) : reportText(report);
  return { text, exitCode: report.verdict === "damaged" ? 1 : 0 };
}

function inspectAny(request: InspectRequest): Report | null {
  const names = namesIn(request.disk, request.path);
  if (names === null) return inspectFile(request);
  if (isEngineDirectory(names)) return inspectEngine(request);
  if (segmentNames(names).length === 0) return null;
  const log = readLog(request);
  if (log.kind === manifestEdits) return inspectManifestDirectory(request);
  return logReport(request.path, log);
}

function inspectFile(request: InspectRequest): Report | null {
  const { head, tail } = endsOf(request.disk, request.path);
  if (isSegmentFile(head)) return inspectSegment(request);
  if (Buffer.from(tail).toString("latin1") === TABLE_MAGIC) return inspectTable(request);
  if (isCurrentFile(head)) return inspectCurrent(request);
  // Damage may have hit just what a kind is known by.
  const name = request.path.split("/").at(-1) ?? "";
  if (segmentNames([name]).length > 0) return inspectSegment(request);
  if (name.endsWith(".sst")) return inspectTable(request);
  return name === "CURRENT" ? inspectCurrent(request) : null;
}

/** The names in a directory; null for a file. */
function namesIn(disk: Disk, path: string): string[] | null {
  try {
    return disk.list(path);
  } catch (error) {
    if (!isCairnError(error)) throw error;
    // Not a directory. If it is nothing at all, opening it says so.
    return null;
  }
}

function endsOf(disk: Disk, path: string): { readonly head: Bytes; readonly tail: Bytes } {
  const handle = disk.open(path, "read");
  try {
    const head = new Uint8Array(HEAD_BYTES);
    const tail = new Uint8Array(TABLE_MAGIC.length);
    const headBytes = handle.read(0, head);
    const tailBytes = handle.read(Math.max(0, handle.size() - tail.length), tail);
    return { head: head.subarray(0, headBytes), tail: tail.subarray(0, tailBytes) };
  } finally {
    handle.close();
  }
}
