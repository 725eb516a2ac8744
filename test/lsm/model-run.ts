/**
 * One run of random operations on an engine, each compared with a sorted map. Support for tests.
 *
 * Everything comes from one seed: keys, options, structure, picker, and what is called. Nothing
 * fails here; crashes and faults have their own tests.
 */
import type { Bytes } from "#base";
import { equalBytes } from "#bytes";
import type { Engine, EngineIterator, IteratorOptions, Snapshot } from "#lsm/types";
import { createSimulatedDisk, seededRandom } from "#platform";
import type { Random } from "#platform/types";
import { naming } from "./crash-lab.ts";
import { type HistoryOptions, randomOptions } from "./histories.ts";
import {
  boundedRange,
  DELETED,
  judgeAlive,
  type KeySpace,
  keySpace,
  lowerBound,
  newValue,
  OracleViolation,
  readState,
  readValue,
  type State,
  valueBytes,
} from "./oracle.ts";
import { type Life, openLife, type Subject, settle, stepOnce, writeBlocking } from "./player.ts";

interface OpenIterator {
  readonly iterator: EngineIterator;
  readonly state: State;
  readonly range: { readonly from: number; readonly before: number };
  readonly step: 1 | -1;
  at: number;
}

interface Run {
  life: Life;
  readonly random: Random;
  readonly keys: KeySpace;
  readonly options: HistoryOptions;
  readonly now: State;
  readonly snapshots: { readonly snapshot: Snapshot; readonly state: State }[];
  readonly iterators: OpenIterator[];
}

/** How many of each thing are open at most. */
const OPEN_MAX = 5;

/** Makes `operations` random calls from one seed. @throws OracleViolation */
export async function modelRun(subject: Subject, seed: number, operations: number): Promise<void> {
  const random = seededRandom(seed);
  const keys = randomKeys(random, 50 + random.below(500));
  const options = { ...randomOptions(random), ...largerOptions(random) };
  const life = openLife(subject, createSimulatedDisk({ seed }), options);
  const now = new Int32Array(keys.length);
  const run: Run = { life, random, keys, options, now, snapshots: [], iterators: [] };
  for (let i = 0; i < operations; i += 1) {
    await naming(`seed ${seed}, operation ${i}`, () => operate(run));
  }
  await naming(`seed ${seed}, the end`, () => reopen(run));
}

function largerOptions(random: Random): HistoryOptions {
  const pick = <T>(choices: readonly T[]): T => choices[random.below(choices.length)]!;
  return {
    memtableBytesMax: pick([3000, 10_000, 30_000]),
    tableBytesMax: pick([1500, 5000, 20_000]),
    blockBytes: pick([256, 1024, 4096]),
    cacheBytesMax: pick([0, 5000, 1_000_000]),
    logBytesPerSync: 0,
  };
}

/** Keys of all lengths, many of them with long shared beginnings. */
function randomKeys(random: Random, count: number): KeySpace {
  const keys: Bytes[] = [new Uint8Array(0)];
  while (keys.length < count) {
    const parent = keys[random.below(keys.length)]!;
    const start = parent.subarray(0, random.below(Math.min(parent.length, KEY_BYTES_MAX) + 1));
    keys.push(Buffer.concat([start, random.bytes(1 + random.below(6))]));
  }
  return keySpace(keys);
}

const KEY_BYTES_MAX = 40;

async function operate(run: Run): Promise<void> {
  const { random, life } = run;
  const dice = random.below(10_000);
  if (dice < 4000) await write(run);
  else if (dice < 6000) lookUp(run);
  else if (dice < 6300) openIterator(run);
  else if (dice < 9000) useIterator(run);
  else if (dice < 9250) run.iterators.splice(random.below(OPEN_MAX), 1)[0]?.iterator.close();
  else if (dice < 9350) takeSnapshot(run);
  else if (dice < 9450) run.snapshots.splice(random.below(OPEN_MAX), 1)[0]?.snapshot.close();
  else if (dice < 9900) stepOnce(life);
  else if (dice < 9960) await settle(life, life.engine.flush());
  else if (dice < 9970) await settle(life, life.engine.compact(compactRange(run)));
  else if (dice < 9975) await settle(life, life.engine.idle());
  else if (dice < 9980) await reopen(run);
  else readAll(run);
}

