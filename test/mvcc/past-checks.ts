/**
 * Reading the past while garbage goes: a history of commits with a retention, power cuts and
 * compactions, for the store itself and for those with a mistake. Support for the tests.
 *
 * Whoever begins in the past either sees exactly what was there then, for as long as it is open, or
 * is refused because it has been replaced for longer than the retention.
 */
import { isCairnError } from "#base";
import type { Mvcc, MvccOptions, Transaction } from "#mvcc/types";
import { createSimulatedClock, createSimulatedDisk, seededRandom } from "#platform";
import type { Random, SimulatedDisk } from "#platform/types";
import { Difference } from "./model-run.ts";
import { drain, open, type Subject, seen, worked, write } from "./support.ts";

const RETENTION_MS = 4000;
const KEYS = 12;
const READERS_MAX = 3;

/** What was there from one commit to the next. */
interface Moment {
  readonly timestamp: number;
  readonly ms: number;
  readonly text: string;
}

/** Runs one history. @throws Difference */
export async function pastRun(
  subject: Subject,
  options: Partial<MvccOptions>,
  seed: number,
  operations: number,
): Promise<void> {
  const run = new PastRun(subject, options, seed);
  await run.start();
  for (let i = 0; i < operations; i += 1) await run.operation();
  await run.end();
}

class PastRun {
  readonly #subject: Subject;
  readonly #options: Partial<MvccOptions>;
  readonly #random: Random;
  readonly #clock = createSimulatedClock();
  readonly #readers = new Map<Transaction, string>();
  readonly #state = new Map<string, string>();
  #moments: Moment[] = [];
  /** Moments that survive a power cut. */
  #durable = 0;
  #disk: SimulatedDisk = createSimulatedDisk();
  #mvcc!: Mvcc;
  #commits = 0;

  constructor(subject: Subject, options: Partial<MvccOptions>, seed: number) {
    this.#subject = subject;
    this.#options = options;
    this.#random = seededRandom(seed);
  }

  async start(): Promise<void> {
    const options = { clock: this.#clock, retentionMs: RETENTION_MS, ...this.#options };
    this.#mvcc = await open(this.#disk, options, this.#subject);
  }

  async operation(): Promise<void> {
    const dice = this.#random.below(100);
    if (dice < 45) await this.#commit();
    else if (dice < 60) this.#clock.advance(this.#random.below(1500));
    else if (dice < 80) this.#beginInPast();
    else if (dice < 86) this.#endReader();
    else if (dice < 92) this.#work();
    else if (dice < 95) await worked(this.#mvcc, this.#mvcc.collect());
    else if (dice < 97) await this.#cutPower();
    else this.#lookAgain();
  }

  async end(): Promise<void> {
    this.#lookAgain();
    drain(this.#mvcc);
    this.#lookAgain();
    await this.#mvcc.close();
  }

  async #commit(): Promise<void> {
    this.#commits += 1;
    const transaction = this.#mvcc.begin();
    for (let keys = this.#random.below(3); keys >= 0; keys -= 1) {
      const key = `key-${this.#random.below(KEYS)}`;
      if (this.#random.below(4) === 0) {
        write(transaction, { [key]: null });
        this.#state.delete(key);
      } else {
        const value = `${this.#commits}`.padEnd(this.#random.below(200), ".");
        write(transaction, { [key]: value });
        this.#state.set(key, value);
      }
    }
    write(transaction, { number: String(this.#commits) });
    this.#state.set("number", String(this.#commits));
    const sync = this.#random.below(3) === 0;
    const timestamp = await worked(this.#mvcc, transaction.commit({ sync }));
    const sorted = [...this.#state].sort(([a], [b]) => (a < b ? -1 : 1));
    const text = JSON.stringify(Object.fromEntries(sorted));
    this.#moments.push({ timestamp, ms: this.#clock.now(), text });
    if (sync) this.#durable = this.#moments.length;
  }

  #beginInPast(): void {
    if (this.#moments.length === 0) return;
    const recent = Math.min(this.#moments.length, 40);
    const position = this.#moments.length - 1 - this.#random.below(recent);
    const { timestamp, text } = this.#moments[position]!;
    let reader: Transaction;
    try {
      reader = this.#mvcc.begin({ at: timestamp });
    } catch (error) {
      if (!isCairnError(error, "MVCC_SNAPSHOT_TOO_OLD")) throw error;
      const replacedMs = this.#moments[position + 1]?.ms ?? Number.POSITIVE_INFINITY;
      if (replacedMs <= this.#clock.now() - RETENTION_MS) return;
      throw new Difference(`T6: ${timestamp} is refused within the retention`);
    }
    this.#compare(reader, text);
    if (this.#readers.size < READERS_MAX) this.#readers.set(reader, text);
    else reader.abort();
  }

  #endReader(): void {
    const [reader] = this.#readers.keys();
    if (reader === undefined) return;
    this.#readers.delete(reader);
    reader.abort();
  }

  #work(): void {
    for (let units = this.#random.below(40); units > 0 && this.#mvcc.step(); units -= 1);
    this.#lookAgain();
  }

  #lookAgain(): void {
    for (const [reader, text] of this.#readers) this.#compare(reader, text);
  }

  #compare(reader: Transaction, expected: string): void {
    const content = Object.entries(seen(reader, { reverse: this.#random.below(2) === 0 }));
    content.sort(([a], [b]) => (a < b ? -1 : 1));
    const found = JSON.stringify(Object.fromEntries(content));
    if (found === expected) return;
    throw new Difference(`T6: at ${reader.readTimestamp}: ${found}, not ${expected}`);
  }

  /** What was not synced may be lost, the newest first. */
  async #cutPower(): Promise<void> {
    this.#readers.clear();
    this.#disk = this.#disk.crash(this.#random.below(1000));
    await this.start();
    const reader = this.#mvcc.begin();
    const number = seen(reader)["number"];
    const count = this.#moments.findLastIndex(({ text }) => JSON.parse(text).number === number) + 1;
    if (count < this.#durable) {
      throw new Difference(`T2: ${this.#durable} were synced, ${count} stay`);
    }
    this.#moments = this.#moments.slice(0, count);
    const text = this.#moments.at(-1)?.text ?? "{}";
    this.#compare(reader, text);
    // Timestamps go on above all that may have been given out: another moment of equal content.
    this.#moments.push({ timestamp: reader.readTimestamp, ms: this.#clock.now(), text });
    this.#durable = this.#moments.length;
    reader.abort();
    this.#state.clear();
    for (const [key, value] of Object.entries(JSON.parse(text))) this.#state.set(key, `${value}`);
  }
}
