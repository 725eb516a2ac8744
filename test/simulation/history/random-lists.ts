/**
 * Random histories of transactions on lists that are right by construction, and ways to make one
 * certainly wrong. Support for the tests.
 *
 * Each transaction takes effect as a whole at one moment between its call and its answer. The last
 * transactions read every list, so that everything that was appended is seen.
 */
import type { Random } from "#platform/types";
import type { ListStep, ListTransaction, Outcome } from "#simulation";

/** What kind of history. Shares are 0 to 1. */
export interface ListShape {
  readonly clients: number;
  readonly transactions: number;
  readonly keys: number;
  readonly unknownShare: number;
  readonly failedShare: number;
}

interface Open {
  readonly process: number;
  readonly calledAt: number;
  readonly fate: Outcome;
  steps: ListStep[];
  isDone: boolean;
}

/** A history that holds. */
export function randomLists(random: Random, shape: ListShape): ListTransaction[] {
  return new Player(random, shape).play();
}

class Player {
  readonly #random: Random;
  readonly #shape: ListShape;
  readonly #lists: Map<string, number[]>;
  readonly #open: (Open | undefined)[];
  readonly #ended: ListTransaction[] = [];
  #now = 0;
  #begun = 0;
  #values = 0;

  constructor(random: Random, shape: ListShape) {
    this.#random = random;
    this.#shape = shape;
    this.#lists = new Map(Array.from({ length: shape.keys }, (_, key) => [`k${String(key)}`, []]));
    this.#open = Array.from({ length: shape.clients }, () => undefined);
  }

  play(): ListTransaction[] {
    for (;;) {
      this.#now += 1;
      const place = this.#random.below(this.#open.length);
      const open = this.#open[place];
      if (open === undefined) {
        if (this.#begun === this.#shape.transactions) {
          if (this.#open.every((one) => one === undefined)) break;
          continue;
        }
        this.#open[place] = this.#begin(place);
      } else if (!open.isDone) {
        open.isDone = true;
        // A lost transaction took effect, or it did not.
        const isLost = open.fate === "unknown" && this.#random.below(2) === 0;
        open.steps = this.#play(open.steps, open.fate !== "failed" && !isLost);
      } else {
        this.#open[place] = undefined;
        this.#end(open);
      }
    }
    this.#readAll();
    return this.#ended.sort((left, right) => left.calledAt - right.calledAt);
  }

  #begin(process: number): Open {
    this.#begun += 1;
    const draw = this.#random.fraction();
    const { unknownShare, failedShare } = this.#shape;
    const isLost = draw < unknownShare;
    const fate = isLost ? "unknown" : draw < unknownShare + failedShare ? "failed" : "ok";
    const steps = Array.from({ length: 1 + this.#random.below(4) }, (): ListStep => {
      const key = `k${this.#random.below(this.#shape.keys)}`;
      if (this.#random.below(2) === 0) return { kind: "read", key, values: undefined };
      this.#values += 1;
      return { kind: "append", key, value: this.#values };
    });
    return { process, calledAt: this.#now, fate, steps, isDone: false };
  }

  /** All steps at one moment. */
  #play(steps: readonly ListStep[], isKept: boolean): ListStep[] {
    const before = new Map([...this.#lists].map(([key, values]) => [key, [...values]]));
    const played = steps.map((step): ListStep => {
      const list = this.#lists.get(step.key)!;
      if (step.kind === "read") return { ...step, values: [...list] };
      list.push(step.value);
      return step;
    });
    if (!isKept) for (const [key, values] of before) this.#lists.set(key, values);
    return played;
  }

  #end({ process, calledAt, fate, steps }: Open): void {
    const returnedAt = fate === "unknown" ? Infinity : this.#now;
    const told = steps.map((step): ListStep => {
      return step.kind === "read" && fate !== "ok" ? { ...step, values: undefined } : step;
    });
    this.#ended.push({ process, outcome: fate, steps: told, calledAt, returnedAt });
  }

  #readAll(): void {
    const steps = [...this.#lists].map(
      ([key, values]): ListStep => ({ kind: "read", key, values: [...values] }),
    );
    for (const process of [0, 1]) {
      const calledAt = this.#now + 1;
      this.#now += 2;
      this.#ended.push({ process, outcome: "ok", steps, calledAt, returnedAt: this.#now });
    }
  }
}

/** Ways to make a history wrong. */
export const LIST_CORRUPTIONS = [
  "a hole",
  "a value twice",
  "a value of nobody",
  "two values exchanged",
  "a value that failed",
  "an older list",
] as const;

/** One of them. */
export type ListCorruption = (typeof LIST_CORRUPTIONS)[number];

/**
 * The history with one read changed, so that no order explains it; undefined if none can be changed
 * so. Both readers at the end read everything, so a read is wrong where it contradicts them.
 */
export function corruptedLists(
  random: Random,
  history: readonly ListTransaction[],
  how: ListCorruption,
): ListTransaction[] | undefined {
  const choices = history.flatMap(({ steps, outcome }, place) =>
    outcome !== "ok"
      ? []
      : steps.flatMap((step, at) => {
          if (step.kind !== "read" || step.values === undefined) return [];
          const values = wrongList(random, history, { place, key: step.key }, step.values, how);
          return values === undefined ? [] : [{ place, at, values }];
        }),
  );
  if (choices.length === 0) return undefined;
  const { place, at, values } = choices[random.below(choices.length)]!;
  return history.map((one, index) => {
    if (index !== place) return one;
    const steps = one.steps.map((step, n) => (n === at ? { ...step, values } : step));
    return { ...one, steps: steps as ListStep[] };
  });
}

function wrongList(
  random: Random,
  history: readonly ListTransaction[],
  { place, key }: { readonly place: number; readonly key: string },
  values: readonly number[],
  how: ListCorruption,
): number[] | undefined {
  const at = random.below(Math.max(1, values.length - 1));
  switch (how) {
    case "a hole":
      // Not at the end: without its end a list may be an older one.
      return values.length < 2 ? undefined : values.filter((_, index) => index !== at);
    case "a value twice":
      return values.length === 0 ? undefined : [...values, values[at]!];
    case "a value of nobody":
      return [...values, 1_000_000];
    case "two values exchanged":
      if (values.length < 2) return undefined;
      return [...values.slice(0, at), values[at + 1]!, values[at]!, ...values.slice(at + 2)];
    case "a value that failed": {
      const failed = history.flatMap(({ outcome, steps }) =>
        outcome === "failed" ? steps.filter((step) => step.kind === "append") : [],
      );
      const value = failed.find((step) => step.key === key)?.value;
      return value === undefined ? undefined : [...values, value];
    }
    case "an older list":
      // Only the last reader: the one before had seen everything, and had returned.
      return place < history.length - 1 || values.length === 0 ? undefined : values.slice(0, -1);
  }
}
