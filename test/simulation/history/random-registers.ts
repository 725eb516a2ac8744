/**
 * Random histories of a register that are right by construction, and ways to make one certainly
 * wrong. Support for the tests and the benchmark.
 *
 * Several clients take turns at random. Between its call and its answer an operation takes effect
 * on the one true register at one moment; those moments are an order that explains everything.
 * Every value is written once.
 */
import type { Random } from "#platform/types";
import {
  createHistory,
  type HistoryRecorder,
  type RegisterInput,
  type RegisterOutput,
  type RegisterValue,
} from "#simulation";
import type { RegisterCall } from "./calls.ts";

/** What kind of history. Shares are of all operations, 0 to 1. */
export interface RegisterShape {
  readonly clients: number;
  readonly operations: number;
  readonly keys?: number;
  readonly getShare: number;
  readonly casShare: number;
  /** Operations that nobody hears of again; half of them take effect, some of those late. */
  readonly unknownShare?: number;
  readonly failedShare?: number;
}

interface Pending {
  readonly handle: number;
  readonly key: string;
  readonly input: RegisterInput;
  readonly fate: "ok" | "failed" | "unknown";
  output: RegisterOutput | undefined;
}

/** A history that holds. */
export function randomRegisters(random: Random, shape: RegisterShape): RegisterCall[] {
  return new Player(random, shape).play();
}

class Player {
  readonly #random: Random;
  readonly #shape: RegisterShape;
  readonly #history: HistoryRecorder<RegisterInput, RegisterOutput> = createHistory();
  readonly #registers = new Map<string, RegisterValue>();
  readonly #clients: (Pending | undefined)[];
  /** Processes whose client has given up on an operation go on under another number. */
  readonly #processes: number[];
  readonly #forgotten: Pending[] = [];
  #values = 0;
  #called = 0;

  constructor(random: Random, shape: RegisterShape) {
    this.#random = random;
    this.#shape = shape;
    this.#clients = Array.from({ length: shape.clients }, () => undefined);
    this.#processes = this.#clients.map((_, index) => index);
  }

  play(): RegisterCall[] {
    for (;;) {
      const place = this.#random.below(this.#clients.length);
      const pending = this.#clients[place];
      if (pending === undefined) {
        if (this.#called === this.#shape.operations) {
          if (this.#clients.every((one) => one === undefined)) break;
          continue;
        }
        this.#clients[place] = this.#call(this.#processes[place]!);
      } else if (pending.fate === "ok" && pending.output === undefined) {
        pending.output = this.#apply(pending);
      } else {
        this.#end(place, pending);
      }
      if (this.#random.below(10) === 0) this.#remember();
    }
    return this.#history.operations();
  }

  #call(process: number): Pending {
    this.#called += 1;
    const key = `k${this.#random.below(this.#shape.keys ?? 1)}`;
    const input = this.#input(key);
    const { unknownShare = 0, failedShare = 0 } = this.#shape;
    const draw = this.#random.fraction();
    const isLost = draw < unknownShare;
    const fate = isLost ? "unknown" : draw < unknownShare + failedShare ? "failed" : "ok";
    const handle = this.#history.call(process, key, input);
    return { handle, key, input, fate, output: undefined };
  }

  #input(key: string): RegisterInput {
    const draw = this.#random.fraction();
    if (draw < this.#shape.getShare) return { kind: "get" };
    this.#values += 1;
    const value = this.#values;
    if (draw >= this.#shape.getShare + this.#shape.casShare) return { kind: "put", value };
    // Half of the guesses were right a moment ago; the others are of a value long gone.
    const now = this.#registers.get(key) ?? null;
    const expected = this.#random.below(2) === 0 ? now : this.#random.below(value);
    return { kind: "cas", expected, value };
  }

  #apply({ key, input }: Pending): RegisterOutput {
    const now = this.#registers.get(key) ?? null;
    if (input.kind === "get") return now;
    if (input.kind === "cas" && input.expected !== now) return false;
    this.#registers.set(key, input.value);
    return true;
  }

  #end(place: number, pending: Pending): void {
    this.#clients[place] = undefined;
    if (pending.fate === "ok") {
      this.#history.ok(pending.handle, pending.output!);
    } else if (pending.fate === "failed") {
      this.#history.failed(pending.handle);
    } else {
      this.#history.unknown(pending.handle);
      if (this.#random.below(2) === 0) this.#forgotten.push(pending);
      this.#processes[place] = this.#processes[place]! + this.#clients.length;
    }
  }

  /** An operation that its client has given up takes effect after all. */
  #remember(): void {
    const [pending] = this.#forgotten.splice(this.#random.below(this.#forgotten.length + 1), 1);
    if (pending !== undefined) this.#apply(pending);
  }
}

/** One way to make a history wrong, and the reason why it then is. */
export type Corruption = "never written" | "overwritten" | "from the future" | "first value";

/**
 * The history with one read changed, so that no order can explain it; undefined if it has no read
 * at place `from` or later that can be changed so. Needs a history that writes every value once.
 */
export function corrupted(
  random: Random,
  history: readonly RegisterCall[],
  how: Corruption,
  from = 0,
): RegisterCall[] | undefined {
  const choices = history.flatMap((read, place) => {
    if (place < from || read.input.kind !== "get" || read.outcome !== "ok") return [];
    const others = history.filter(({ key }) => key === read.key);
    return wrongValues(others, read, how).map((value) => ({ place, value }));
  });
  if (choices.length === 0) return undefined;
  const { place, value } = choices[random.below(choices.length)]!;
  return history.map((one, index) => (index === place ? { ...one, output: value } : one));
}

/** Writes that certainly happened, at a time between call and answer. */
const isCertain = ({ outcome, input, output }: RegisterCall): boolean =>
  outcome === "ok" && (input.kind === "put" || (input.kind === "cas" && output === true));

/** Values that this read cannot have returned. */
function wrongValues(
  history: readonly RegisterCall[],
  read: RegisterCall,
  how: Corruption,
): RegisterValue[] {
  const before = history.filter((one) => isCertain(one) && one.returnedAt < read.calledAt);
  switch (how) {
    case "never written":
      return [-1];
    case "first value":
      return before.length > 0 ? [null] : [];
    case "from the future":
      return history.flatMap(({ input, calledAt }) =>
        input.kind !== "get" && calledAt > read.returnedAt ? [input.value] : [],
      );
    case "overwritten": {
      // Another write began after this one had returned, and had itself returned before the read.
      const latestCall = Math.max(...before.map(({ calledAt }) => calledAt));
      return before.flatMap(({ input, returnedAt }) =>
        input.kind !== "get" && returnedAt < latestCall ? [input.value] : [],
      );
    }
  }
}
