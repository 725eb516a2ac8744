/**
 * Is there an order of the operations, in agreement with real time, in which a correct object would
 * have given these answers? The search of Wing and Gong, with Lowe's memo.
 *
 * One operation after another is done, among those that were called before the first open answer;
 * at a dead end the last is undone. A configuration that was seen before is not entered again.
 * Reads that fit are done at once and never undone alone: they change nothing, so no order is lost.
 * A state is not left while somebody waits for it who can find it nowhere else.
 *
 * Invariant: `violated` is said only after every configuration was ruled out. Sources: Wing and
 * Gong, "Testing and Verifying Concurrent Objects" (1993); Lowe, "Testing for Linearizability"
 * (2017), section 4. Chapter: 11-simulation.
 */
import { assert } from "#base";
import { type Events, eventsOf } from "./events.ts";
import { Memo } from "./memo.ts";
import { Once } from "./once.ts";
import type { Problem } from "./prepare.ts";
import type { Model, Operation, VerdictKind } from "./types.ts";

/** What a search found. Operations are given by their places in the problem. */
export interface Found {
  readonly kind: VerdictKind;
  readonly steps: number;
  /** The order, or the longest for the beginning of the history. */
  readonly order: readonly number[];
  /** Whose answer no order got beyond, as far as was searched; -1 if it holds. */
  readonly misfit: number;
}

/** Searches until an order is found, none is left, or so many steps were made. */
export function search<State, Input, Output>(
  problem: Problem<Input, Output>,
  model: Model<State, Input, Output>,
  stepsMax: number,
): Found {
  return new Search(problem, model).run(stepsMax);
}

class Search<State, Input, Output> {
  readonly #operations: readonly Operation<Input, Output>[];
  readonly #mustHappen: readonly boolean[];
  readonly #model: Model<State, Input, Output>;
  readonly #events: Events;
  readonly #memo: Memo;
  readonly #once: Once<State, Input, Output>;
  readonly #isRead: readonly boolean[];
  readonly #done: Uint8Array;
  /** States by number: the memo compares numbers. */
  readonly #states: State[] = [];
  readonly #valueOfState: number[] = [];
  readonly #stateNumbers = new Map<string | number | null, number>();
  /** What was done, in order. */
  readonly #trail: Int32Array;
  #trailLength = 0;
  /** Where in the trail a choice was made, and the state before it. */
  readonly #choices: number[] = [];
  readonly #statesBefore: number[] = [];
  #state = 0;
  #left = 0;
  #steps = 0;
  /** The farthest answer that was waited for, and the longest order that got so far. */
  #farthest = -1;
  #farthestNode = -1;
  #longest: Int32Array = new Int32Array(0);

  constructor(problem: Problem<Input, Output>, model: Model<State, Input, Output>) {
    const { candidates } = problem;
    this.#operations = candidates.map(({ operation }) => operation);
    this.#mustHappen = candidates.map(({ happenedBy }) => happenedBy < Infinity);
    this.#model = model;
    this.#events = eventsOf(problem);
    this.#memo = new Memo(this.#events.underWayMax);
    this.#once = new Once(problem, model);
    this.#isRead = this.#operations.map(({ input, output }) => model.isRead(input, output));
    this.#done = new Uint8Array(candidates.length);
    this.#trail = new Int32Array(candidates.length);
    this.#left = this.#mustHappen.filter((must) => must).length;
    this.#state = this.#numberOf(model.initial);
  }

