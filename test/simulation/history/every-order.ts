/**
 * The slowest linearizability checker: tries every order. Support for the tests.
 *
 * Written from the definition alone, and shares nothing with the search that it is compared with:
 * no list of events, no memo, nothing dropped or bounded beforehand.
 */
import type { ListStep, ListTransaction, Model, Operation } from "#simulation";

/** Tells whether an order explains a history of one key. For ten operations at most. */
export function hasOrder<State, Input, Output>(
  history: readonly Operation<Input, Output>[],
  model: Model<State, Input, Output>,
): boolean {
  const rest = history.filter(({ outcome }) => outcome !== "failed");
  return goesOn(rest, model.initial, model);
}

function goesOn<State, Input, Output>(
  rest: readonly Operation<Input, Output>[],
  state: State,
  model: Model<State, Input, Output>,
): boolean {
  // What nobody was told of need not have happened.
  if (rest.every(({ outcome }) => outcome === "unknown")) return true;
  return rest.some((next) => {
    // Nobody may be left behind who had returned before this one was called.
    if (rest.some((other) => other !== next && other.returnedAt < next.calledAt)) return false;
    const after = model.step(state, next.input, next.output);
    if (after === undefined) return false;
    return goesOn(
      rest.filter((other) => other !== next),
      after,
      model,
    );
  });
}

type Lists = Readonly<Record<string, readonly number[]>>;

/** Lists under several keys, and whole transactions as operations on them. */
export const listsModel: Model<Lists, readonly ListStep[], null> = {
  initial: {},
  step(state, steps) {
    const lists: Record<string, readonly number[]> = { ...state };
    for (const step of steps) {
      const list = lists[step.key] ?? [];
      if (step.kind === "append") lists[step.key] = [...list, step.value];
      else if (step.values !== undefined && step.values.join() !== list.join()) return undefined;
    }
    return lists;
  },
  keyOf: (state) => JSON.stringify(state),
  isRead: (steps) => steps.every(({ kind }) => kind === "read"),
  needs: () => true,
  describe: (steps) => JSON.stringify(steps),
};

/** A transaction as one operation. */
export function asOperation({
  steps,
  ...rest
}: ListTransaction): Operation<readonly ListStep[], null> {
  return { ...rest, key: "all", input: steps, output: null };
}

/** The same, as if all had been under way at once. */
export function withoutTime(transaction: ListTransaction): ListTransaction {
  const { outcome } = transaction;
  return { ...transaction, calledAt: 0, returnedAt: outcome === "unknown" ? Infinity : 1 };
}
