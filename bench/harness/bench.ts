/**
 * One benchmark function under way: its parameters, series, figures and clean-up.
 *
 * Invariant: clean-up runs once, last registered first, also when the benchmark throws.
 */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createSeries } from "./series.ts";
import type {
  Bench,
  BenchFunction,
  BenchOptions,
  BenchReport,
  BenchSize,
  Figure,
  Goal,
  Series,
} from "./types.ts";

/**
 * Inside the repository, where the disk of the project is; a memory file system would flatter every
 * sync.
 */
const SCRATCH = "data/bench";
const HASH_DIGITS = 16;

/**
 * Runs one benchmark function and returns its report. @throws what the function throws, after
 * cleaning up.
 */
export async function runBench(
  name: string,
  run: BenchFunction,
  size: BenchSize,
  options: BenchOptions = {},
): Promise<BenchReport> {
  const bench = new RunningBench(size, options);
  try {
    await run(bench);
    return bench.report(name);
  } finally {
    await bench.cleanUp();
  }
}

class RunningBench implements Bench {
  readonly size: BenchSize;
  readonly #options: BenchOptions;
  readonly #parameters: Record<string, number> = {};
  readonly #series = new Map<string, Series>();
  readonly #figures: Figure[] = [];
  readonly #cleanUps: (() => void | Promise<void>)[] = [];
  readonly #hash = createHash("sha256");

  constructor(size: BenchSize, options: BenchOptions) {
    this.size = size;
    this.#options = options;
  }

  parameter(name: string, values: { readonly small: number; readonly canonical: number }): number {
    const given = this.#options[name];
    const value = given === undefined ? values[this.size] : Number(given);
    if (given !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
      throw new RangeError(`bench: --${name}: ${given} is not a positive whole number`);
    }
    this.#parameters[name] = value;
    return value;
  }

  option(name: string): string | undefined {
    return this.#options[name];
  }

  directory(): string {
    mkdirSync(SCRATCH, { recursive: true });
    const path = mkdtempSync(join(SCRATCH, "run-"));
    this.defer(() => rmSync(path, { recursive: true, force: true }));
    return path;
  }

  defer(cleanUp: () => void | Promise<void>): void {
    this.#cleanUps.push(cleanUp);
  }

  series(name: string): Series {
    const known = this.#series.get(name);
    if (known !== undefined) return known;
    const made = createSeries(name);
    this.#series.set(name, made);
    return made;
  }

  figure(name: string, value: number, unit: string, goal?: Goal): void {
    this.#figures.push({ name, value, unit, ...this.#goal(goal) });
  }

  ratio(name: string, of: { subject: number; peer: number; peerName: string }, goal?: Goal): void {
    const value = of.subject / of.peer;
    this.#figures.push({ name, value, unit: "x", peer: of.peerName, ...this.#goal(goal) });
  }

  work(bytes: Uint8Array | string): void {
    this.#hash.update(bytes);
  }

  now(): number {
    return performance.now() * 1e6;
  }

  report(name: string): BenchReport {
    return {
      name,
      size: this.size,
      parameters: this.#parameters,
      series: [...this.#series.values()].map((series) => ({
        name: series.name,
        count: series.count,
        microseconds: {
          p50: series.microsecondsAt(50),
          p90: series.microsecondsAt(90),
          p99: series.microsecondsAt(99),
          max: series.microsecondsAt(100),
        },
      })),
      figures: this.#figures,
      workHash: this.#hash.digest("hex").slice(0, HASH_DIGITS),
    };
  }

  /** A small run is a smoke test: too short to be held to anything. */
  #goal(goal: Goal | undefined): { goal?: Goal } {
    return goal === undefined || this.size === "small" ? {} : { goal };
  }

  async cleanUp(): Promise<void> {
    while (this.#cleanUps.length > 0) await this.#cleanUps.pop()!();
  }
}
