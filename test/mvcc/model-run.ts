/**
 * Random transactions against the model: every read, every refusal, at every layout, with flushes,
 * compactions, collections and restarts in between. Support for the tests.
 */
import { isCairnError } from "#base";
import type { IsolationLevel, Mvcc, MvccOptions, Savepoint, Transaction } from "#mvcc/types";
import { createSimulatedClock, createSimulatedDisk } from "#platform";
import type { Random, SimulatedDisk } from "#platform/types";
import { Model, ModelTransaction } from "./model.ts";
import { b, drain, open, type Subject, s } from "./support.ts";

/** What a run throws when store and model differ. */
export class Difference extends Error {
  override readonly name = "Difference";
}

interface Pair {
  readonly real: Transaction;
  readonly model: ModelTransaction;
  readonly savepoints: {
    readonly real: Savepoint;
    readonly own: ReadonlyMap<string, string | null>;
  }[];
}

const OPEN_MAX = 5;
/** Few keys, so that transactions meet; with zeros and prefixes, so that encodings matter. */
const KEYS = ["", "\0", "a", "a\0", "a\0\0", "a\u0001", "ab", "b", "b\u007f", "c", "c\0d", "d"];

/** Runs one history. @throws Difference */
export async function modelRun(
  subject: Subject,
  options: Pick<MvccOptions, "layout">,
  random: Random,
  operations: number,
): Promise<void> {
  const run = new Run(subject, options, random);
  await run.start();
  for (let i = 0; i < operations; i += 1) await run.operation();
  await run.end();
}

class Run {
  readonly #subject: Subject;
  readonly #options: Partial<MvccOptions>;
  readonly #random: Random;
  readonly #model = new Model();
  readonly #disk: SimulatedDisk = createSimulatedDisk();
  readonly #clock = createSimulatedClock();
  #mvcc!: Mvcc;
  #open: Pair[] = [];
  #values = 0;
  #timestamp = 0;

  constructor(subject: Subject, options: Partial<MvccOptions>, random: Random) {
    this.#subject = subject;
    this.#options = options;
    this.#random = random;
  }

  async start(): Promise<void> {
    const options = { clock: this.#clock, random: this.#random, ...this.#options };
    this.#mvcc = await open(this.#disk, options, this.#subject);
  }

  async operation(): Promise<void> {
    const dice = this.#random.below(100);
    const pair = this.#open[this.#random.below(Math.max(1, this.#open.length))];
    if (pair === undefined || (dice < 10 && this.#open.length < OPEN_MAX)) this.#begin();
    else if (dice < 30) this.#get(pair);
    else if (dice < 42) this.#scan(pair);
    else if (dice < 65) this.#write(pair);
    else if (dice < 72) this.#save(pair);
    else if (dice < 88) await this.#commit(pair);
    else if (dice < 91) this.#abort(pair);
    else if (dice < 94) drain(this.#mvcc);
    else if (dice < 98) this.#clock.advance(700);
    else if (dice < 99) await this.#mvcc.collect();
    else await this.#restart();
  }

  async end(): Promise<void> {
    for (const pair of [...this.#open]) await this.#commit(pair);
    await this.#mvcc.collect();
    this.#begin();
    this.#compareAll(this.#open[0]!);
    await this.#mvcc.close();
  }

  #begin(): void {
    const level: IsolationLevel = this.#random.below(2) === 0 ? "snapshot" : "serializable";
    const real = this.#mvcc.begin({ level });
    if (real.readTimestamp < this.#timestamp) {
      throw new Difference(`T1: begins at ${real.readTimestamp}, below ${this.#timestamp}`);
    }
    const model = new ModelTransaction(this.#model, real.readTimestamp, level);
    this.#open.push({ real, model, savepoints: [] });
  }

  #key(): string {
    return KEYS[this.#random.below(KEYS.length)]!;
  }

  #get({ real, model }: Pair): void {
    const key = this.#key();
    const [found, expected] = [s(real.get(b(key))), model.get(key)];
    if (found !== expected) {
      throw new Difference(
        `T1: ${real.label} at ${JSON.stringify(key)}: ${found}, not ${expected}`,
      );
    }
  }

  #scan({ real, model }: Pair): void {
    const [one, other] = [this.#key(), this.#key()].sort();
    const range = { from: one!, before: `${other!}\u0002` };
    const reverse = this.#random.below(2) === 0;
    const expected = model.scan(range);
    if (reverse) expected.reverse();
    const bounds = { from: b(range.from), before: b(range.before), reverse };
    const found = Array.from(real.scan(bounds), ([key, value]) => [s(key), s(value)]);
    const [text, wanted] = [JSON.stringify(found), JSON.stringify(expected)];
    if (text !== wanted)
      throw new Difference(`T1: scan of ${JSON.stringify(range)}: ${text}, not ${wanted}`);
  }

  #compareAll(pair: Pair): void {
    const expected = pair.model.scan({ from: "", before: "\u00ff" });
    const found = Array.from(pair.real.scan(), ([key, value]) => [s(key), s(value)]);
    if (JSON.stringify(found) !== JSON.stringify(expected)) {
      throw new Difference(
        `T6: at the end ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`,
      );
    }
  }

  #write({ real, model }: Pair): void {
    const key = this.#key();
    if (this.#random.below(4) === 0) {
      real.delete(b(key));
      model.own.set(key, null);
      return;
    }
    this.#values += 1;
    const value = `${this.#values}`.padEnd(this.#random.below(60), ".");
    real.put(b(key), b(value));
    model.own.set(key, value);
  }

  #save({ real, model, savepoints }: Pair): void {
    if (savepoints.length === 0 || this.#random.below(2) === 0) {
      savepoints.push({ real: real.savepoint(), own: new Map(model.own) });
      return;
    }
    const position = this.#random.below(savepoints.length);
    const { real: savepoint, own } = savepoints[position]!;
    real.rollbackTo(savepoint);
    model.own.clear();
    for (const [key, value] of own) model.own.set(key, value);
    savepoints.length = position + 1;
  }

  async #commit(pair: Pair): Promise<void> {
    this.#open = this.#open.filter((one) => one !== pair);
    const { real, model } = pair;
    const expected = model.refusal();
    let refusal: unknown = null;
    try {
      const timestamp = await real.commit({ sync: this.#random.below(3) === 0 });
      if (model.own.size > 0) {
        if (timestamp <= this.#timestamp) throw new Difference(`T3: ${timestamp} comes again`);
        this.#timestamp = timestamp;
        this.#model.commits.push({ timestamp, changes: new Map(model.own) });
      }
    } catch (error) {
      if (!isCairnError(error, "MVCC_CONFLICT")) throw error;
      refusal = error.details["rule"];
    }
    if (refusal !== expected) {
      throw new Difference(`${expected ?? refusal}: commit refused by ${refusal}, not ${expected}`);
    }
  }

  #abort(pair: Pair): void {
    this.#open = this.#open.filter((one) => one !== pair);
    pair.real.abort();
  }

  async #restart(): Promise<void> {
    for (const pair of [...this.#open]) this.#abort(pair);
    await this.#mvcc.close();
    await this.start();
  }
}
