/**
 * Runs histories on a disk whose power fails, and judges what recovery finds. Support for the
 * tests.
 *
 * One crash run: play a history up to a crash point, cut the power, let the crash keep some of what
 * was unsynced, recover; crash again inside a recovery, recover; write more, crash, recover, and
 * sometimes recover the same once more.
 * After each recovery: content, order, tables against the manifest, no file that belongs to nobody.
 */
import { isCairnError } from "#base";
import type { Engine } from "#lsm/types";
import { createSimulatedDisk, isPowerCut, seededRandom } from "#platform";
import type { Random, SimulatedDisk } from "#platform/types";
import { scaled } from "../support/seeds.ts";
import { numberIn, numbersOf, strayFiles } from "./directory.ts";
import { type History, KEYS } from "./histories.ts";
import {
  adopt,
  beginWrite,
  createModel,
  DELETED,
  endWrite,
  judgeAlive,
  judgeRecovered,
  type Loss,
  type Model,
  newValue,
  OracleViolation,
  readState,
  type State,
} from "./oracle.ts";
import {
  batchOf,
  type Life,
  openLife,
  type Subject,
  startPlay,
  stepOnce,
  take,
  writeBlocking,
} from "./player.ts";

/** Plays a whole history. Ends early when the power goes. */
export async function play(
  subject: Subject,
  disk: SimulatedDisk,
  history: History,
): Promise<{ readonly model: Model; readonly ended: "whole" | "power cut" }> {
  const model = createModel(KEYS);
  try {
    const state = startPlay(openLife(subject, disk, history.options), model, history.options);
    for (const step of history.steps) await take(state, step);
    return { model, ended: "whole" };
  } catch (error) {
    if (isPowerCut(error)) return { model, ended: "power cut" };
    throw error;
  }
}

/** Seeds from 1 on, `count` times CAIRN_SCALE. A violation names its crash point and seed. */
export function crashSeeds(count: number): number[] {
  return Array.from({ length: scaled(count) }, (_, i) => i + 1);
}

/** How many crash points a history has. */
export async function crashPoints(subject: Subject, history: History): Promise<number> {
  const disk = createSimulatedDisk();
  await play(subject, disk, history);
  return disk.operations;
}

/** One crash run per seed, all sharing the history up to the crash point. @returns the runs. */
export async function crashAt(
  subject: Subject,
  history: History,
  at: { readonly point: number; readonly seeds: readonly number[] },
): Promise<number> {
  const disk = createSimulatedDisk({ seed: at.point + 1 });
  disk.cutPowerAt(at.point);
  const place = `${history.name}, crash point ${at.point}`;
  const { model } = await naming(place, () => play(subject, disk, history));
  for (const seed of at.seeds) {
    await naming(`${place}, seed ${seed}`, () => {
      const random = seededRandom(seed);
      afterCrash(subject, history, { disk: disk.crash(seed), model, random, loss: "power" });
    });
  }
  return at.seeds.length;
}

/** As {@link crashAt}, but the process dies and not the machine. @returns the runs. */
export async function killAt(
  subject: Subject,
  history: History,
  at: { readonly point: number; readonly seeds: readonly number[] },
): Promise<number> {
  const disk = createSimulatedDisk({ seed: at.point + 1 });
  disk.cutPowerAt(at.point);
  const place = `${history.name}, killed at ${at.point}`;
  const { model } = await naming(place, () => play(subject, disk, history));
  for (const seed of at.seeds) {
    await naming(`${place}, seed ${seed}`, () => {
      const random = seededRandom(seed);
      afterCrash(subject, history, { disk: disk.kill(), model, random, loss: "process" });
    });
  }
  return at.seeds.length;
}

/** What is known when a machine or a process has died. */
interface Crashed {
  readonly disk: SimulatedDisk;
  readonly model: Model;
  readonly random: Random;
  readonly loss: Loss;
}

const SEEDS = 2 ** 31;

