/**
 * Lab 01.group-commit: how many records must share a sync before the processor is the limit, and
 * not the disk?
 *
 * Varied: records per sync, the size of a record, and whether there is a sync at all. Not measured:
 * waiting callers (bench/wal/append.bench.ts has them), recovery, and segments that are full.
 */
import { join } from "node:path";
import { createNodeDisk } from "#platform";
import { openWal } from "#wal";
import type { Wal } from "#wal/types";
import type { Lab, LabResult, LabSeries } from "../harness/lab-types.ts";
import type { Bench } from "../harness/types.ts";

const BATCHES = [1, 8, 64, 512];
const ANSWER_BATCH = 64;
const SMALL_BYTES = 128;
const LARGE_BYTES = 1024;
/** No segment is ever full: a new one would be a sync, also where there shall be none. */
const SEGMENT_BYTES = 1024 * 1024 * 1024;
const SYNCED = "fdatasync";
const UNSYNCED = "no sync";

/** One line of the plot. */
interface Variant {
  readonly name: string;
  readonly payloadBytes: number;
  readonly isSynced: boolean;
}

const VARIANTS: readonly Variant[] = [
  { name: `128 B, ${SYNCED}`, payloadBytes: SMALL_BYTES, isSynced: true },
  { name: `1 KB, ${SYNCED}`, payloadBytes: LARGE_BYTES, isSynced: true },
  { name: `128 B, ${UNSYNCED}`, payloadBytes: SMALL_BYTES, isSynced: false },
  { name: `1 KB, ${UNSYNCED}`, payloadBytes: LARGE_BYTES, isSynced: false },
];

export const lab: Lab = {
  id: "01.group-commit",
  title: "Group commit: one sync for many records",
  question:
    "How many records must share one sync before the processor is the limit, and not the disk?",
  about:
    "Appends a batch of records, then makes the batch safe (fdatasync) or only hands it to the " +
    "system (no sync); again and again, and counts records per second. Varied: 1, 8, 64, 512 records " +
    "in a batch; 128 and 1,024 bytes in a record. One caller, one log per line of the plot, its " +
    "file made longer ahead of time. Not measured: callers that wait for each other, and opening.",
  x: { label: "records per sync", unit: "", scale: "log" },
  y: { label: "records per second", unit: "", scale: "log" },
  prediction: {
    ask: "Records of 128 bytes: how many times more per second with 64 to a sync than with 1?",
    unit: "×",
  },
  predictedPoints(value, { series }) {
    const first = pointOf(series, `128 B, ${SYNCED}`, 1);
    return [
      { x: 1, y: first },
      { x: ANSWER_BATCH, y: first * value },
    ];
  },
  measure,
};

function measure(bench: Bench): LabResult {
  const milliseconds = bench.parameter("millisecondsPerPoint", { small: 20, canonical: 1200 });
  const bytesMax = bench.parameter("megabytesPerPointMax", { small: 1, canonical: 64 }) * 1e6;
  const dir = bench.directory();
  const rates = new Map<string, { x: number; y: number }[]>();
  for (const variant of VARIANTS) {
    const points: { x: number; y: number }[] = [];
    for (const batch of BATCHES) {
      const name = `${variant.name} ${batch}`.replaceAll(/\W+/g, "-");
      const limits = { milliseconds, bytesMax };
      points.push({
        x: batch,
        y: pointFor({ bench, dir: join(dir, name), variant, batch, limits }),
      });
    }
    rates.set(variant.name, points);
    bench.work(`${variant.name} ${BATCHES.join(" ")}`);
  }
  const series = VARIANTS.map(({ name }) => ({ name, points: rates.get(name) ?? [] }));
  return { series, answer: answerOf(series), shape: shapeOf(series) };
}

/** Records per second of one variant with one size of batch. */
function pointFor(of: {
  readonly bench: Bench;
  readonly dir: string;
  readonly variant: Variant;
  readonly batch: number;
  readonly limits: { readonly milliseconds: number; readonly bytesMax: number };
}): number {
  const { wal } = openWal(
    { disk: createNodeDisk(), dir: of.dir, segmentBytesMax: SEGMENT_BYTES },
    () => {},
  );
  of.bench.defer(() => wal.close());
  const payload = new Uint8Array(of.variant.payloadBytes).fill(7);
  const { milliseconds, bytesMax } = of.limits;
  const round = (): void =>
    appendBatch(wal, { payload, batch: of.batch, isSynced: of.variant.isSynced });
  runFor(round, {
    milliseconds: milliseconds / 4,
    roundsMax: roundsIn(bytesMax / 4, payload, of.batch),
  });
  const roundsMax = roundsIn(bytesMax, payload, of.batch);
  const { rounds, nanoseconds } = runFor(round, { milliseconds, roundsMax });
  // What was only handed to the system is written out here, not during the next point.
  wal.sync();
  return (rounds * of.batch * 1e9) / nanoseconds;
}

function roundsIn(bytes: number, payload: Uint8Array, batch: number): number {
  return Math.max(1, Math.floor(bytes / (payload.length * batch)));
}

function appendBatch(
  wal: Wal,
  of: { readonly payload: Uint8Array; readonly batch: number; readonly isSynced: boolean },
): void {
  for (let record = 0; record < of.batch; record += 1) wal.append(of.payload);
  if (of.isSynced) wal.sync();
  else wal.flush();
}

/** Repeats until the time or the number of rounds is used up. */
function runFor(
  round: () => void,
  limits: { readonly milliseconds: number; readonly roundsMax: number },
): { rounds: number; nanoseconds: number } {
  const start = performance.now();
  let rounds = 0;
  let elapsed = 0;
  while (rounds < limits.roundsMax && elapsed < limits.milliseconds) {
    round();
    rounds += 1;
    elapsed = performance.now() - start;
  }
  return { rounds, nanoseconds: Math.max(1, elapsed * 1e6) };
}

function pointOf(series: readonly LabSeries[], name: string, batch: number): number {
  const points = series.find((one) => one.name === name)?.points ?? [];
  return points.find(({ x }) => x === batch)?.y ?? Number.NaN;
}

function answerOf(series: readonly LabSeries[]): number {
  const name = `128 B, ${SYNCED}`;
  return pointOf(series, name, ANSWER_BATCH) / pointOf(series, name, 1);
}

function shapeOf(series: readonly LabSeries[]): LabResult["shape"] {
  const synced = (batch: number): number => pointOf(series, `128 B, ${SYNCED}`, batch);
  const unsynced = (batch: number): number => pointOf(series, `128 B, ${UNSYNCED}`, batch);
  const firstStep = synced(8) / synced(1);
  const lastStep = synced(512) / synced(64);
  return [
    {
      claim: "From 1 to 8 records per sync, records per second grow at least 4 times.",
      holds: firstStep >= 4,
    },
    {
      claim: "The same step again, from 64 to 512, brings less than the first.",
      holds: lastStep < firstStep,
    },
    {
      claim:
        "The larger the batch, the less the sync matters: synced is nearer to unsynced at 512 than at 1.",
      holds: synced(512) / unsynced(512) > synced(1) / unsynced(1),
    },
  ];
}
