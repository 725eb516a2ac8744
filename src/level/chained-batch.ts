/**
 * A batch that is encoded as it is filled: nothing is kept but its bytes.
 *
 * Invariant: keys and values are copied when they are added, so the encoders may be used again at
 * once.
 */
import { AbstractChainedBatch } from "abstract-level";
import { createWriteBatch } from "#lsm";
import type { Engine, WriteBatch, WriteOptions } from "#lsm/types";
import type { Format, TextEncoderView } from "./text.ts";

/** What a batch needs of its database. */
export interface BatchTarget {
  readonly engine: Engine;
  readonly keys: TextEncoderView;
  readonly values: TextEncoderView;
}

/** A class, because `abstract-level` wants one. */
export class LevelChainedBatch<Database, K, V> extends AbstractChainedBatch<Database, K, V> {
  readonly #target: BatchTarget;
  readonly #batch: WriteBatch = createWriteBatch();

  constructor(db: Database, target: BatchTarget) {
    super(db);
    this.#target = target;
  }

  protected _put(key: Format, value: Format): void {
    this.#batch.put(this.#target.keys.encode(key), this.#target.values.encode(value));
  }

  protected _del(key: Format): void {
    this.#batch.delete(this.#target.keys.encode(key));
  }

  protected _clear(): void {
    this.#batch.clear();
  }

  protected _write(options: WriteOptions): Promise<void> {
    return this.#target.engine.write(this.#batch, options);
  }
}
