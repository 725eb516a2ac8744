/**
 * What the checks of chapter 01 are given: a log, the reader's or the reference, and its parts.
 */
import type { Bytes } from "#base";
import type { describeSegment } from "#wal";
import type { Lsn, WalModule } from "#wal/types";

/** What a frame says. Type 1 is a record, type 2 a mark. */
export interface FrameParts {
  readonly type: 1 | 2;
  readonly lsn: Lsn;
  readonly watermark: Lsn;
  readonly payload: Bytes;
}

/** A frame that was found, and where it ends. */
export type FoundFrame = FrameParts & { readonly endOffset: number };

/** The number that a frame must have, null for any; and what its checksum begins with. */
export interface Expected {
  readonly seed: number;
  readonly lsn: Lsn | null;
}

/** The module under test. */
export interface WalSubject extends WalModule {
  encodeFrame(frame: FrameParts, seed: number): Bytes;
  decodeFrame(source: Bytes, offset: number, expected: Expected): FoundFrame | string;
  /** The reference's view of a segment file, in every module. */
  readonly describeSegment: typeof describeSegment;
}
