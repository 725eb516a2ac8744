/**
 * Makes a history of one key ready for the search: drops what cannot matter, and bounds in time
 * what is unknown.
 *
 * Invariant: the prepared history has an order if, and only if, the history has one. Every unknown
 * write doubles what the search may have to look at, so it pays to settle it here: it happened by
 * the time somebody saw it; if nobody can have seen it, it may as well not have happened.
 * Chapter: 11-simulation.
 */
import type { LinearizabilityOptions, Model, Operation } from "./types.ts";

/** An operation that may have happened, and by when it had. */
export interface Candidate<Input, Output> {
  readonly operation: Operation<Input, Output>;
  /** The order must contain it, at a place up to here. Infinity: it may have happened or not. */
  readonly happenedBy: number;
  /** The answer that `happenedBy` rests on, if it is not its own. */
  readonly proof: Operation<Input, Output> | undefined;
  /** What `happenedBy` would be without that proof. */
  readonly otherwiseBy: number;
}

/** What the search is given: operations of one key, and what is known of each. */
export interface Problem<Input, Output> {
  readonly candidates: readonly Candidate<Input, Output>[];
  /** May writes that nobody needs be left out? Not if it is known that one happened unseen. */
  readonly mayLeaveOut: boolean;
}

/** @throws RangeError for times that go backwards, and for answers without a time. */
export function checkTimes<Input, Output>(operation: Operation<Input, Output>): void {
  const { calledAt, returnedAt, outcome, key, process } = operation;
  const isInOrder = Number.isFinite(calledAt) && calledAt <= returnedAt;
  const hasAnswer = outcome === "unknown" || Number.isFinite(returnedAt);
  if (isInOrder && hasAnswer) return;
  throw new RangeError(
    `simulation: key ${key}, client ${process}: ${outcome}, called at ${calledAt}, returned at ` +
      `${returnedAt}`,
  );
}

/** The problem that a history of one key poses. */
export function prepare<State, Input, Output>(
  history: readonly Operation<Input, Output>[],
  model: Model<State, Input, Output>,
  options: LinearizabilityOptions<Input, Output>,
): Problem<Input, Output> {
  // What failed did not happen, and an unknown read told nobody anything.
  const possible = history.filter(
    ({ outcome, input }) =>
      outcome === "ok" || (outcome === "unknown" && !model.isRead(input, undefined)),
  );
  const candidates: Candidate<Input, Output>[] = [];
  let mayLeaveOut = true;
  for (const operation of possible) {
    if (operation.outcome === "ok") {
      const { returnedAt } = operation;
      const own = { happenedBy: returnedAt, proof: undefined, otherwiseBy: returnedAt };
      candidates.push({ operation, ...own });
      continue;
    }
    const fate = options.fateOf?.(operation);
    if (fate === "never") continue;
    if (fate !== undefined) {
      checkFate(operation, fate);
      mayLeaveOut = false;
    }
    candidates.push(boundedBy(operation, fate ?? Infinity, firstSeen(operation, possible, model)));
  }
  return { candidates: mayLeaveOut ? withoutUnseen(candidates, model) : candidates, mayLeaveOut };
}

function checkFate<Input, Output>({ key, calledAt }: Operation<Input, Output>, fate: number): void {
  if (fate >= calledAt) return;
  throw new RangeError(`simulation: key ${key}: happened by ${fate}, but called at ${calledAt}`);
}

function boundedBy<Input, Output>(
  operation: Operation<Input, Output>,
  fate: number,
  proof: Operation<Input, Output> | undefined,
): Candidate<Input, Output> {
  if (proof === undefined || proof.returnedAt >= fate) {
    return { operation, happenedBy: fate, proof: undefined, otherwiseBy: fate };
  }
  // Seen before it was called: no order explains that, whatever the bound.
  const happenedBy = Math.max(proof.returnedAt, operation.calledAt);
  return { operation, happenedBy, proof, otherwiseBy: fate };
}

/** The first answer that proves that an operation had happened. */
function firstSeen<State, Input, Output>(
  writer: Operation<Input, Output>,
  history: readonly Operation<Input, Output>[],
  { proves }: Model<State, Input, Output>,
): Operation<Input, Output> | undefined {
  if (proves === undefined) return undefined;
  let first: Operation<Input, Output> | undefined;
  for (const reader of history) {
    if (reader.outcome !== "ok" || reader === writer) continue;
    if (reader.returnedAt >= (first?.returnedAt ?? Infinity) || !proves(reader, writer)) continue;
    const isAlone = history.every((other) => other === writer || !proves(reader, other));
    if (isAlone) first = reader;
  }
  return first;
}

/** Drops unknown operations that no answer can rest on, and again those that only they needed. */
function withoutUnseen<State, Input, Output>(
  candidates: readonly Candidate<Input, Output>[],
  model: Model<State, Input, Output>,
): readonly Candidate<Input, Output>[] {
  let kept = candidates;
  for (;;) {
    const needed = kept.filter(
      ({ operation, happenedBy }) =>
        happenedBy < Infinity ||
        kept.some(
          ({ operation: reader }) => reader !== operation && model.needs(reader, operation),
        ),
    );
    if (needed.length === kept.length) return kept;
    kept = needed;
  }
}
