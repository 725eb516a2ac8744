/**
 * What the steps of chapter 03 judge: the module's contract, and the parts that early steps build.
 *
 * A reader's module exports all of it. The reference is judged by its contract; the parts it gets
 * from the chapter's solution, since its own are made for speed and have other shapes.
 */
import type { Bytes, Cursor, Sequence } from "#base";
import type { SstableModule } from "#sstable/types";
import * as solution from "../../../chapters/03-sstable/solution/index.ts";

/** Where a version stands in the order. */
export interface Place {
  readonly key: Bytes;
  readonly sequence: Sequence;
}

/** One version, as the parts hand it out. */
export interface Version extends Place {
  readonly value: Bytes | null;
}

/** Which keys `scanRange` hands out. */
export interface ScanRange {
  readonly from?: Bytes;
  readonly before?: Bytes;
  readonly isReversed?: boolean;
}

/** What early steps build. */
export interface SstableParts {
  compareVersions(a: Place, b: Place): number;
  createBlockBuilder(limitBytes: number): {
    readonly entries: number;
    readonly bytes: number;
    add(key: Bytes, value: Bytes | null, sequence: Sequence): boolean;
    finish(): Bytes;
  };
  readBlock(block: Bytes): readonly Version[];
  seekInBlock(block: Bytes, key: Bytes, at?: Sequence): Version | null;
  hashKey(key: Bytes): readonly [a: number, b: number];
  bitsPerKeyFor(falsePositives: number): number;
  buildFilter(keys: readonly Bytes[], bitsPerKey: number): Bytes;
  openFilter(content: Bytes): { mayContain(key: Bytes): boolean } | null;
  blockChecksum(typed: Bytes, place: { readonly id: number; readonly offset: number }): number;
  scanRange(cursor: Cursor, range?: ScanRange): Iterable<Version>;
}

/** What is judged. */
export type Subject = SstableModule & SstableParts;

/** The parts that are exercises only. */
const PARTS: SstableParts = {
  compareVersions: solution.compareVersions,
  createBlockBuilder: solution.createBlockBuilder,
  readBlock: solution.readBlock,
  seekInBlock: solution.seekInBlock,
  hashKey: solution.hashKey,
  bitsPerKeyFor: solution.bitsPerKeyFor,
  buildFilter: solution.buildFilter,
  openFilter: solution.openFilter,
  blockChecksum: solution.blockChecksum,
  scanRange: solution.scanRange,
};

/** Makes a subject of a loaded module. */
export function subjectOf(module: object): Subject {
  return { ...PARTS, ...(module as SstableModule) };
}
