/**
 * Values that are there only once, and who is still to find them.
 *
 * Where one operation leaves a value, and no other does, whoever found that value came before the
 * next change. So the state may not be changed while somebody waits for it: that is a dead end,
 * seen long before the answer at which the search would get stuck. Where values come twice nothing
 * is known, and nothing is said. Chapter: 11-simulation.
 */
import type { Problem } from "./prepare.ts";
import type { Model } from "./types.ts";

type Key = string | number | null;

/** Counts who waits for which value, as operations are done and undone. */
export class Once<State, Input, Output> {
  /** Numbers of the values that are there once. */
  readonly #values = new Map<Key, number>();
  /** By operation: the number of the value that it must find; -1 if there is none. */
  readonly #finds: Int32Array;
  readonly #waiting: Int32Array;

  constructor({ candidates }: Problem<Input, Output>, model: Model<State, Input, Output>) {
    this.#finds = new Int32Array(candidates.length).fill(-1);
    const { leaves, finds } = model;
    if (leaves !== undefined && finds !== undefined) {
      const sources = new Map<Key, number>([[model.keyOf(model.initial), 1]]);
      for (const { operation } of candidates) {
        const value = leaves(operation);
        if (value !== undefined) sources.set(value, (sources.get(value) ?? 0) + 1);
      }
      for (const [value, count] of sources) {
        if (count === 1) this.#values.set(value, this.#values.size);
      }
      for (const [place, { operation, happenedBy }] of candidates.entries()) {
        const value = happenedBy < Infinity ? finds(operation) : undefined;
        if (value !== undefined) this.#finds[place] = this.#values.get(value) ?? -1;
      }
    }
    this.#waiting = new Int32Array(this.#values.size);
    for (const value of this.#finds) if (value !== -1) this.add(value, 1);
  }

  /** The number of a state's value; -1 if it is not there once. */
  numberOf(key: Key): number {
    return this.#values.get(key) ?? -1;
  }

  /** What an operation must find; -1 if that is not known. */
  foundBy(operation: number): number {
    return this.#finds[operation]!;
  }

  /** More or fewer wait for a value; nothing for -1. */
  add(value: number, count: 1 | -1): void {
    if (value !== -1) this.#waiting[value] = this.#waiting[value]! + count;
  }

  /** Does anybody but this operation wait for a value? */
  isWaitedFor(value: number, operation: number): boolean {
    if (value === -1) return false;
    return this.#waiting[value]! > (this.#finds[operation] === value ? 1 : 0);
  }
}
