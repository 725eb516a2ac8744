/**
 * From a history that fits no order, the few operations that are enough to see it.
 *
 * Left out is only what cannot have made things worse: reads, and writes that no remaining answer
 * needs. If the rest fits no order, then the whole did not either. Chapter: 11-simulation.
 */
import type { Candidate, Problem } from "./prepare.ts";
import { search } from "./search.ts";
import type { Model, Operation } from "./types.ts";

/** Steps for all searches together: explaining must not take longer than finding. */
const STEPS_MAX = 400_000;

/** Why a history fits no order. */
export interface Explanation<Input, Output> {
  /** Up to the answer of this one there is no order, and before it there was one. */
  readonly misfit: Operation<Input, Output>;
  /** The longest order that was found without it. */
  readonly order: readonly Operation<Input, Output>[];
  /** Operations that are violated alone, in order of their calls. */
  readonly evidence: readonly Operation<Input, Output>[];
}

/**
 * Explains a problem that is known to be violated.
 *
 * The search is made once more without looking ahead at who waits for a value: what it has looked
 * ahead at has not happened yet where the misfit stands. If that ends at the budget, the misfit is
 * the last answer of all.
 */
export function explain<State, Input, Output>(
  problem: Problem<Input, Output>,
  model: Model<State, Input, Output>,
  stepsMax: number,
): Explanation<Input, Output> {
  const { leaves: _leaves, finds: _finds, ...shortSighted } = model;
  const found = search(problem, shortSighted, stepsMax);
  const { candidates } = problem;
  const end = found.kind === "violated" ? candidates[found.misfit]! : lastAnswer(candidates);
  const reducer = new Reducer(upToAnswer(problem, end.happenedBy), end.operation, model);
  return {
    misfit: end.operation,
    order: found.order.map((place) => candidates[place]!.operation),
    evidence: reducer.reduce().map(({ operation }) => operation),
  };
}

function lastAnswer<Input, Output>(
  candidates: readonly Candidate<Input, Output>[],
): Candidate<Input, Output> {
  return candidates
    .filter(({ happenedBy }) => happenedBy < Infinity)
    .reduce((last, one) => (one.happenedBy > last.happenedBy ? one : last));
}

/** The history up to an answer; what was under way then may have happened or not. */
function upToAnswer<Input, Output>(
  { candidates, mayLeaveOut }: Problem<Input, Output>,
  end: number,
): Problem<Input, Output> {
  const begun = candidates.filter(({ operation }) => operation.calledAt <= end);
  const known = (time: number): number => (time <= end ? time : Infinity);
  return {
    candidates: begun.map((one) => ({
      ...one,
      happenedBy: known(one.happenedBy),
      otherwiseBy: known(one.otherwiseBy),
    })),
    mayLeaveOut,
  };
}

class Reducer<State, Input, Output> {
  readonly #misfit: Operation<Input, Output>;
  readonly #model: Model<State, Input, Output>;
  #problem: Problem<Input, Output>;
  #stepsLeft = STEPS_MAX;

  constructor(
    problem: Problem<Input, Output>,
    misfit: Operation<Input, Output>,
    model: Model<State, Input, Output>,
  ) {
    this.#problem = problem;
    this.#misfit = misfit;
    this.#model = model;
  }

  /** Leaves out larger pieces first, then smaller ones, until no single one can go. */
  reduce(): readonly Candidate<Input, Output>[] {
    let piece = this.#problem.candidates.length;
    for (;;) {
      const hasShrunk = this.#leaveOutPieces(piece);
      if (this.#stepsLeft <= 0 || (piece === 1 && !hasShrunk)) break;
      piece = Math.max(1, piece >> 1);
    }
    return this.#problem.candidates;
  }

  #leaveOutPieces(size: number): boolean {
    let hasShrunk = false;
    for (let end = this.#problem.candidates.length; end > 0; end -= size) {
      const from = Math.max(0, end - size);
      const tried = this.#without(from, end);
      if (tried.candidates.length === this.#problem.candidates.length) continue;
      const { kind, steps } = search(tried, this.#model, this.#stepsLeft);
      this.#stepsLeft -= steps;
      if (this.#stepsLeft <= 0) break;
      if (kind !== "violated") continue;
      this.#problem = tried;
      hasShrunk = true;
    }
    return hasShrunk;
  }

  /** The problem without those of a range that may be left out together. */
  #without(from: number, before: number): Problem<Input, Output> {
    const { candidates, mayLeaveOut } = this.#problem;
    const goes = new Set<Operation<Input, Output>>();
    for (const { operation } of candidates.slice(from, before)) {
      const isSpare = mayLeaveOut || this.#isRead(operation);
      if (operation !== this.#misfit && isSpare) goes.add(operation);
    }
    this.#keepNeeded(goes);
    return {
      candidates: candidates
        .filter(({ operation }) => !goes.has(operation))
        .map((one) => (one.proof !== undefined && goes.has(one.proof) ? withoutProof(one) : one)),
      mayLeaveOut,
    };
  }

  /** Who is needed by somebody that stays, stays as well; that may in turn need others. */
  #keepNeeded(goes: Set<Operation<Input, Output>>): void {
    for (let isStable = false; !isStable; ) {
      isStable = true;
      for (const operation of goes) {
        if (this.#isRead(operation)) continue;
        const isNeeded = this.#problem.candidates.some(
          ({ operation: reader }) => !goes.has(reader) && this.#model.needs(reader, operation),
        );
        if (!isNeeded) continue;
        goes.delete(operation);
        isStable = false;
      }
    }
  }

  #isRead({ input, output }: Operation<Input, Output>): boolean {
    return this.#model.isRead(input, output);
  }
}

/** Nothing may rest on an answer that is not there. */
function withoutProof<Input, Output>(one: Candidate<Input, Output>): Candidate<Input, Output> {
  return { ...one, happenedBy: one.otherwiseBy, proof: undefined };
}