function compactRange({ random, keys }: Run): Parameters<Engine["compact"]>[0] {
  const [low, high] = [random.below(keys.length), random.below(keys.length)].sort((a, b) => a - b);
  return random.below(3) === 0 ? undefined : { from: keys[low!]!, before: keys[high!]! };
}

async function write(run: Run): Promise<void> {
  const { random, life, now } = run;
  const changes = Array.from({ length: random.below(4) === 0 ? 1 + random.below(8) : 1 }, () => ({
    key: random.below(run.keys.length),
    value: random.below(4) === 0 ? DELETED : newValue(random.below(random.below(200) + 1)),
  }));
  const key = run.keys[changes[0]!.key]!;
  const value = changes[0]!.value;
  const sync = random.below(20) === 0;
  if (changes.length === 1 && random.below(10) === 0) {
    const call =
      value === DELETED
        ? life.engine.delete(key, { sync })
        : life.engine.put(key, valueBytes(value), { sync });
    await settle(life, call);
  } else {
    const batch = life.subject.lsm.createWriteBatch();
    for (const change of changes) {
      if (change.value === DELETED) batch.delete(run.keys[change.key]!);
      else batch.put(run.keys[change.key]!, valueBytes(change.value));
    }
    writeBlocking(life, batch, sync);
  }
  for (const change of changes) now[change.key] = change.value;
}

function lookUp({ random, life, keys, now, snapshots }: Run): void {
  const held = random.below(3) === 0 ? snapshots[random.below(OPEN_MAX)] : undefined;
  const options = held === undefined ? {} : { snapshot: held.snapshot };
  const state = held?.state ?? now;
  if (random.below(8) === 0) {
    const stranger = random.bytes(random.below(5));
    const at = lowerBound(keys, stranger);
    const isKnown = at < keys.length && equalBytes(keys[at]!, stranger);
    if (!isKnown && life.engine.has(stranger, options)) {
      throw new OracleViolation("S3: a key that was never written is there");
    }
    return;
  }
  const key = random.below(keys.length);
  const found = life.engine.get(keys[key]!, options);
  const value = found === undefined ? DELETED : readValue(found);
  if (value !== state[key]) {
    throw new OracleViolation(`L1: key ${key} is ${value}, not ${state[key]}`);
  }
  if (life.engine.has(keys[key]!, options) !== (value !== DELETED)) {
    throw new OracleViolation(`L1: has and get do not agree on key ${key}`);
  }
}

/* ---- snapshots and iterators ---- */

function takeSnapshot({ life, snapshots, now }: Run): void {
  if (snapshots.length >= OPEN_MAX) return;
  snapshots.push({ snapshot: life.engine.snapshot(), state: now.slice() });
}

function openIterator({ random, life, keys, now, snapshots, iterators }: Run): void {
  if (iterators.length >= OPEN_MAX) return;
  const held = random.below(3) === 0 ? snapshots[random.below(OPEN_MAX)] : undefined;
  const bounds = randomBounds(random, keys);
  const reverse = random.below(2) === 0;
  const range = boundedRange(keys, bounds);
  iterators.push({
    iterator: life.engine.iterator({
      ...bounds,
      reverse,
      ...(held && { snapshot: held.snapshot }),
    }),
    state: held?.state ?? now.slice(),
    range,
    step: reverse ? -1 : 1,
    at: reverse ? range.before - 1 : range.from,
  });
}

