/**
 * Engines whose files rot. Support for the tests.
 *
 * A damaged engine gives the right answer or a coded error, never a wrong answer. The log has one
 * more way out: damage at its very end cannot be told from a torn write, and is cut off.
 */
import { type Bytes, isCairnError } from "#base";
import { createSimulatedClock, createSimulatedDisk } from "#platform";
import type { Random, SimulatedDisk } from "#platform/types";
import { DIR, filesOf, isLogFile, isTableFile } from "./directory.ts";
import { type HistoryOptions, KEYS, type Step, type WriteStep } from "./histories.ts";
import {
  createModel,
  judgeAlive,
  judgeRecovered,
  type Model,
  OracleViolation,
  readState,
  type Way,
} from "./oracle.ts";
import { openLife, type Subject, settle, startPlay, take } from "./player.ts";

/** An engine on disk, and what it holds. */
export interface Specimen {
  readonly disk: SimulatedDisk;
  readonly model: Model;
  readonly options: HistoryOptions;
  /** Files that hold something, and their sizes without the zeros that a log makes room with. */
  readonly files: readonly { readonly path: string; readonly bytes: number }[];
}

const OPTIONS: HistoryOptions = {
  memtableBytesMax: 100_000,
  tableBytesMax: 700,
  blockBytes: 200,
  levelZeroCompactRuns: 100,
  levelZeroSlowdownRuns: 100,
  levelZeroStopRuns: 100,
};

const write = (keys: readonly number[], bytes: number | null): WriteStep => ({
  do: "write",
  changes: keys.map((key) => ({ key, bytes })),
  sync: true,
  blocking: false,
});

/** Two levels and something in the log. @param bytes - of each value. */
const stepsOf = (bytes: number): readonly Step[] => [
  ...[write([1, 3, 5, 7, 9, 24], bytes), { do: "flush" } as const],
  ...[{ do: "compact", from: null, before: null } as const],
  ...[write([2, 3], bytes), write([5], null), { do: "flush" } as const],
  ...[write([8], bytes), write([1], null), { do: "step", times: 9 } as const, write([3], bytes)],
];

const SMALL_BYTES = 50;
/** So that some files of the log are full, and go when the shrunk engine flushes. */
export const LARGE_BYTES = 250;

/** A small engine with tables in two levels and a log, closed. */
export async function makeSpecimen(
  subject: Subject,
  options: HistoryOptions = {},
  bytes = SMALL_BYTES,
): Promise<Specimen> {
  const disk = createSimulatedDisk();
  const all = { ...OPTIONS, ...options };
  const play = startPlay(openLife(subject, disk, all), createModel(KEYS), all);
  for (const step of stepsOf(bytes)) await take(play, step);
  await settle(play.life, play.life.engine.close());
  const files = filesOf(disk).map((path) => {
    const content = disk.content(path);
    const used = content.findLastIndex((byte) => byte !== 0) + 1;
    return { path, bytes: isLogFile(path) ? used : content.length };
  });
  const { model } = play;
  return { disk: disk.kill(), model, options: all, files: files.filter(({ bytes }) => bytes > 0) };
}

/** A copy of an engine's disk with a file changed. */
export function withFile(
  { disk }: Specimen,
  path: string,
  change: (content: Bytes) => Bytes,
): SimulatedDisk {
  const copy = disk.kill();
  const content = change(copy.content(path));
  const handle = copy.open(path, "read-write");
  handle.truncate(content.length);
  handle.write(0, content);
  handle.close();
  return copy;
}

/**
 * Opens a damaged engine and reads everything in one way.
 *
 * @returns whether the damage was noticed.
 */
