/**
 * Reads that clients wait for at one node, until the machine is far enough.
 *
 * Invariant: a read ends once, or never if the node stops. Chapter: 11-simulation.
 */
import type { Ms } from "#base";
import type { Index } from "#raft/types";
import type { ReadRequest } from "./types.ts";

/** A read whose index is known. */
export interface ReadyRead {
  readonly read: ReadRequest;
  readonly index: Index;
  /** For lease reads: when the answer must not be used any more. */
  readonly leaseUntil: Ms | undefined;
}

/** See the file's header. */
export class Reads {
  readonly #asked = new Map<number, ReadRequest>();
  #ready: ReadyRead[] = [];

  ask(read: ReadRequest): void {
    this.#asked.set(read.id, read);
  }

  /** The core has given an index. */
  ready(id: number, index: Index, leaseUntil: Ms | undefined): void {
    const read = this.#asked.get(id);
    if (read !== undefined) this.#ready.push({ read, index, leaseUntil });
  }

  /** Takes those that may run now that the machine has applied so far. */
  takeServable(applied: Index): readonly ReadyRead[] {
    if (this.#ready.length === 0) return this.#ready;
    const servable = this.#ready.filter(({ index }) => index <= applied);
    if (servable.length > 0) this.#ready = this.#ready.filter(({ index }) => index > applied);
    return servable;
  }

  /** Ends a read; undefined if nobody waits for it. */
  end(id: number): ReadRequest | undefined {
    const read = this.#asked.get(id);
    this.#asked.delete(id);
    return read;
  }

  forget(): void {
    this.#asked.clear();
    this.#ready = [];
  }
}
