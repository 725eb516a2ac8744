/**
 * What the comparison is made of: engines, rows, cells and the report. Types only.
 *
 * A cell is one engine doing one row once. A row is one kind of work, such as reading in random
 * order. Every engine does a row's work on the same keys and values, in the same order, and shows
 * by its tally that it did.
 */

/** What takes part. `lmdb-nosync` only on request: power loss may cost it the whole database. */
export type EngineName = "cairn" | "classic-level" | "lmdb" | "lmdb-nosync" | "better-sqlite3";

/** The rows, by the names of LevelDB's `db_bench` where it has them. */
export type RowName =
  | "fillseq"
  | "fillrandom"
  | "fillsync"
  | "fillbatch"
  | "overwrite"
  | "readrandom"
  | "readmissing"
  | "readhot"
  | "readseq"
  | "readreverse"
  | "seekrandom"
  | "readwhilewriting"
  | "deleterandom"
  | "open";

/** Which method of a store a row spends its time in; what is said of an engine is said by these. */
export type Call =
  | "puts"
  | "batch"
  | "durablePuts"
  | "deletes"
  | "gets"
  | "scan"
  | "seeks"
  | "open";

/** What a cell has done. Equal for all engines, or nobody is believed. */
export interface Tally {
  operations: number;
  /** Of keys and values handed to the caller. */
  bytes: number;
  /** Of bytes inside the values, so that a lazy value has to be there. */
  checksum: number;
}

/** A part of a list of key numbers: `from` is included, `before` is not. */
export interface KeyList {
  readonly keys: Uint32Array;
  readonly from: number;
  readonly before: number;
}

/** An open store. Each method uses the fastest way that the engine has for this kind of work. */
export interface Store {
  /** Single writes, 256 of them unanswered at any time. `salt` chooses the values. */
  puts(list: KeyList, salt: number): Promise<void>;
  /** All writes of the list, together or not at all. */
  batch(list: KeyList, salt: number): Promise<void> | void;
  /** Single writes, each safe from power loss before the next begins. */
  durablePuts(list: KeyList, salt: number): Promise<void> | void;
  /** Single deletions, as `puts`. */
  deletes(list: KeyList): Promise<void>;
  /** Looks keys up, one after the other. A key that is not there adds an operation, no bytes. */
  gets(list: KeyList, tally: Tally): Promise<void> | void;
  /** Begins a scan of everything, in pieces. */
  scan(reverse: boolean): Scan;
  /** Finds the first entry at or behind each key, one after the other. */
  seeks(list: KeyList, tally: Tally): Promise<void> | void;
  /** Waits for background work, where the engine can tell. */
  settled?(): Promise<void>;
  close(): Promise<void> | void;
}

/** A scan under way. */
export interface Scan {
  /** Reads on, about a thousand entries. @returns false at the end. */
  more(tally: Tally): Promise<boolean> | boolean;
  close(): Promise<void> | void;
}

/** How a store is opened. */
export interface OpenRequest {
  readonly dir: string;
  /** The row will call `durablePuts`: an engine may need to know when it opens. */
  readonly durable: boolean;
}

/** One engine: how it is opened, and what the report says about it. */
export interface Contender {
  readonly name: EngineName;
  readonly version: string;
  /** Memory, durability and the like, as opened here. */
  readonly settings: string;
  /** What survives after an acknowledged single write or batch. */
  readonly durability: string;
  /** The same for `durablePuts`. */
  readonly durabilitySynced: string;
  /** Which API each kind of work goes through, and why that one. */
  readonly api: Readonly<Record<Call, string>>;
  open(request: OpenRequest): Promise<Store> | Store;
}

/** What a child process is asked to do. */
export type Job =
  | { readonly kind: "describe"; readonly engine: EngineName }
  | {
      readonly kind: "prepare";
      readonly engine: EngineName;
      readonly dir: string;
      readonly keys: number;
    }
  | {
      readonly kind: "cell";
      readonly engine: EngineName;
      readonly row: RowName;
      readonly dir: string;
      readonly keys: number;
    };

/** What is said of an engine in the report. */
export type Description = Omit<Contender, "open">;

/** What a cell measured. */
export interface CellResult {
  readonly tally: Tally;
  readonly microsecondsPerOperation: number;
  /** Of all threads of the process while the clock ran. */
  readonly cpuMicrosecondsPerOperation: number;
  /** How late the event loop was; null where the row took too short a time to tell. */
  readonly loopDelayP99Ms: number | null;
  /** Peak of the process. */
  readonly rssBytesMax: number;
  /** From the last acknowledgement until the store was closed. */
  readonly closeMs: number;
  /** For people, such as the share of a writing rate that was kept. */
  readonly note?: string;
}

/** An answer to a job. */
export type Answer =
  | { readonly kind: "described"; readonly description: Description }
  | { readonly kind: "prepared"; readonly seconds: number }
  | { readonly kind: "cell"; readonly result: CellResult }
  | { readonly kind: "failed"; readonly reason: string };

/** What the command line may change. */
export interface CompareOptions {
  readonly keys: number;
  readonly rounds: number;
  readonly rows: readonly RowName[];
  readonly engines: readonly EngineName[];
  /** Where stores are made; removed by the caller. */
  readonly workDir: string;
  /** A process for every cell; otherwise one for each engine, which is quicker and less fair. */
  readonly processPerCell: boolean;
  /** Run what was built rather than the sources. */
  readonly built: boolean;
  readonly onProgress: (line: string) => void;
}

/** One engine's results in one row. */
export interface RowOfEngine {
  readonly engine: EngineName;
  readonly api: string;
  readonly durability: string;
  /** One per round. */
  readonly cells: readonly CellResult[];
  readonly medianMicroseconds: number;
  /** Median of the distances from the median. */
  readonly deviationMicroseconds: number;
}

/** How many times faster Cairn was than a peer. */
export interface PeerRatio {
  readonly peer: EngineName;
  /** Peer's time divided by Cairn's, round by round: above 1, Cairn is faster. */
  readonly rounds: readonly number[];
  readonly median: number;
}

/** One row of the report. */
export interface RowReport {
  readonly row: RowName;
  readonly definition: string;
  readonly operations: number;
  readonly engines: readonly RowOfEngine[];
  readonly ratios: readonly PeerRatio[];
  /** Hash of the tallies of all rounds, the same for every engine. */
  readonly workHash: string;
}

/** The machine, as far as it bears on the numbers. */
export interface Environment {
  readonly processor: string;
  readonly processors: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  readonly filesystem: string;
  /** Median of writing 4 KiB and syncing, into a file that is already there. */
  readonly fdatasyncMicroseconds: number;
  /** Of the last minute, at the start and at the end. */
  readonly loadAverage: readonly [number, number];
  readonly started: string;
  readonly seconds: number;
}

/** The whole report, as it is written to the JSON file. */
export interface CompareReport {
  readonly format: 1;
  readonly keys: number;
  readonly rounds: number;
  readonly keyBytes: number;
  readonly valueBytes: number;
  readonly code: "built" | "sources";
  readonly environment: Environment;
  readonly contenders: readonly Description[];
  readonly rows: readonly RowReport[];
  /** What the numbers say, where Cairn loses first. */
  readonly words: readonly string[];
}
