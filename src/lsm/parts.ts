/**
 * What the parts of the engine hand to each other: versions, edits, plans and jobs. Types only.
 *
 * A version is the set of live tables, in runs. A run is a sorted, non-overlapping list of tables
 * (L6). Runs are ordered newest first: by level upwards, then by run number downwards. Every
 * version of a key in a newer run is newer than every one in an older run, so a search ends at the
 * first run that knows the key (L1).
 * Chapter: 04-lsm
 */
import type { Bytes, Cursor, Sequence } from "#base";
import type { Disk } from "#platform/types";
import type { BlockCompression, Table, TableMeta, TableWriter } from "#sstable/types";

/** A sorted list of tables that do not overlap. */
export interface Run {
  /** 0 to LEVEL_MAX. */
  readonly level: number;
  /** Of two runs in a level, the one with the larger number is newer. */
  readonly number: number;
  /** Ascending by key. No key has versions in two of them. */
  readonly tables: readonly TableMeta[];
}

/** The live tables at one moment. Never changes; an edit makes a new one. */
export interface Version {
  /** Newest first; none is empty. */
  readonly runs: readonly Run[];
}

/** One step from a version to the next, and what goes with it. Applied whole or not at all. */
export interface VersionEdit {
  /** Taken out first. */
  readonly remove: readonly { readonly level: number; readonly id: number }[];
  /** Then put in. A table may be removed from one level and added to another. */
  readonly add: readonly {
    readonly level: number;
    readonly run: number;
    readonly table: TableMeta;
  }[];
  /** The log to replay: its directory's number. */
  readonly logNumber?: number;
  /** Replay that log from this record on. */
  readonly logFrom?: number;
  /** Every number below this may have been used (L7). */
  readonly nextNumber?: number;
  /** Of the newest change that tables hold. */
  readonly sequence?: Sequence;
}

/** Everything that the manifest knows. */
export interface ManifestState {
  readonly version: Version;
  readonly logNumber: number;
  readonly logFrom: number;
  readonly nextNumber: number;
  readonly sequence: Sequence;
}

/** The durable list of edits. One writer. */
export interface Manifest {
  readonly state: ManifestState;
  /**
   * Makes an edit durable, then adopts it. After a failure the state is the old one, and whether
   * the edit would come back after a crash is unknown: no file that it names may be removed until a
   * later `apply` has worked, which begins a new file with the state as it stands.
   *
   * @throws disk errors. InvariantError for an edit that does not fit the version.
   */
  apply(edit: VersionEdit): void;
  /** As `apply`, without blocking the thread for the sync. One at a time. */
  applyAsync(edit: VersionEdit): Promise<void>;
  /** Releases the files. A manifest of many edits is written anew first. Twice is once. */
  close(): Promise<void>;
}

/** Part of a run that a compaction reads. */
export interface CompactionInput {
  readonly level: number;
  readonly run: number;
  readonly tables: readonly TableMeta[];
}

/** What a picker decides. */
export interface CompactionPlan {
  /** For people: why now, with numbers. */
  readonly reason: string;
  /** Newest first. All tables of newer runs that overlap an input, down to the output level, are
   * inputs too. */
  readonly inputs: readonly CompactionInput[];
  readonly outputLevel: number;
  /** The run that the outputs join; null: a new run, the newest of its level. */
  readonly outputRun: number | null;
}

/** Decides what to compact. Pure: the same version gives the same plan. */
export interface Picker {
  readonly name: string;
  /** @returns null when nothing is due. */
  pick(version: Version): CompactionPlan | null;
}

/** Keys from `smallest` to `largest`, both included. */
export interface KeySpan {
  readonly smallest: Bytes;
  readonly largest: Bytes;
}

/** How tables are written by flush and compaction. */
export interface TableShape {
  readonly tableBytesMax: number;
  readonly blockBytes: number;
  readonly filterBitsPerKey: number;
  readonly compression: BlockCompression;
}

/** Keys with timestamps, and what of them nobody reads any more: see superseded.ts. */
export interface SupersededKeys {
  /** What such keys begin with. */
  readonly firstByte: number;
  /** Nobody reads below it, now or later. */
  readonly horizon: number;
  /** Spans of all tables that are no inputs. */
  readonly outside: readonly KeySpan[];
}

/** A compaction, ready to run on any thread: plain data. */
export interface CompactionJob {
  readonly plan: CompactionPlan;
  /** Sequences that somebody may still read at, ascending, without repeats. */
  readonly snapshots: readonly Sequence[];
  /** Tables older than the inputs, which may hold older versions of their keys (L5). */
  readonly older: readonly KeySpan[];
  readonly shape: TableShape;
  /** Default: no key has a timestamp. */
  readonly superseded?: SupersededKeys | undefined;
}

/** What a compaction or a flush has made. */
export interface JobResult {
  readonly tables: readonly TableMeta[];
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Versions that nobody can see any more, and deletions that hide nothing. */
  readonly entriesDropped: number;
}

/** Where a job gets its tables. */
export interface TableIo {
  readonly disk: Disk;
  /** A number that no file has, or ever had (L7). */
  allocateId(): number;
  /** Opens a table for this job; closed by whoever runs the job, at its end. */
  open(meta: TableMeta): Table;
  /** Starts the table of that number. @throws disk errors. */
  create(id: number, shape: TableShape): TableWriter;
  /** Where the table of that number is, or would be: a job that fails removes what it has made. */
  pathOf(id: number): string;
}

/**
 * A job in slices: each `next` does a bounded piece of work. Ends with the result; a thrown error
 * ends it after its unfinished tables were removed. `return` gives up in the same way.
 */
export type JobRun = Generator<void, JobResult, void>;

/** Merges cursors, newest first, into one; entries with equal keys come newest cursor first. */
export type MergeCursors = (newestFirst: readonly Cursor[]) => Cursor;
