/**
 * Reads that wait until the state machine here is far enough.
 *
 * Invariant: a read is answered once, and never before everything up to its index is applied.
 * Chapter: 08-replica.
 */
import type { Output } from "#raft/types";
import type { ReadOutcome } from "./types.ts";

/** See the file's header. */
export class ReadTable {
  /** Asked for and not answered yet. */
  readonly #open = new Set<number>();
  #waiting: Extract<Output, { kind: "readReady" }>[] = [];
  #answer: (id: number, outcome: ReadOutcome) => void = () => undefined;

  onRead(f: (id: number, outcome: ReadOutcome) => void): void {
    this.#answer = f;
  }

  begin(id: number): void {
    this.#open.add(id);
  }

  /** The core has an index for a read. */
  ready(output: Extract<Output, { kind: "readReady" }>, applied: number): void {
    this.#waiting.push(output);
    this.applied(applied);
  }

  fail(id: number, reason: Extract<ReadOutcome, { ok: false }>["reason"]): void {
    this.#end(id, { ok: false, reason });
  }

  /** The state machine has applied up to here. */
  applied(index: number): void {
    if (!this.#waiting.some((read) => read.index <= index)) return;
    const ready = this.#waiting.filter((read) => read.index <= index);
    this.#waiting = this.#waiting.filter((read) => read.index > index);
    for (const { id, leaseUntil } of ready) {
      const outcome = { ok: true, index } as const;
      this.#end(id, leaseUntil === undefined ? outcome : { ...outcome, leaseUntil });
    }
  }

  #end(id: number, outcome: ReadOutcome): void {
    if (this.#open.delete(id)) this.#answer(id, outcome);
  }

  /** The replica stops: nobody will apply what they wait for. */
  stop(): void {
    this.#waiting = [];
    for (const id of [...this.#open]) this.fail(id, "timeout");
  }
}
