/**
 * Reads a manifest without opening it for writing: to see whether it is sound before anything is
 * changed, to repair it, and for people.
 *
 * Invariant: looking changes nothing. The state is the one after the last step before the first
 * problem; a torn end, which a crash may leave, is not a problem.
 * Chapter: 04-lsm
 */
import { type Bytes, errorText, isCairnError } from "#base";
import type { Disk } from "#platform/types";
import { describeSegment } from "#wal";
import type { SegmentDescription } from "#wal/types";
import { decodeEdit, EditKind, type ManifestRecord } from "./edit-codec.ts";
import type { ManifestState } from "./parts.ts";
import { createReplay } from "./version-replay.ts";

/** Where something is. */
export interface ManifestPlace {
  readonly file: string;
  readonly offset: number;
}

/** One record of a manifest. */
export interface ScannedRecord extends ManifestPlace {
  readonly lsn: number;
  /** Of the whole frame in the log. */
  readonly bytes: number;
  /** Null if it cannot be decoded. */
  readonly record: ManifestRecord | null;
  readonly problem: string | null;
}

/** What a manifest says. */
export interface ManifestScan {
  /** After the last good step; null: there is none. */
  readonly state: ManifestState | null;
  /** Steps that led there, the snapshot among them. */
  readonly records: number;
  /** Of the record behind the last whole one in its log. */
  readonly nextLsn: number;
  /** Payload of the snapshot in front. */
  readonly snapshotBytes: number;
  /** Bytes of a torn end. */
  readonly droppedBytes: number;
  /** Bytes of its files. */
  readonly bytes: number;
  /** Whether it is one file that was closed properly: its end vouches for all of it. */
  readonly isClosed: boolean;
  /** The first thing that is wrong and that no crash explains. */
  readonly problem: (ManifestPlace & { readonly text: string }) | null;
}

/** Reads the log in a manifest's directory. @throws disk errors, but for files that are missing. */
export function scanManifest(
  disk: Disk,
  dir: string,
  onRecord: (record: ScannedRecord) => void = () => {},
): ManifestScan {
  const scanner = new Scanner(onRecord);
  const names = disk.exists(dir) ? disk.list(dir).filter((name) => name.endsWith(".wal")) : [];
  for (const [i, name] of names.entries()) {
    scanner.readSegment(disk, `${dir}/${name}`, i === names.length - 1);
  }
  return scanner.finish(dir);
}

class Scanner {
  readonly #onRecord: (record: ScannedRecord) => void;
  readonly #replay = createReplay();
  #records = 0;
  #snapshotBytes = 0;
  #droppedBytes = 0;
  #bytes = 0;
  #segments = 0;
  #isVouchedFor = false;
  #nextLsn = 1;
  #problem: ManifestScan["problem"] = null;

  constructor(onRecord: (record: ScannedRecord) => void) {
    this.#onRecord = onRecord;
  }

  readSegment(disk: Disk, file: string, isLast: boolean): void {
    const firstLsn = this.#nextLsn;
    const found = describeSegment({ disk, path: file }, ({ kind, offset, bytes, lsn, payload }) => {
      if (kind === "record") this.#take({ file, offset, bytes, lsn, payload });
    });
    this.#judgeSegment(file, found, { firstLsn, isLast });
    this.#nextLsn = found.nextLsn;
    this.#segments += 1;
    this.#bytes += found.bytes;
    this.#isVouchedFor = found.durableLsn === found.nextLsn - 1 && found.verdict === "sound";
  }

  finish(dir: string): ManifestScan {
    const state = this.#records === 0 ? null : this.#replay.finish();
    if (state === null) this.#fail({ file: dir, offset: 0 }, "it holds no snapshot");
    if (typeof state === "string") this.#fail({ file: dir, offset: 0 }, state);
    return {
      state: typeof state === "string" ? null : state,
      records: this.#records,
      nextLsn: this.#nextLsn,
      snapshotBytes: this.#snapshotBytes,
      droppedBytes: this.#droppedBytes,
      bytes: this.#bytes,
      isClosed: this.#segments === 1 && this.#isVouchedFor,
      problem: this.#problem,
    };
  }

  #take(at: ManifestPlace & { bytes: number; lsn: number; payload: Bytes }): void {
    const { file, offset, bytes, lsn, payload } = at;
    const { record, problem } = this.#step(payload);
    if (problem !== null) this.#fail(at, `record ${lsn}: ${problem}`);
    else if (this.#problem === null) {
      if (this.#records === 0) this.#snapshotBytes = payload.length;
      this.#records += 1;
    }
    this.#onRecord({ file, offset, bytes, lsn, record, problem });
  }

  /** Decodes a record, and takes it if nothing before it was wrong. */
  #step(payload: Bytes): { record: ManifestRecord | null; problem: string | null } {
    let record: ManifestRecord;
    try {
      record = decodeEdit(payload);
    } catch (error) {
      if (!isCairnError(error, "BYTES_MALFORMED")) throw error;
      return { record: null, problem: errorText(error) };
    }
    if (this.#problem !== null) return { record, problem: null };
    const isFirst = this.#records === 0;
    if (isFirst !== (record.kind === EditKind.snapshot)) {
      return { record, problem: isFirst ? "a snapshot comes first" : "a second snapshot" };
    }
    return { record, problem: this.#replay.take(record.edit) };
  }

  #judgeSegment(
    file: string,
    found: SegmentDescription,
    expected: { readonly firstLsn: number; readonly isLast: boolean },
  ): void {
    const { problem, verdict } = found;
    const isDamaged = verdict === "damaged" || (verdict === "torn" && !expected.isLast);
    if (isDamaged) this.#fail({ file, offset: problem?.offset ?? 0 }, problem?.text ?? "damaged");
    else if (found.firstLsn !== null && found.firstLsn !== expected.firstLsn) {
      this.#fail({ file, offset: 0 }, `begins with ${found.firstLsn}, not ${expected.firstLsn}`);
    } else if (found.firstLsn !== null) this.#droppedBytes += found.droppedBytes;
  }

  #fail({ file, offset }: ManifestPlace, text: string): void {
    this.#problem ??= { file, offset, text };
  }
}
