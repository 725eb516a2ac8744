/**
 * Changes that happen together, as the caller gathers them.
 *
 * Invariant: a batch keeps nothing of the caller's arrays; its bytes are what goes to the log.
 * Chapter: 04-lsm
 */
import { type Bytes, CairnError } from "#base";
import { BATCH_BYTES_MAX } from "./options.ts";
import type { WriteBatch } from "./types.ts";
import { createOperations, type Operations } from "./write-group.ts";

/** Makes an empty batch. */
export function createWriteBatch(): WriteBatch {
  return new EncodedBatch();
}

/**
 * The bytes of a batch.
 *
 * @throws TypeError for a batch that was not made here.
 */
export function operationsOf(batch: WriteBatch): Operations {
  if (batch instanceof EncodedBatch) return batch.content;
  throw new TypeError("lsm: a batch is made by createWriteBatch");
}

/** @throws TypeError for anything but bytes. */
export function checkBytes(name: string, value: Bytes): void {
  if (!(value instanceof Uint8Array)) {
    throw new TypeError(`lsm: ${name}: not bytes but ${value === null ? "null" : typeof value}`);
  }
}

/** @throws RangeError for more than one record of the log takes. */
export function checkRoom(inUse: number, added: number): void {
  if (inUse + added > BATCH_BYTES_MAX) {
    throw new RangeError(
      `lsm: a batch of ${inUse + added} bytes: the limit is ${BATCH_BYTES_MAX}; split it`,
    );
  }
}

/** The error of every call on an engine or iterator after its end. */
export function closed(what: string): CairnError {
  return new CairnError("LSM_CLOSED", `lsm: ${what}: closed`);
}

class EncodedBatch implements WriteBatch {
  readonly content: Operations = createOperations();

  get operations(): number {
    return this.content.count;
  }

  get bytes(): number {
    return this.content.bytes;
  }

  put(key: Bytes, value: Bytes): void {
    checkBytes("key", key);
    checkBytes("value", value);
    checkRoom(this.content.bytes, key.length + value.length);
    this.content.put(key, value);
  }

  delete(key: Bytes): void {
    checkBytes("key", key);
    checkRoom(this.content.bytes, key.length);
    this.content.delete(key);
  }

  clear(): void {
    this.content.clear();
  }
}
