/**
 * Time and chance on the writer connection: the same on every replica, because they come from the
 * entry.
 *
 * SQLite's own functions are overridden, so defaults, triggers, views and `ORDER BY random()`
 * follow without a change to any SQL text. Dates are still computed by SQLite, on a connection in
 * memory that is told the time. Invariant (Q2): nothing here looks at a clock, at chance or at the
 * time zone.
 *
 * Two liberties. `localtime` and `utc` change nothing, as on a machine whose zone is UTC. And an
 * index on `date('now')`, which SQLite refuses, is not noticed; it keeps the times of the entries.
 * Chapter: 09-sqlite.
 */
import Database from "better-sqlite3";
import { assert } from "#base";

/** What the overridden functions answer from. */
export interface Determinism {
  /** Sets the time of an entry, in milliseconds since 1970, and its random bits. */
  enterEntry(timeMs: number, seed: bigint): void;
  /** Starts the random sequence of one statement of the entry. */
  enterStatement(number: number): void;
  /** What `total_changes()` answers. */
  totalChanges: bigint;
  close(): void;
}

type Argument = null | bigint | number | string | Uint8Array;

/** Date functions whose first argument is a time. */
const DATE_FUNCTIONS = ["date", "time", "datetime", "julianday", "unixepoch"] as const;

/** SQLite's own limit on the length of a value, as better-sqlite3 sets it on 64-bit machines. */
const BLOB_BYTES_MAX = 0x1fff_ffe8;
const SEED_WORD_BITS = 32n;
const WORD_MASK = 0xffff_ffffn;
const INTEGER_BITS = 64;
/** Rounds after which the state of sfc32 no longer shows its seed (its author's advice). */
const WARM_UP_ROUNDS = 12;

/** Overrides the functions on `database`. */
export function installDeterminism(database: Database.Database): Determinism {
  const calendar = new Calendar();
  const chance = new Chance();
  const determinism: Determinism = {
    totalChanges: 0n,
    enterEntry(timeMs, seed) {
      calendar.setNow(timeMs);
      chance.enterEntry(seed);
    },
    enterStatement: (number) => chance.enterStatement(number),
    close: () => calendar.close(),
  };
  const fixed = { deterministic: true, safeIntegers: true };
  const varying = { deterministic: false, safeIntegers: true };
  database.function("random", varying, () => chance.integer());
  database.function("randomblob", varying, (length: Argument) => chance.blob(blobLength(length)));
  database.function("total_changes", varying, () => determinism.totalChanges);
  for (const name of DATE_FUNCTIONS) {
    database.function(name, { ...fixed, varargs: true }, (...args: Argument[]) =>
      calendar.call(name, timeArguments(args, 0)),
    );
  }
  database.function("strftime", { ...fixed, varargs: true }, (...args: Argument[]) =>
    calendar.call("strftime", args.length === 0 ? [] : timeArguments(args, 1)),
  );
  database.function("timediff", fixed, (a: Argument, b: Argument) =>
    calendar.call("timediff", [timeValue(a), timeValue(b)]),
  );
  database.function("current_timestamp", fixed, () => calendar.call("datetime", [NOW]));
  database.function("current_date", fixed, () => calendar.call("date", [NOW]));
  database.function("current_time", fixed, () => calendar.call("time", [NOW]));
  return determinism;
}

/** Stands for the entry's time among arguments; no SQL value is a symbol. */
const NOW = Symbol("now");
type TimeArgument = Argument | typeof NOW;

/** Arguments from `first` on are a time and its modifiers; without a time it is now. */
function timeArguments(args: readonly Argument[], first: number): TimeArgument[] {
  const out: TimeArgument[] = args.slice(0, first);
  if (args.length <= first) return [...out, NOW];
  const subsecond = /^subsec(ond)?$/i.test(cText(args[first]) ?? "");
  // SQLite reads a leading 'subsec' as "now, with milliseconds".
  if (subsecond) out.push(NOW, "subsec");
  else out.push(timeValue(args[first] ?? null));
  for (const modifier of args.slice(first + 1)) {
    const isZone = /^(localtime|utc)$/i.test(cText(modifier) ?? "");
    out.push(isZone ? "+0 days" : modifier instanceof Uint8Array ? cText(modifier) : modifier);
  }
  return out;
}