function randomBounds(random: Random, keys: KeySpace): IteratorOptions {
  const lower = random.below(3);
  const upper = random.below(3);
  return {
    ...(lower === 1 && { gte: someKey(random, keys) }),
    ...(lower === 2 && { gt: someKey(random, keys) }),
    ...(upper === 1 && { lte: someKey(random, keys) }),
    ...(upper === 2 && { lt: someKey(random, keys) }),
  };
}

/** Mostly a key that occurs. */
function someKey(random: Random, keys: KeySpace): Bytes {
  return random.below(4) === 0 ? random.bytes(random.below(4)) : keys[random.below(keys.length)]!;
}

function useIterator({ random, keys, iterators }: Run): void {
  const held = iterators[random.below(OPEN_MAX)];
  if (held === undefined) return;
  const dice = random.below(10);
  if (dice < 6) {
    for (let i = random.below(6); i >= 0; i -= 1) moveOn(held, keys);
  } else if (dice < 8) {
    const limit = 1 + random.below(10);
    const taken = held.iterator.take(limit);
    for (const [key, value] of taken) judgeEntry(held, keys, { key, value });
    if (taken.length < limit) judgeEnd(held);
  } else {
    const key = someKey(random, keys);
    held.iterator.seek(key);
    seekModel(held, keys, key);
    moveOn(held, keys);
  }
}

function moveOn(held: OpenIterator, keys: KeySpace): void {
  const { iterator } = held;
  if (iterator.next()) judgeEntry(held, keys, iterator);
  else judgeEnd(held);
}

function judgeEntry(
  held: OpenIterator,
  keys: KeySpace,
  entry: { readonly key: Bytes; readonly value: Bytes },
): void {
  const at = skipDeleted(held);
  const expected = at === null ? "the end" : `key ${at}`;
  if (at === null || !equalBytes(entry.key, keys[at]!)) {
    throw new OracleViolation(`M3: an iterator gave another key than ${expected}`);
  }
  if (readValue(entry.value) !== held.state[at]) {
    throw new OracleViolation(`L1: an iterator gave another value of ${expected}`);
  }
  held.at += held.step;
}

function judgeEnd(held: OpenIterator): void {
  const at = skipDeleted(held);
  if (at !== null) throw new OracleViolation(`M3: an iterator ended before key ${at}`);
}

function skipDeleted(held: OpenIterator): number | null {
  const { state, range, step } = held;
  while (held.at >= range.from && held.at < range.before) {
    if (state[held.at] !== DELETED) return held.at;
    held.at += step;
  }
  return null;
}

function seekModel(held: OpenIterator, keys: KeySpace, key: Bytes): void {
  const { range, step } = held;
  const at = lowerBound(keys, key);
  if (step === 1) {
    held.at = Math.max(at, range.from);
    return;
  }
  const isHere = at < keys.length && equalBytes(keys[at]!, key);
  held.at = Math.min(isHere ? at : at - 1, range.before - 1);
}

/* ---- everything ---- */

function readAll({ life, keys, now, snapshots, random }: Run): void {
  judgeAlive(keys, now, readState(life.engine, keys, "forward"));
  judgeAlive(keys, now, readState(life.engine, keys, "reverse"));
  const held = snapshots[random.below(OPEN_MAX)];
  if (held === undefined) return;
  judgeAlive(keys, held.state, readState(life.engine, keys, "forward", held.snapshot));
}

async function reopen(run: Run): Promise<void> {
  for (const { iterator } of run.iterators.splice(0)) iterator.close();
  for (const { snapshot } of run.snapshots.splice(0)) snapshot.close();
  await settle(run.life, run.life.engine.close());
  // A fresh copy of the disk, because the trace of the old one has grown long.
  run.life = openLife(run.life.subject, run.life.disk.kill(), run.options);
  readAll(run);
  const { problems } = run.life.engine.verify();
  if (problems.length > 0) throw new OracleViolation(`L2: verify says ${problems.join("; ")}`);
}
