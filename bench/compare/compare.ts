/**
 * The run: rows one after the other, in each as many rounds as asked for, in each round every
 * engine once, in an order that rotates from round to round.
 *
 * Invariant: in every row and round, all engines have done the same work; otherwise the run ends
 * with an error, since then somebody was measured doing less.
 */
import { createHash } from "node:crypto";
import { closeSync, cpSync, fsyncSync, mkdirSync, openSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { observeEnvironment } from "./environment.ts";
import { type RowDefinition, rowNamed } from "./rows.ts";
import { median, medianDeviation, ratiosByRound } from "./statistics.ts";
import type {
  CellResult,
  CompareOptions,
  CompareReport,
  Description,
  EngineName,
  PeerRatio,
  RowReport,
} from "./types.ts";
import { sayInWords } from "./words.ts";
import { startWorker, type Worker } from "./worker.ts";
import { KEY_BYTES, VALUE_BYTES } from "./workload.ts";

const HASH_DIGITS = 16;
const PROGRESS_DIGITS = 2;
const NAME_WIDTH = 16;

/** Runs the whole comparison. */
export async function compareEngines(options: CompareOptions): Promise<CompareReport> {
  const finishEnvironment = observeEnvironment(options.workDir);
  const workers = workerPool(options);
  try {
    const contenders: Description[] = [];
    for (const engine of options.engines) {
      contenders.push(await workers.use(engine, (worker) => worker.describe(engine)));
    }
    await prepareStores(options, workers);
    const rows: RowReport[] = [];
    for (const name of options.rows) {
      const row = rowNamed(name);
      const cells = await runRow(options, workers, row);
      rows.push(reportRow(row, { cells, contenders }));
    }
    return {
      format: 1,
      keys: options.keys,
      rounds: options.rounds,
      keyBytes: KEY_BYTES,
      valueBytes: VALUE_BYTES,
      code: options.built ? "built" : "sources",
      environment: finishEnvironment(),
      contenders,
      rows,
      words: sayInWords(rows),
    };
  } finally {
    await workers.end();
  }
}

/** Processes, one for each use or one for each engine. */
interface WorkerPool {
  use<T>(engine: EngineName, work: (worker: Worker) => Promise<T>): Promise<T>;
  end(): Promise<void>;
}

function workerPool({ processPerCell, built }: CompareOptions): WorkerPool {
  const kept = new Map<EngineName, Worker>();
  return {
    async use(engine, work) {
      const worker = kept.get(engine) ?? startWorker(built);
      if (!processPerCell) {
        kept.set(engine, worker);
        return await work(worker);
      }
      try {
        return await work(worker);
      } finally {
        await worker.end();
      }
    },
    async end() {
      for (const worker of kept.values()) await worker.end();
    },
  };
}

const preparedDir = (workDir: string, engine: EngineName) => join(workDir, `full-${engine}`);

async function prepareStores(options: CompareOptions, workers: WorkerPool): Promise<void> {
  if (options.rows.every((name) => rowNamed(name).start === "empty")) return;
  for (const engine of options.engines) {
    const dir = preparedDir(options.workDir, engine);
    mkdirSync(dir, { recursive: true });
    const seconds = await workers.use(engine, (worker) =>
      worker.prepare(engine, dir, options.keys),
    );
    syncFiles(dir);
    options.onProgress(`prepared ${engine.padEnd(NAME_WIDTH)} ${seconds.toFixed(1)} s`);
  }
}

async function runRow(
  options: CompareOptions,
  workers: WorkerPool,
  row: RowDefinition,
): Promise<Map<EngineName, CellResult[]>> {
  const cells = new Map<EngineName, CellResult[]>();
  for (const engine of options.engines) cells.set(engine, []);
  for (let round = 0; round < options.rounds; round += 1) {
    for (const engine of rotated(options.engines, round)) {
      const dir = storeFor(row, { engine, workDir: options.workDir });
      const cell = { row: row.name, dir, keys: options.keys };
      const result = await workers.use(engine, (worker) => worker.measure(engine, cell));
      if (row.start !== "full") rmSync(dir, { recursive: true, force: true });
      cells.get(engine)!.push(result);
      const us = result.microsecondsPerOperation.toFixed(PROGRESS_DIGITS);
      const note = result.note ?? "";
      options.onProgress(
        `${row.name.padEnd(NAME_WIDTH)} round ${round + 1}  ` +
          `${engine.padEnd(NAME_WIDTH)} ${us.padStart(NAME_WIDTH / 2)} µs/op  ${note}`.trimEnd(),
      );
    }
  }
  return cells;
}

/** In each round another engine is first, so that nobody always follows the same one. */
function rotated(engines: readonly EngineName[], round: number): EngineName[] {
  const first = round % engines.length;
  return [...engines.slice(first), ...engines.slice(0, first)];
}

function storeFor(
  row: RowDefinition,
  { engine, workDir }: { readonly engine: EngineName; readonly workDir: string },
): string {
  const full = preparedDir(workDir, engine);
  if (row.start === "full") return full;
  const dir = join(workDir, "cell");
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  if (row.start === "copy") {
    cpSync(full, dir, { recursive: true });
    syncFiles(dir);
  }
  return dir;
}

/** So that no cell pays for the pages which an earlier one left to be written. */
function syncFiles(dir: string): void {
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = openSync(join(entry.parentPath, entry.name), "r");
    fsyncSync(file);
    closeSync(file);
  }
}

/** One row of the report. @throws when two engines have not done the same work. */
export function reportRow(
  row: RowDefinition,
  of: {
    readonly cells: ReadonlyMap<EngineName, readonly CellResult[]>;
    readonly contenders: readonly Description[];
  },
): RowReport {
  const times = (engine: EngineName) =>
    of.cells.get(engine)!.map((cell) => cell.microsecondsPerOperation);
  const tallies = sameWork(row, of.cells);
  const engines = of.contenders.map((contender) => ({
    engine: contender.name,
    api: contender.api[row.call],
    durability: durabilityOf(contender, row),
    cells: of.cells.get(contender.name)!,
    medianMicroseconds: median(times(contender.name)),
    deviationMicroseconds: medianDeviation(times(contender.name)),
  }));
  const ratios: PeerRatio[] = [];
  for (const { name: engine } of of.contenders) {
    if (engine === "cairn" || !of.cells.has("cairn")) continue;
    const rounds = ratiosByRound(times("cairn"), times(engine));
    ratios.push({ peer: engine, rounds, median: median(rounds) });
  }
  return {
    row: row.name,
    definition: row.definition,
    operations: engines[0]!.cells[0]!.tally.operations,
    engines,
    ratios,
    workHash: createHash("sha256").update(tallies).digest("hex").slice(0, HASH_DIGITS),
  };
}

/** @throws when two engines have not done the same. */
function sameWork(
  row: RowDefinition,
  cells: ReadonlyMap<EngineName, readonly CellResult[]>,
): string {
  let first: { readonly engine: EngineName; readonly work: string } | undefined;
  for (const [engine, results] of cells) {
    const work = JSON.stringify(results.map((result) => result.tally));
    first ??= { engine, work };
    if (work !== first.work) {
      throw new Error(
        `compare: ${row.name}: ${engine} has done ${work}, but ${first.engine} ${first.work}`,
      );
    }
  }
  return first!.work;
}

function durabilityOf(contender: Description, row: RowDefinition): string {
  switch (row.call) {
    case "puts":
    case "batch":
    case "deletes":
      return contender.durability;
    case "durablePuts":
      return contender.durabilitySynced;
    default:
      return row.racing === true ? contender.durability : "reads only";
  }
}