function timeValue(value: Argument): TimeArgument {
  const text = cText(value);
  if (text === null) return value;
  return /^now$/i.test(text) ? NOW : text;
}

/** Text as SQLite's date functions see it: up to a NUL, bytes read as UTF-8. */
function cText(value: Argument | undefined): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== "string" && !(value instanceof Uint8Array)) return null;
  const text = typeof value === "string" ? value : Buffer.from(value).toString("utf8");
  const nul = text.indexOf("\0");
  return nul < 0 ? text : text.slice(0, nul);
}

/** SQLite's date functions with a time that stands still. */
class Calendar {
  readonly #database = new Database(":memory:");
  readonly #statements = new Map<string, Database.Statement>();
  /** Answers to calls with nothing but the time, for the entry under way. */
  readonly #answers = new Map<string, unknown>();
  #timeMs = 0;

  setNow(timeMs: number): void {
    assert(Number.isSafeInteger(timeMs), `sqlite: an entry's time is whole, got ${timeMs}`);
    if (timeMs === this.#timeMs) return;
    this.#timeMs = timeMs;
    if (this.#answers.size > 0) this.#answers.clear();
  }

  call(name: string, args: readonly TimeArgument[]): unknown {
    if (args.length !== 1 || args[0] !== NOW) return this.#evaluate(name, args);
    let answer = this.#answers.get(name);
    if (answer === undefined) {
      answer = this.#evaluate(name, args);
      this.#answers.set(name, answer);
    }
    return answer;
  }

  close(): void {
    this.#database.close();
  }

  #evaluate(name: string, args: readonly TimeArgument[]): unknown {
    const key = `${name}/${args.length}`;
    let statement = this.#statements.get(key);
    if (statement === undefined) {
      const places = args.map(() => "?").join(",");
      statement = this.#database.prepare(`SELECT ${name}(${places})`).pluck().safeIntegers();
      this.#statements.set(key, statement);
    }
    const now = new Date(this.#timeMs).toISOString().slice(0, -1).replace("T", " ");
    return statement.get(args.map((arg) => (arg === NOW ? now : arg)));
  }
}

/**
 * sfc32, seeded by the entry's bits and the number of the statement.
 *
 * Part of the replicated format: another generator would give other rows from the same log.
 */
class Chance {
  #seedLow = 0;
  #seedHigh = 0;
  #statement = 0;
  #isSeeded = false;
  #a = 0;
  #b = 0;
  #c = 0;
  #counter = 0;

  enterEntry(seed: bigint): void {
    this.#seedLow = Number(seed & WORD_MASK);
    this.#seedHigh = Number((seed >> SEED_WORD_BITS) & WORD_MASK);
    this.enterStatement(0);
  }

  enterStatement(number: number): void {
    this.#statement = number;
    this.#isSeeded = false;
  }

  integer(): bigint {
    const high = BigInt(this.#word());
    return BigInt.asIntN(INTEGER_BITS, (high << SEED_WORD_BITS) | BigInt(this.#word()));
  }

  blob(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    let at = 0;
    for (; at + 4 <= length; at += 4) bytes.writeUInt32LE(this.#word(), at);
    for (let word = this.#word(); at < length; at += 1, word >>>= 8) bytes[at] = word & 0xff;
    return bytes;
  }

  #word(): number {
    if (!this.#isSeeded) this.#seed();
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  #seed(): void {
    this.#isSeeded = true;
    this.#a = this.#seedLow | 0;
    this.#b = this.#seedHigh | 0;
    this.#c = this.#statement | 0;
    this.#counter = 1;
    for (let round = 0; round < WARM_UP_ROUNDS; round += 1) this.#word();
  }
}

/** What SQLite's `randomblob` makes of its argument: at least one byte. */
function blobLength(value: Argument): number {
  const number = typeof value === "bigint" ? Number(value) : Number.parseFloat(String(value ?? 0));
  const length = Number.isFinite(number) ? Math.max(1, Math.trunc(number)) : 1;
  if (length > BLOB_BYTES_MAX) throw new RangeError("string or blob too big");
  return length;
}