  run(stepsMax: number): Found {
    const { next } = this.#events;
    this.#remember(this.#readAll());
    let node = next[this.#events.head]!;
    while (this.#left > 0) {
      if (this.#steps >= stepsMax) return this.#found("unknown");
      if (node % 2 === 1) {
        const undone = this.#undoChoice();
        if (undone === -1) return this.#found("violated");
        node = next[2 * undone]!;
      } else if (!this.#isRead[node >> 1] && this.#choose(node >> 1)) {
        node = next[this.#events.head]!;
      } else {
        node = next[node]!;
      }
    }
    return this.#found("holds");
  }

  /** Does an operation and every read that then fits. @returns false if it leads nowhere new. */
  #choose(operation: number): boolean {
    const after = this.#stepTo(operation);
    if (after === -1) return false;
    const isChange = after !== this.#state;
    if (isChange && this.#once.isWaitedFor(this.#valueOfState[this.#state]!, operation)) {
      return false;
    }
    this.#choices.push(this.#trailLength);
    this.#statesBefore.push(this.#state);
    this.#state = after;
    this.#do(operation);
    if (this.#remember(this.#readAll())) return true;
    this.#undoChoice();
    return false;
  }

  /** Undoes everything from the last choice on. @returns that choice; -1 if there was none. */
  #undoChoice(): number {
    const from = this.#choices.pop();
    if (from === undefined) return -1;
    while (this.#trailLength > from) {
      this.#trailLength -= 1;
      const operation = this.#trail[this.#trailLength]!;
      this.#events.putBack(operation);
      this.#once.add(this.#once.foundBy(operation), 1);
      this.#done[operation] = 0;
      if (this.#mustHappen[operation]) this.#left += 1;
    }
    this.#state = this.#statesBefore.pop()!;
    return this.#trail[from]!;
  }

  #do(operation: number): void {
    this.#events.takeOut(operation);
    this.#once.add(this.#once.foundBy(operation), -1);
    this.#done[operation] = 1;
    this.#trail[this.#trailLength] = operation;
    this.#trailLength += 1;
    if (this.#mustHappen[operation]) this.#left -= 1;
  }

  /** Does every read that can be done here and fits. @returns the first open answer's node. */
  #readAll(): number {
    const { next, head } = this.#events;
    let node = next[head]!;
    while (node !== head && node % 2 === 0) {
      const operation = node >> 1;
      if (this.#isRead[operation] && this.#stepTo(operation) === this.#state) this.#do(operation);
      node = next[node]!;
    }
    return node;
  }

  /** The number of the state after an operation; -1 if its answer does not fit. */
  #stepTo(operation: number): number {
    this.#steps += 1;
    const { input, output } = this.#operations[operation]!;
    const state = this.#states[this.#state]!;
    const after = this.#model.step(state, input, output);
    if (after === undefined) return -1;
    return after === state ? this.#state : this.#numberOf(after);
  }

  #numberOf(state: State): number {
    const key = this.#model.keyOf(state);
    let number = this.#stateNumbers.get(key);
    if (number === undefined) {
      number = this.#states.length;
      this.#states.push(state);
      this.#valueOfState.push(this.#once.numberOf(key));
      this.#stateNumbers.set(key, number);
    }
    return number;
  }

  /** @returns whether this configuration is new: the first open answer, what is done, the state. */
  #remember(answer: number): boolean {
    if (this.#left === 0) return true;
    assert(answer % 2 === 1, "simulation: what must happen has an answer");
    const rank = this.#events.rank[answer]!;
    this.#memo.begin(rank, this.#state);
    const underWay = this.#events.underWay[rank]!;
    for (let bit = 0; bit < underWay.length; bit += 1) {
      if (this.#done[underWay[bit]!] === 1) this.#memo.setBit(bit);
    }
    if (!this.#memo.commit()) return false;
    const isFarther = rank > this.#farthest;
    if (isFarther || (rank === this.#farthest && this.#trailLength > this.#longest.length)) {
      this.#farthest = rank;
      this.#farthestNode = answer;
      this.#longest = this.#trail.slice(0, this.#trailLength);
    }
    return true;
  }

  #found(kind: VerdictKind): Found {
    const holds = kind === "holds";
    const order = holds ? this.#trail.subarray(0, this.#trailLength) : this.#longest;
    const misfit = holds ? -1 : this.#farthestNode >> 1;
    return { kind, steps: this.#steps, order: [...order], misfit };
  }
}