export function judgeDamaged(
  subject: Subject,
  specimen: Specimen,
  damaged: { readonly disk: SimulatedDisk; readonly path: string; readonly way: Way },
): boolean {
  const { disk, path, way } = damaged;
  const before = disk.operations;
  let isOpen = false;
  try {
    const engine = subject.lsm.openEngine({
      ...specimen.options,
      disk,
      dir: DIR,
      background: "step",
      clock: createSimulatedClock(),
    });
    isOpen = true;
    const state = readState(engine, KEYS, way);
    if (isLogFile(path)) judgeRecovered(looser(specimen.model), state, "power");
    else judgeAlive(KEYS, specimen.model.now, state);
    return false;
  } catch (error) {
    if (!isCairnError(error)) throw error;
    if (!CODES.includes(error.code)) {
      throw new OracleViolation(`S3: damage is called ${error.code}: ${error.message}`);
    }
    // A log that is cut too short is found out only when its end was repaired.
    if (!isOpen && disk.operations > before && !isLogFile(path)) {
      throw new OracleViolation(`L2: a refused directory was changed: ${error.message}`);
    }
    return true;
  }
}

const CODES: readonly string[] = ["LSM_CORRUPT", "WAL_CORRUPT", "SSTABLE_CORRUPT"];

/** The end of a log may be cut off: every prefix will do. */
function looser(model: Model): Model {
  const writes = model.writes.map((one) => ({ ...one, outcome: "open" as const }));
  return { ...model, writes };
}

/** A random change of a file's bytes: one that a disk or a person could have made. */
export function mutate(content: Bytes, random: Random): Bytes {
  const bytes = new Uint8Array(content);
  const place = (): number => random.below(Math.max(1, bytes.length));
  const kind = random.below(6);
  if (kind === 0) return bytes.slice(0, place());
  if (kind === 1) return Buffer.concat([bytes, random.bytes(1 + random.below(300))]);
  if (kind === 2) return Buffer.concat([bytes.subarray(0, place()), bytes.subarray(place())]);
  if (kind === 3) return new Uint8Array(bytes.copyWithin(place(), place(), place()));
  if (kind === 4) return bytes.fill(random.below(2) * 255, place(), place());
  for (let i = random.below(8); i >= 0; i -= 1) bytes[place()] = random.below(256);
  return bytes;
}

const WAYS = ["forward", "get", "reverse"] as const;

/** Flips every `stride`th bit of every file, one at a time. @throws OracleViolation */
export async function flipBits(
  subject: Subject,
  stride: number,
  specimen: Specimen,
): Promise<void> {
  for (const { path, bytes } of specimen.files) {
    for (let bit = 0; bit < bytes * 8; bit += stride) {
      const disk = specimen.disk.kill();
      disk.flipBit(path, bit >> 3, bit & 7);
      const way = WAYS[bit % 3]!;
      const isNoticed = judgeDamaged(subject, specimen, { disk, path, way });
      // A table has no byte that nobody checks, once all of it is read. Lookups read less: what a
      // newer layer hides.
      if (!isNoticed && isTableFile(path) && way !== "get") {
        throw new OracleViolation(`S3: ${path}: bit ${bit} went unnoticed, reading by ${way}`);
      }
    }
  }
}

/** Cuts every file at every length. @throws OracleViolation */
export function cutFiles(subject: Subject, specimen: Specimen): void {
  for (const { path, bytes } of specimen.files) {
    for (let length = 0; length < bytes; length += 1) {
      const disk = withFile(specimen, path, (content) => content.slice(0, length));
      const isNoticed = judgeDamaged(subject, specimen, { disk, path, way: "forward" });
      if (!isNoticed && isTableFile(path)) {
        throw new OracleViolation(`S3: ${path}, cut at ${length}, went unnoticed`);
      }
    }
  }
}

/** Puts one table's file in the place of another. @throws OracleViolation */
export async function swapTables(subject: Subject): Promise<void> {
  const specimen = await makeSpecimen(subject);
  const tables = filesOf(specimen.disk).filter(isTableFile);
  for (const path of tables) {
    for (const other of tables.filter((name) => name !== path)) {
      const disk = withFile(specimen, path, () => specimen.disk.content(other));
      if (judgeDamaged(subject, specimen, { disk, path, way: "get" })) continue;
      throw new OracleViolation(`S3: ${other} in the place of ${path} went unnoticed`);
    }
  }
}
