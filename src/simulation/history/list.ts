/**
 * A list as it should be: values are appended, and a read gives all of them in order.
 *
 * A read of a list tells more than a read of a register: who was lost, who came twice, who came
 * first. Chapter: 11-simulation.
 */
import type { ListInput, ListOutput, Model } from "./types.ts";

/** The values, and the same as one text, so that equal lists are found without comparing. */
interface ListState {
  readonly values: readonly (string | number)[];
  readonly text: string;
}

function isSame(left: readonly unknown[], right: readonly unknown[]): boolean {
  return left.length === right.length && left.every((value, index) => value === right[index]);
}

function contains(output: ListOutput | undefined, value: string | number): boolean {
  return Array.isArray(output) && output.includes(value);
}

function step(
  state: ListState,
  input: ListInput,
  output: ListOutput | undefined,
): ListState | undefined {
  if (input.kind === "append") {
    const { value } = input;
    return { values: [...state.values, value], text: `${state.text},${JSON.stringify(value)}` };
  }
  return output === undefined || (output !== true && isSame(output, state.values))
    ? state
    : undefined;
}

/** An append-only list that is empty at first. */
export const listModel: Model<ListState, ListInput, ListOutput> = {
  initial: { values: [], text: "" },
  step,
  keyOf: (state) => state.text,
  isRead: (input) => input.kind === "read",
  needs: (reader, { input }) =>
    input.kind === "append" && reader.input.kind === "read" && contains(reader.output, input.value),
  proves: (reader, { input }) => input.kind === "append" && contains(reader.output, input.value),
  describe: (input, output) => {
    if (input.kind === "append") return `append ${input.value}`;
    return Array.isArray(output) ? `read -> [${output.join(" ")}]` : "read";
  },
};
