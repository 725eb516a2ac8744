/**
 * How many operations a second does the linearizability search judge, and what does a violation
 * cost?
 *
 * One key; clients that always have an operation under way; every value is written once. A third of
 * the operations are reads, a tenth compare. The wrong histories are the same with one read of a
 * value that was overwritten, near the end: everything before must be ruled out, and explained. The
 * peer is the same search over the same operations by one client, where there is one order to try.
 * Not measured: collecting a history. Nothing is on disk.
 */
import { seededRandom } from "#platform";
import { checkLinearizability, registerModel, type VerdictKind } from "#simulation";
import type { RegisterCall } from "../../test/simulation/history/calls.ts";
import { corrupted, randomRegisters } from "../../test/simulation/history/random-registers.ts";
import type { Bench } from "../harness/index.ts";

const SHAPE = { getShare: 0.35, casShare: 0.1 };
const CLIENTS = [5, 6, 10];
const WARM_UP = 5;

interface Sample {
  readonly name: string;
  readonly kind: VerdictKind;
  readonly histories: readonly RegisterCall[][];
}

/** Histories of one size, and each of them made wrong. */
function samplesOf(clients: number, operations: number, count: number): Sample[] {
  const histories: RegisterCall[][] = [];
  const wrong: RegisterCall[][] = [];
  for (let seed = 1; seed <= count; seed += 1) {
    const history = randomRegisters(seededRandom(seed), { ...SHAPE, clients, operations });
    const changed = corruptedLate(history, seed);
    if (changed === undefined) throw new Error(`bench: seed ${seed} has no read to change`);
    histories.push(history);
    wrong.push(changed);
  }
  const name = `${operations} operations, ${clients} clients`;
  return [
    { name: `${name}, right`, kind: "holds", histories },
    { name: `${name}, wrong`, kind: "violated", histories: wrong },
  ];
}

/** Changes a read as near to the end as possible, so that there is much before it. */
function corruptedLate(history: readonly RegisterCall[], seed: number): RegisterCall[] | undefined {
  for (const share of [0.9, 0.5, 0]) {
    const from = Math.floor(history.length * share);
    const changed = corrupted(seededRandom(seed), history, "overwritten", from);
    if (changed !== undefined) return changed;
  }
  return undefined;
}

/** Judges all histories of a sample. @returns nanoseconds. */
function judge(bench: Bench, { name, kind, histories }: Sample): number {
  const series = bench.series(name);
  const start = bench.now();
  for (const history of histories) {
    const report = series.measure(() => checkLinearizability(history, registerModel));
    if (report.kind !== kind) throw new Error(`bench: ${name}: ${report.text}`);
    bench.work(`${name} ${report.keys.map(({ steps }) => steps).join(" ")}`);
  }
  return bench.now() - start;
}

function compare(bench: Bench, operations: number): void {
  const count = bench.parameter("histories", { small: 2, canonical: 20 });
  const alone = samplesOf(1, operations, count)[0]!;
  const samples = [alone, ...CLIENTS.flatMap((clients) => samplesOf(clients, operations, count))];
  for (let round = 0; round < Math.min(count, WARM_UP); round += 1) {
    for (const { histories } of samples) checkLinearizability(histories[round]!, registerModel);
  }
  const rates = new Map<string, number>();
  for (const sample of samples) {
    const seconds = judge(bench, sample) / 1e9;
    rates.set(sample.name, (operations * count) / seconds);
    bench.figure(sample.name, rates.get(sample.name)!, "operations/s");
  }
  for (const { name } of samples.slice(1)) {
    bench.ratio(`time for one, ${name}`, {
      subject: rates.get(alone.name)!,
      peer: rates.get(name)!,
      peerName: alone.name,
    });
  }
}

export function threeHundredOfOneKey(bench: Bench): void {
  compare(bench, bench.parameter("operations", { small: 60, canonical: 300 }));
}

export function thousandOfOneKey(bench: Bench): void {
  compare(bench, bench.parameter("operations", { small: 80, canonical: 1000 }));
}
