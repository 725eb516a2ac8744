/**
 * Short words for writing histories by hand. Support for the tests.
 *
 * Each operation gets its times as `[called, returned]`; without the second nobody knows its end.
 * Clients are numbered in the order of writing: nothing depends on who they are.
 */
import type {
  ListInput,
  ListOutput,
  ListStep,
  ListTransaction,
  Operation,
  Outcome,
  RegisterInput,
  RegisterOutput,
  RegisterValue,
} from "#simulation";

/** When an operation was called, and when it returned. */
export type Times = readonly [called: number, returned?: number];

export type RegisterCall = Operation<RegisterInput, RegisterOutput>;
export type ListCall = Operation<ListInput, ListOutput>;

interface Ending {
  readonly key?: string;
  readonly outcome?: Outcome;
}

let clients = 0;

function operation<Input, Output>(
  input: Input,
  output: Output,
  [calledAt, returnedAt = Infinity]: Times,
  { key = "x", outcome = returnedAt === Infinity ? "unknown" : "ok" }: Ending = {},
): Operation<Input, Output> {
  clients += 1;
  const answered = outcome === "ok" ? output : undefined;
  return { process: clients, key, input, outcome, output: answered, calledAt, returnedAt };
}

export const put = (value: RegisterValue, times: Times, ending?: Ending): RegisterCall =>
  operation<RegisterInput, RegisterOutput>({ kind: "put", value }, true, times, ending);

export const get = (value: RegisterValue, times: Times, ending?: Ending): RegisterCall =>
  operation<RegisterInput, RegisterOutput>({ kind: "get" }, value, times, ending);

export const cas = (
  [expected, value]: readonly [RegisterValue, RegisterValue],
  done: boolean,
  times: Times,
  ending?: Ending,
): RegisterCall =>
  operation<RegisterInput, RegisterOutput>({ kind: "cas", expected, value }, done, times, ending);

export const append = (value: number, times: Times, ending?: Ending): ListCall =>
  operation<ListInput, ListOutput>({ kind: "append", value }, true, times, ending);

export const read = (values: readonly number[], times: Times, ending?: Ending): ListCall =>
  operation<ListInput, ListOutput>({ kind: "read" }, values, times, ending);

/**
 * A transaction on lists, from words: `a+1` appends 1 to a, `a=1,2` reads 1 and 2 from a, `a=`
 * reads nothing from it.
 */
export function transaction(words: string, times: Times, outcome?: Outcome): ListTransaction {
  clients += 1;
  const [calledAt, returnedAt = Infinity] = times;
  const ended = outcome ?? (returnedAt === Infinity ? "unknown" : "ok");
  const steps = words.split(" ").map((word): ListStep => {
    const [, key = "", sign, rest = ""] = /^([a-z]+)([+=])(.*)$/.exec(word) ?? [];
    if (sign === "+") return { kind: "append", key, value: Number(rest) };
    const values = rest === "" ? [] : rest.split(",").map(Number);
    return { kind: "read", key, values: ended === "ok" ? values : undefined };
  });
  return { process: clients, outcome: ended, steps, calledAt, returnedAt };
}
