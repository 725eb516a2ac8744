/**
 * What a benchmark sees: sized parameters, a place on disk, series of timings, and ratios against a
 * peer.
 *
 * The rule behind it: a number alone says little about another machine. What is reported as a
 * result is a ratio of two series measured in the same run, interleaved; absolute numbers are
 * printed beside it.
 */

/** `small`: a smoke test of a second or less. `canonical`: what is quoted. */
export type BenchSize = "small" | "canonical";

/** Timings of one kind of operation. */
export interface Series {
  readonly name: string;
  readonly count: number;
  /** Adds one timing. */
  record(nanoseconds: number): void;
  /** Times one call. */
  measure<T>(run: () => T): T;
  /** Times one call until its promise is settled. */
  measureAsync<T>(run: () => Promise<T>): Promise<T>;
  /** Microseconds at a percentile, 0 to 100. */
  microsecondsAt(percentile: number): number;
}

/** What a ratio should be. */
export interface Goal {
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** A number in the report. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: Goal;
  /** What the ratio was taken against. */
  readonly peer?: string;
}

/** What one benchmark function gets. */
export interface Bench {
  readonly size: BenchSize;
  /** A named size, printed with the result. `--name` on the command line takes its place. */
  parameter(name: string, values: { readonly small: number; readonly canonical: number }): number;
  /** What was given as `--name` on the command line. */
  option(name: string): string | undefined;
  /** A fresh directory on a real disk, removed at the end. */
  directory(): string;
  /** Runs at the end, last registered first, also after a failure. */
  defer(cleanUp: () => void | Promise<void>): void;
  /** A series by name; the same name gives the same series. */
  series(name: string): Series;
  /** Reports a number with its unit, such as records per second. */
  figure(name: string, value: number, unit: string, goal?: Goal): void;
  /** Reports subject divided by peer. */
  ratio(name: string, of: { subject: number; peer: number; peerName: string }, goal?: Goal): void;
  /** Mixes bytes into the hash of the work, so that two runs can be seen to have done the same. */
  work(bytes: Uint8Array | string): void;
  /** The clock, in nanoseconds. */
  now(): number;
}

/** What the command line gave besides the size, by name. */
export type BenchOptions = Readonly<Record<string, string>>;

/** A benchmark: an exported function of a `*.bench.ts` file. */
export type BenchFunction = (bench: Bench) => void | Promise<void>;

/** What one benchmark function reported. */
export interface BenchReport {
  readonly name: string;
  readonly size: BenchSize;
  readonly parameters: Readonly<Record<string, number>>;
  readonly series: readonly {
    readonly name: string;
    readonly count: number;
    readonly microseconds: Readonly<Record<"p50" | "p90" | "p99" | "max", number>>;
  }[];
  readonly figures: readonly Figure[];
  /** The first 16 hexadecimal digits of the SHA-256 over the work. */
  readonly workHash: string;
}