/** What follows a crash, and is checked: see the head of this file. */
export function afterCrash(subject: Subject, history: History, crashed: Crashed): void {
  const { model, random, loss } = crashed;
  const { options } = history;
  const [disk, second] = [crashed.disk.kill(), crashed.disk.kill()];
  const before = disk.operations;
  const known = numbersOf(disk);
  const life = openLife(subject, disk, options);
  const recoveryOperations = disk.operations - before;
  const found = judgeOpened(life, (state) => judgeRecovered(model, state, loss));

  // Power fails while the first recovery is at work. What that one would have found is not lost.
  second.cutPowerAt(second.operations + random.below(recoveryOperations + 1));
  try {
    openLife(subject, second, options);
  } catch (error) {
    if (!isPowerCut(error)) throw error;
  }
  const again = openLife(subject, second.crash(random.below(SEEDS)), options);
  // A process may have died first: what it wrote and did not sync goes with the power.
  judgeRecovered(model, readState(again.engine, KEYS, "reverse"), "power");

  afterMore(life, history, { model: adopt(model, found), random, known });
}

/** Writes to a recovered engine, cuts the power, and judges the next recovery, twice. */
function afterMore(
  life: Life,
  { options }: History,
  {
    model,
    random,
    known,
  }: { readonly model: Model; readonly random: Random; readonly known: readonly number[] },
): void {
  const { subject } = life;
  writeMore(life, model, random);
  judgeNumbers(life, known);
  const last = life.disk.crash(random.below(SEEDS));
  const next = openLife(subject, last, options);
  const found = judgeOpened(next, (state) => judgeRecovered(model, state, "power"));
  if (random.below(3) > 0) return;
  const same = openLife(subject, last.kill(), options);
  judgeAlive(KEYS, found, readState(same.engine, KEYS, "reverse"));
}

const MORE_MAX = 8;
const MORE_BYTES_MAX = 700;
const STEPS_MAX = 6;

function writeMore(life: Life, model: Model, random: Random): void {
  if (random.below(2) === 0) {
    life.disk.cutPowerAt(life.disk.operations + random.below(CUT_WITHIN));
  }
  try {
    const count = random.below(MORE_MAX);
    for (let i = 0; i < count; i += 1) {
      const changes = Array.from({ length: 1 + random.below(3) }, () => ({
        key: random.below(KEYS.length),
        value: random.below(3) === 0 ? DELETED : newValue(random.below(MORE_BYTES_MAX)),
      }));
      const sync = random.below(2) === 0;
      const write = beginWrite(model, changes);
      writeBlocking(life, batchOf(life.subject, changes), sync);
      endWrite(model, write, sync ? "synced" : "acked");
      const steps = random.below(3) === 0 ? random.below(STEPS_MAX) : 0;
      for (let at = 0; at < steps && stepOnce(life); at += 1);
    }
  } catch (error) {
    if (!isPowerCut(error)) throw error;
  }
}

/** About as many operations of the disk as the writes above take. */
const CUT_WITHIN = 30;

/** Judges an engine that has just been opened. @returns its content. */
function judgeOpened(life: Life, judgeState: (state: State) => void): State {
  const state = readState(life.engine, KEYS, "forward");
  judgeState(state);
  judgeAlive(KEYS, state, readState(life.engine, KEYS, "get"));
  judgeTidy(life.engine, life.disk);
  return state;
}

/** Tables are as the manifest says, and no file belongs to nobody. */
export function judgeTidy(engine: Engine, disk: SimulatedDisk): void {
  const tables = judgeTables(engine);
  const strays = strayFiles(disk, tables);
  if (strays.length > 0) throw new OracleViolation(`L2: left behind: ${strays.join(", ")}`);
}

/** Tables are as the manifest says. @returns how many there are. */
export function judgeTables(engine: Engine): number {
  const { problems, tables } = engine.verify();
  if (problems.length > 0) throw new OracleViolation(`L2: verify says ${problems.join("; ")}`);
  return tables;
}

/** What was made in this life has numbers above all that were there before it (L7). */
function judgeNumbers({ disk }: Life, known: readonly number[]): void {
  const highest = Math.max(0, ...known);
  for (const { operation, path } of disk.trace) {
    if (operation !== "open") continue;
    const name = path.split("/")[1] ?? "";
    const number = numberIn(name);
    if (number === 0 || number > highest) continue;
    // A log goes on under its own number, in further files.
    if (!name.includes(".sst") && known.includes(number)) continue;
    throw new OracleViolation(`L7: ${path} was made, and ${highest} had been used before`);
  }
}

/**
 * Runs a check; a violation says where it was found. So does an error of the engine's: here nothing
 * was damaged, and what may fail was caught before.
 */
export async function naming<Value>(
  text: string,
  run: () => Value | Promise<Value>,
): Promise<Value> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof OracleViolation || isCairnError(error))) throw error;
    throw new OracleViolation(`${text}: ${error.message}`, { cause: error });
  }
}
