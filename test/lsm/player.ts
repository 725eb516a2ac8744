/**
 * Plays calls on an engine and keeps the model in step. Support for the tests of the engine.
 *
 * Invariant: a write's outcome in the model is what the engine has answered, never what it should
 * have. Time is simulated and background work happens where the player calls for it, so that the
 * same history gives the same operations of the disk.
 */
import { isCairnError } from "#base";
import type { Engine, EngineIterator, LsmModule, Snapshot } from "#lsm/types";
import { createSimulatedClock } from "#platform";
import type { Disk, SimulatedClock, SimulatedDisk } from "#platform/types";
import { DIR } from "./directory.ts";
import { type HistoryOptions, KEYS, type Step, type WriteStep } from "./histories.ts";
import {
  allDurable,
  beginWrite,
  type Change,
  DELETED,
  endWrite,
  judgeAlive,
  type Model,
  type ModelWrite,
  newValue,
  OracleViolation,
  readState,
  readValue,
  type State,
  valueBytes,
} from "./oracle.ts";

/** The engine under test, and what stands between it and the disk. */
export interface Subject {
  readonly lsm: Pick<LsmModule, "openEngine" | "createWriteBatch">;
  readonly wrap?: (disk: Disk) => Disk;
}

/** One opening of an engine, until it is closed or its machine dies. */
export interface Life {
  readonly subject: Subject;
  readonly disk: SimulatedDisk;
  readonly clock: SimulatedClock;
  readonly engine: Engine;
}

/** Opens the engine. Damage is a violation: nothing was damaged. */
export function openLife(subject: Subject, disk: SimulatedDisk, options: HistoryOptions): Life {
  const clock = createSimulatedClock();
  try {
    const engine = subject.lsm.openEngine({
      ...options,
      disk: subject.wrap?.(disk) ?? disk,
      dir: DIR,
      background: "step",
      clock,
    });
    return { subject, disk, clock, engine };
  } catch (error) {
    if (isCairnError(error) && DAMAGE.includes(error.code)) {
      throw new OracleViolation(`L9: a sound engine was refused: ${error.message}`);
    }
    throw error;
  }
}

const DAMAGE: readonly string[] = ["LSM_CORRUPT", "WAL_CORRUPT", "SSTABLE_CORRUPT", "LSM_EXISTS"];

/** An iterator that is held open, and what it must still give. */
interface HeldIterator {
  readonly iterator: EngineIterator;
  readonly state: State;
  readonly step: 1 | -1;
  at: number;
}

/** What a history holds between its calls. */
export interface Play {
  life: Life;
  model: Model;
  readonly options: HistoryOptions;
  readonly snapshots: { readonly snapshot: Snapshot; readonly state: State }[];
  readonly iterators: HeldIterator[];
  calls: number;
}

/** Starts to play on an open engine. */
export function startPlay(life: Life, model: Model, options: HistoryOptions): Play {
  return { life, model, options, snapshots: [], iterators: [], calls: 0 };
}

/** Makes one call and what belongs to it. Errors of the engine come through. */
export async function take(play: Play, step: Step): Promise<void> {
  play.calls += 1;
  switch (step.do) {
    case "write":
      await writeTogether(play, [step]);
      break;
    case "together":
      await writeTogether(play, step.writes);
      break;
    case "step":
      for (let i = 0; i < step.times; i += 1) stepOnce(play.life);
      break;
    case "flush":
      await settle(play.life, play.life.engine.flush());
      allDurable(play.model);
      break;
    case "compact":
      await settle(play.life, play.life.engine.compact(rangeOf(step)));
      allDurable(play.model);
      break;
    case "idle":
      await settle(play.life, play.life.engine.idle());
      break;
    case "reopen":
      await reopen(play);
      break;
    default:
      takeReading(play, step);
  }
  checkOneKey(play);
}

