/**
 * A register as it should be: get, put and compare-and-set.
 *
 * Works for any values. Where each value is written once, an unknown write that was read is known
 * to have happened by then, and the search stays small. Chapter: 11-simulation.
 */
import type { Model, Operation, RegisterInput, RegisterOutput, RegisterValue } from "./types.ts";

type Call = Operation<RegisterInput, RegisterOutput>;

/** What an operation writes, if it writes at all; undefined for what cannot write. */
function written({ input, output }: Call): RegisterValue | undefined {
  if (input.kind === "put") return input.value;
  return input.kind === "cas" && output !== false ? input.value : undefined;
}

/** What an answer says that the register held; undefined if it says nothing of the kind. */
function seen({ input, output }: Call): RegisterValue | undefined {
  if (input.kind === "get") return output as RegisterValue | undefined;
  return input.kind === "cas" && output === true ? input.expected : undefined;
}

function step(
  state: RegisterValue,
  input: RegisterInput,
  output: RegisterOutput | undefined,
): RegisterValue | undefined {
  switch (input.kind) {
    case "get":
      return output === undefined || output === state ? state : undefined;
    case "put":
      return input.value;
    case "cas": {
      const fits = state === input.expected;
      if (output !== undefined && output !== fits) return undefined;
      return fits ? input.value : state;
    }
  }
}

function needs(reader: Call, writer: Call): boolean {
  const value = written(writer);
  if (value === undefined) return false;
  // Any write may be the reason why a comparison failed.
  if (reader.input.kind === "cas" && reader.output === false) return true;
  if (reader.input.kind === "cas") return reader.input.expected === value;
  return seen(reader) === value;
}

/** A register whose first value is null. */
export const registerModel: Model<RegisterValue, RegisterInput, RegisterOutput> = {
  initial: null,
  step,
  keyOf: (state) => state,
  isRead: (input, output) => input.kind === "get" || (input.kind === "cas" && output === false),
  needs,
  leaves: written,
  finds: seen,
  proves: (reader, writer) => {
    const value = seen(reader);
    return value !== undefined && value !== null && value === written(writer);
  },
  describe: (input, output) => {
    switch (input.kind) {
      case "get":
        return output === undefined ? "get" : `get -> ${output}`;
      case "put":
        return `put ${input.value}`;
      case "cas": {
        const result = output === undefined ? "" : ` -> ${output}`;
        return `cas ${input.expected} to ${input.value}${result}`;
      }
    }
  },
};
