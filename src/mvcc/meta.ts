/**
 * What a store must remember besides versions, and the timestamps that it hands out.
 *
 * | key of the engine | value                                                               |
 * | ----------------- | ------------------------------------------------------------------- |
 * | meta, "layout"    | the layout's name                                                   |
 * | meta, "reserved"  | u64 BE: no timestamp at or above this was ever given out            |
 * | meta, "horizon"   | u64 BE: what only readers below this could see may be gone          |
 *
 * Timestamps are reserved in blocks, durably, before any of them is used, and what was reserved is
 * never used after a restart. So a timestamp that was told to somebody, and whose commit was lost
 * with the power, is not given to another commit (T3).
 *
 * Invariant: every timestamp given out is below a "reserved" that is durable.
 * Chapter: 06-mvcc, step 06.3
 */
import { assert, type Bytes, CairnError } from "#base";
import { createWriteBatch } from "#lsm";
import type { Engine } from "#lsm/types";
import type { Timestamp, VersionLayout } from "./types.ts";
import { getBigEndian, KeySpace, NUMBER_BYTES, putBigEndian } from "./version-key.ts";

/** One durable write for so many commits; a restart skips as many. 2^53 has room for 8 billion. */
const BLOCK: Timestamp = 2 ** 20;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const LAYOUT = metaKey("layout");
const RESERVED = metaKey("reserved");
const HORIZON = metaKey("horizon");

/** The memory of one store, and its clock of commits. */
export interface Meta {
  /** Of the newest commit; at first, the last one that may have been given out before. */
  readonly last: Timestamp;
  /** As it was when the store was opened, and after each `keepHorizon`. */
  readonly horizon: Timestamp;
  /**
   * The next timestamp.
   *
   * @returns a number, or where none is reserved yet, a promise that one will be: ask again then.
   */
  take(): Timestamp | Promise<void>;
  /** Makes a horizon durable. It may be given to the layout behind that. */
  keepHorizon(horizon: Timestamp): Promise<void>;
}

/**
 * Reads, checks and reserves.
 *
 * @throws `MVCC_LAYOUT_MISMATCH`.
 */
export async function openMeta(engine: Engine, layout: VersionLayout): Promise<Meta> {
  const found = engine.get(LAYOUT);
  const name = found === undefined ? undefined : decoder.decode(found);
  if (name !== undefined && name !== layout) {
    const message = `mvcc: ${engine.dir}: made with layout ${name}, not ${layout}`;
    throw new CairnError("MVCC_LAYOUT_MISMATCH", message, { details: { made: name, layout } });
  }
  const start = numberAt(engine, RESERVED) ?? 1;
  const batch = createWriteBatch();
  batch.put(LAYOUT, encoder.encode(layout));
  batch.put(RESERVED, numberBytes(start + BLOCK));
  await engine.write(batch, { sync: true });
  return new KeptMeta(engine, start, numberAt(engine, HORIZON) ?? 0);
}

class KeptMeta implements Meta {
  readonly #engine: Engine;
  last: Timestamp;
  horizon: Timestamp;
  /** Durable: timestamps below this may be given out. */
  #before: Timestamp;
  #reserving: Promise<void> | null = null;

  constructor(engine: Engine, start: Timestamp, horizon: Timestamp) {
    this.#engine = engine;
    this.last = start - 1;
    this.horizon = horizon;
    this.#before = start + BLOCK;
  }

  take(): Timestamp | Promise<void> {
    if (this.last + 1 >= this.#before) return this.#reserve();
    this.last += 1;
    assert(Number.isSafeInteger(this.last), "mvcc: timestamps last for 2^53 commits");
    // Ahead of need, so that no commit waits for it.
    if (this.#before - this.last === BLOCK / 2) this.#reserve().catch(() => undefined);
    return this.last;
  }

  async keepHorizon(horizon: Timestamp): Promise<void> {
    await this.#engine.put(HORIZON, numberBytes(horizon), { sync: true });
    this.horizon = horizon;
  }

  #reserve(): Promise<void> {
    this.#reserving ??= this.#write().finally(() => {
      this.#reserving = null;
    });
    return this.#reserving;
  }

  async #write(): Promise<void> {
    const before = this.#before + BLOCK;
    await this.#engine.put(RESERVED, numberBytes(before), { sync: true });
    this.#before = before;
  }
}

function metaKey(name: string): Bytes {
  return Uint8Array.of(KeySpace.meta, ...encoder.encode(name));
}

function numberBytes(value: number): Bytes {
  const bytes = new Uint8Array(NUMBER_BYTES);
  putBigEndian(bytes, 0, value);
  return bytes;
}

function numberAt(engine: Engine, key: Bytes): number | undefined {
  const found = engine.get(key);
  return found === undefined ? undefined : getBigEndian(found, 0);
}