function takeReading(play: Play, step: Step): void {
  const { engine } = play.life;
  switch (step.do) {
    case "read":
      judgeReaders(play, play.calls % 2 === 0 ? "forward" : "reverse");
      break;
    case "snapshot":
      if (play.snapshots.length < HELD_MAX) {
        play.snapshots.push({ snapshot: engine.snapshot(), state: play.model.now.slice() });
      }
      break;
    case "closeSnapshot":
      play.snapshots.shift()?.snapshot.close();
      break;
    case "iterate":
      if (play.iterators.length < HELD_MAX) play.iterators.push(holdIterator(play, step));
      break;
    case "advance":
      for (const held of play.iterators) advance(held, step.times);
      break;
    case "closeIterator":
      play.iterators.shift()?.iterator.close();
      break;
  }
}

const HELD_MAX = 4;

/** Does one unit of background work. A dead machine shows: `step` keeps errors to itself. */
export function stepOnce(life: Life): boolean {
  const worked = life.engine.step();
  life.disk.exists(DIR);
  return worked;
}

function rangeOf({
  from,
  before,
}: Extract<Step, { do: "compact" }>): Parameters<Engine["compact"]>[0] {
  const [low, high] =
    from !== null && before !== null && from > before ? [before, from] : [from, before];
  return {
    ...(low !== null && { from: KEYS[low]! }),
    ...(high !== null && { before: KEYS[high]! }),
  };
}

/* ---- writing ---- */

/** Calls one or several writes at once, waits for all, notes what became of each. */
async function writeTogether(play: Play, steps: readonly WriteStep[]): Promise<void> {
  const group = play.model.writes.length;
  const called = steps.map((step) => {
    const write = beginWrite(play.model, planned(step), group);
    const answer = callWrite(play.life, step, write);
    return {
      step,
      write,
      answer: answer.then(
        () => null,
        (error: unknown) => ({ error }),
      ),
    };
  });
  const failures: unknown[] = [];
  for (const { step, write, answer } of called) {
    const failure = await settle(play.life, answer);
    if (failure !== null) failures.push(failure.error);
    const done = step.sync ? "synced" : "acked";
    const outcome = failure === null ? done : outcomeOf(failure.error, step);
    endWrite(play.model, write, outcome);
  }
  if (failures.length > 0) throw failures[0];
}

function planned(step: WriteStep): Change[] {
  return step.changes.map(({ key, bytes }) => ({
    key,
    value: bytes === null ? DELETED : newValue(bytes),
  }));
}

async function callWrite(life: Life, step: WriteStep, write: ModelWrite): Promise<void> {
  const { engine } = life;
  const options = { sync: step.sync };
  const [only] = write.changes;
  if (write.changes.length === 1 && only !== undefined && !step.blocking) {
    const key = KEYS[only.key]!;
    if (only.value === DELETED) return engine.delete(key, options);
    return engine.put(key, valueBytes(only.value), options);
  }
  const batch = batchOf(life.subject, write.changes);
  if (step.blocking) return writeBlocking(life, batch, step.sync);
  return engine.write(batch, options);
}

/** The batch that makes these changes. */
export function batchOf(
  subject: Subject,
  changes: readonly Change[],
): ReturnType<LsmModule["createWriteBatch"]> {
  const batch = subject.lsm.createWriteBatch();
  for (const { key, value } of changes) {
    if (value === DELETED) batch.delete(KEYS[key]!);
    else batch.put(KEYS[key]!, valueBytes(value));
  }
  return batch;
}

/** Writes without waiting: where the engine holds writes back, does its work for it. */
export function writeBlocking(
  life: Life,
  batch: ReturnType<LsmModule["createWriteBatch"]>,
  sync: boolean,
): void {
  for (let turn = 0; ; turn += 1) {
    try {
      life.engine.writeSync(batch, { sync });
      return;
    } catch (error) {
      if (!isCairnError(error, "LSM_STALLED")) throw error;
      if (turn === TURNS_MAX) throw new OracleViolation(`L8: held back for ever: ${error.message}`);
      stepOnce(life);
    }
  }
}

