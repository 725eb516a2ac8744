/**
 * Goes over entries for `abstract-level`: single steps, many at a time, or all that is left.
 *
 * Nothing is read ahead: a step of the engine is a function call, cheaper than keeping what it
 * gave. Invariant: strings are decoded straight from the engine's views, bytes are copied, so what
 * is handed out belongs to the caller.
 */
import { AbstractIterator, type AbstractSnapshot } from "abstract-level";
import type { Bytes } from "#base";
import type { Engine, EngineIterator, IteratorOptions } from "#lsm/types";
import { abortError } from "./errors.ts";
import { heldSnapshot, isReleased } from "./snapshot.ts";
import {
  copyToBuffer,
  decodeText,
  encodeOwn,
  type Format,
  type FormatName,
  type TextEncoderView,
} from "./text.ts";
import { READS_PER_TURN, type Turns } from "./turns.ts";

/** A range, as `abstract-level` hands it on: encoded. */
export interface EncodedRange {
  readonly gte?: Format;
  readonly gt?: Format;
  readonly lte?: Format;
  readonly lt?: Format;
  readonly reverse: boolean;
  /** -1: none. */
  readonly limit: number;
  readonly keyEncoding: FormatName;
  readonly snapshot?: AbstractSnapshot;
  readonly fillCache?: boolean;
}

/** What `_iterator` is given. */
export interface EncodedIteratorOptions extends EncodedRange {
  readonly keys: boolean;
  readonly values: boolean;
  readonly valueEncoding: FormatName;
  readonly signal?: AbortSignal;
}

/** What an iterator needs of its database. */
export interface IteratorSource {
  readonly engine: Engine;
  readonly seekKeys: TextEncoderView;
  readonly turns: Turns;
}

type Entry = [key: Format | undefined, value: Format | undefined];
type Reader = (view: Bytes) => Format | undefined;

const readNothing: Reader = () => undefined;

/** A range in the engine's words. Where both kinds of a bound are given, the wider one counts. */
export function engineRange(range: EncodedRange): IteratorOptions {
  const { gte, gt, lte, lt, snapshot, fillCache } = range;
  return {
    ...(gte !== undefined ? { gte: encodeOwn(gte) } : gt !== undefined && { gt: encodeOwn(gt) }),
    ...(lte !== undefined ? { lte: encodeOwn(lte) } : lt !== undefined && { lt: encodeOwn(lt) }),
    reverse: range.reverse,
    ...(snapshot !== undefined && snapshot !== null && { snapshot: heldSnapshot(snapshot) }),
    ...(fillCache !== undefined && { fillCache }),
  };
}

function openCursor(engine: Engine, options: EncodedIteratorOptions): EngineIterator | null {
  if (options.snapshot != null && isReleased(options.snapshot)) return null;
  return engine.iterator(engineRange(options));
}

function readerOf(isWanted: boolean, format: FormatName): Reader {
  if (!isWanted) return readNothing;
  return format === "utf8" ? decodeText : copyToBuffer;
}

/** A class, because `abstract-level` wants one. */
export class LevelIterator<Database, K, V> extends AbstractIterator<Database, K, V> {
  /** Null for a snapshot that was closed before: `abstract-level` then refuses every read. */
  readonly #cursor: EngineIterator | null;
  readonly #source: IteratorSource;
  readonly #signal: AbortSignal | null;
  readonly #readKey: Reader;
  readonly #readValue: Reader;

  constructor(db: Database, source: IteratorSource, options: EncodedIteratorOptions) {
    // First, because what fails after `super` would leave behind an iterator that nobody has.
    const cursor = openCursor(source.engine, options);
    // The package's types know the options as users write them, not as they are handed on.
    super(db, options as object);
    this.#cursor = cursor;
    this.#source = source;
    this.#signal = options.signal ?? null;
    this.#readKey = readerOf(options.keys, options.keyEncoding);
    this.#readValue = readerOf(options.values, options.valueEncoding);
  }

  protected _next(): Entry | undefined | Promise<Entry | undefined> {
    if (this.#signal !== null || this.#source.turns.spend(1)) return this.#nextLater();
    return this.#step();
  }

  protected async _nextv(size: number): Promise<Entry[]> {
    const entries: Entry[] = [];
    await this.#collect(entries, size);
    return entries;
  }

  protected async _all(): Promise<Entry[]> {
    const entries: Entry[] = [];
    await this.#collect(entries, this.limit - this.count);
    return entries;
  }

  protected _seek(target: Format): void {
    this.#cursor?.seek(this.#source.seekKeys.encode(target));
  }

  protected async _close(): Promise<void> {
    this.#cursor?.close();
  }

  #step(): Entry | undefined {
    const cursor = this.#cursor;
    if (cursor === null || !cursor.next()) return undefined;
    return [this.#readKey(cursor.key), this.#readValue(cursor.value)];
  }

  async #nextLater(): Promise<Entry | undefined> {
    if (this.#source.turns.spend(0)) await this.#source.turns.take();
    await this.#heedSignal();
    return this.#step();
  }

  /** Adds up to `size` entries, in slices between which others run. */
  async #collect(entries: Entry[], size: number): Promise<void> {
    const { turns } = this.#source;
    await this.#heedSignal();
    while (entries.length < size) {
      const before = Math.min(size, entries.length + READS_PER_TURN);
      const from = entries.length;
      while (entries.length < before) {
        const entry = this.#step();
        if (entry === undefined) return;
        entries.push(entry);
      }
      if (turns.spend(entries.length - from)) {
        await turns.take();
        await this.#heedSignal();
      }
    }
  }

  /** An abort counts also if it comes right after the call that it is meant for. */
  async #heedSignal(): Promise<void> {
    if (this.#signal === null) return;
    await undefined;
    if (this.#signal.aborted) throw abortError(this.#signal);
  }
}