/** What a failed write means. A power cut ends the history, and leaves the write open. */
function outcomeOf(error: unknown, step: WriteStep): ModelWrite["outcome"] {
  if (!isCairnError(error)) return "open";
  if (error.code === "LSM_STALLED") return "refused";
  // Any part of the record may have reached the log, also all of it.
  if (error.code === "LSM_WRITE_REFUSED") return "hidden";
  if (step.sync && (error.code === "DISK_IO" || error.code === "DISK_FULL")) return "unknown";
  throw new OracleViolation(`a write failed with ${error.code}: ${error.message}`, {
    cause: error,
  });
}

/* ---- waiting ---- */

/** More turns than any call needs that is not stuck. */
const TURNS_MAX = 300;

/** Waits for a call, and does the engine's background work while it waits. */
export async function settle<Value>(life: Life, call: Promise<Value>): Promise<Value> {
  let isDone = false;
  const done = (): void => {
    isDone = true;
  };
  void call.then(done, done);
  for (let turn = 0; ; turn += 1) {
    await nextTurn();
    if (isDone) return call;
    if (turn === TURNS_MAX) {
      const { stalls, background } = life.engine.stats();
      throw new OracleViolation(
        `L8: a call does not end: ${stalls.reason ?? "no stall"}; ${background.failure}`,
      );
    }
    life.clock.advance(1);
    if (turn > 0) stepOnce(life);
    life.disk.exists(DIR);
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/* ---- reading ---- */

async function reopen(play: Play): Promise<void> {
  for (const { iterator } of play.iterators.splice(0)) iterator.close();
  for (const { snapshot } of play.snapshots.splice(0)) snapshot.close();
  await settle(play.life, play.life.engine.close());
  allDurable(play.model);
  play.life = openLife(play.life.subject, play.life.disk, play.options);
  judgeReaders(play, "forward");
}

/** Compares everything that readers see, snapshots included, with the model. */
export function judgeReaders(play: Play, way: "forward" | "reverse"): void {
  const { model, life } = play;
  judgeAlive(model.keys, model.now, readState(life.engine, model.keys, way));
  for (const { snapshot, state } of play.snapshots) {
    judgeAlive(model.keys, state, readState(life.engine, model.keys, way, snapshot));
    judgeAlive(model.keys, state, readState(life.engine, model.keys, "get", snapshot));
  }
}

/** Cheap enough for each call: one key now, and in one snapshot. */
function checkOneKey({ life, model, snapshots, calls }: Play): void {
  const key = (calls * 7) % KEYS.length;
  const look = (state: State, snapshot?: Snapshot): void => {
    const found = life.engine.get(KEYS[key]!, snapshot === undefined ? {} : { snapshot });
    const value = found === undefined ? DELETED : readValue(found);
    if (value === state[key]) return;
    const where = snapshot === undefined ? "now" : `at sequence ${snapshot.sequence}`;
    throw new OracleViolation(`L1: key ${key} ${where}: found ${value}, not ${state[key]}`);
  };
  look(model.now);
  const held = snapshots[calls % HELD_MAX];
  if (held !== undefined) look(held.state, held.snapshot);
}

function holdIterator(
  { life, model }: Play,
  { reverse, from }: Extract<Step, { do: "iterate" }>,
): HeldIterator {
  const bound = from === null ? {} : reverse ? { lte: KEYS[from]! } : { gte: KEYS[from]! };
  return {
    iterator: life.engine.iterator({ ...bound, reverse }),
    state: model.now.slice(),
    step: reverse ? -1 : 1,
    at: from ?? (reverse ? KEYS.length - 1 : 0),
  };
}

function advance(held: HeldIterator, times: number): void {
  const { iterator, state, step } = held;
  for (let i = 0; i < times; i += 1) {
    while (state[held.at] === DELETED) held.at += step;
    const expected = state[held.at];
    if (!iterator.next()) {
      if (expected === undefined) return;
      throw new OracleViolation(`L4: an open iterator ended before key ${held.at}`);
    }
    const isKey = Buffer.compare(iterator.key, KEYS[held.at] ?? iterator.key) === 0;
    if (expected === undefined || !isKey || readValue(iterator.value) !== expected) {
      throw new OracleViolation(`L4: an open iterator gave something else at key ${held.at}`);
    }
    held.at += step;
  }
}
