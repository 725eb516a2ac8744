/**
 * Checks a history of many keys: each key for itself, and an explanation where one does not hold.
 *
 * Invariant: a history is linearizable if, and only if, the history of each of its keys is
 * (Herlihy and Wing, "Linearizability", 1990, section 3.3); so `holds` means all keys were searched
 * to the end. Chapter: 11-simulation.
 */
import { explain } from "./evidence.ts";
import { checkTimes, prepare } from "./prepare.ts";
import { search } from "./search.ts";
import { timelineOf } from "./timeline.ts";
import type {
  KeyVerdict,
  LinearizabilityOptions,
  LinearizabilityReport,
  Model,
  Operation,
  VerdictKind,
} from "./types.ts";

const STEPS_MAX = 2_000_000;
/** The end of an order says what the misfit was measured against; its beginning fills pages. */
const ORDER_SHOWN = 8;
/** Keys that are explained in full. */
const KEYS_SHOWN = 5;

/**
 * Tells whether a history could come from one correct object for each key.
 *
 * @throws RangeError for times that go backwards, and for a budget that is no positive number.
 */
export function checkLinearizability<State, Input, Output>(
  history: readonly Operation<Input, Output>[],
  model: Model<State, Input, Output>,
  options: LinearizabilityOptions<Input, Output> = {},
): LinearizabilityReport<Input, Output> {
  const stepsMax = options.stepsMax ?? STEPS_MAX;
  if (!(stepsMax > 0)) throw new RangeError(`simulation: stepsMax is ${stepsMax}`);
  const byKey = new Map<string, Operation<Input, Output>[]>();
  for (const operation of history) {
    checkTimes(operation);
    const group = byKey.get(operation.key);
    if (group === undefined) byKey.set(operation.key, [operation]);
    else group.push(operation);
  }
  const keys = [...byKey].map(([key, group]) => checkKey(key, group, model, options, stepsMax));
  const kinds = new Set(keys.map(({ kind }) => kind));
  const worst: VerdictKind = kinds.has("violated") ? "violated" : worstOf(kinds);
  return { kind: worst, keys, text: textOf(history.length, keys, model) };
}

function worstOf(kinds: ReadonlySet<VerdictKind>): VerdictKind {
  return kinds.has("unknown") ? "unknown" : "holds";
}

function checkKey<State, Input, Output>(
  key: string,
  group: readonly Operation<Input, Output>[],
  model: Model<State, Input, Output>,
  options: LinearizabilityOptions<Input, Output>,
  stepsMax: number,
): KeyVerdict<Input, Output> {
  const problem = prepare(group, model, options);
  const { kind, steps, order } = search(problem, model, stepsMax);
  if (kind === "violated") return { key, kind, steps, ...explain(problem, model, stepsMax) };
  const operations = order.map((place) => problem.candidates[place]!.operation);
  return { key, kind, steps, order: operations, misfit: undefined, evidence: [] };
}

function textOf<State, Input, Output>(
  operations: number,
  keys: readonly KeyVerdict<Input, Output>[],
  model: Model<State, Input, Output>,
): string {
  const steps = keys.reduce((sum, one) => sum + one.steps, 0);
  const size = `${operations} operations on ${keysText(keys.length)}, ${steps} steps`;
  const bad = keys.filter(({ kind }) => kind === "violated");
  const open = keys.filter(({ kind }) => kind === "unknown");
  if (bad.length + open.length === 0) return `linearizable: ${size}`;
  const heads: string[] = [];
  if (bad.length > 0) heads.push(`NOT linearizable: ${keysText(bad.length)} of ${size}`);
  if (open.length > 0) {
    heads.push(`NOT DECIDED for ${keysText(open.length)} of ${size}: the budget ended`);
  }
  const explained = bad.slice(0, KEYS_SHOWN).flatMap((verdict) => explanationOf(verdict, model));
  const hidden = bad.length - KEYS_SHOWN;
  const more = hidden > 0 ? [`and ${keysText(hidden)} more`] : [];
  const named = open
    .slice(0, KEYS_SHOWN)
    .map(({ key, steps: taken }) => `key ${key}: not decided after ${taken} steps`);
  return [...heads, ...explained, ...more, ...named].join("\n");
}

function keysText(count: number): string {
  return count === 1 ? "1 key" : `${count} keys`;
}

function explanationOf<State, Input, Output>(
  { key, misfit, evidence, order }: KeyVerdict<Input, Output>,
  model: Model<State, Input, Output>,
): string[] {
  if (misfit === undefined) return [];
  const words = model.describe(misfit.input, misfit.output);
  const shown = order
    .slice(-ORDER_SHOWN)
    .map(({ input, output }) => model.describe(input, output))
    .join("; ");
  const skipped = order.length > ORDER_SHOWN ? `${order.length - ORDER_SHOWN} operations; ` : "";
  return [
    `key ${key}: client ${misfit.process}: ${words} fits nowhere`,
    ...timelineOf(evidence, misfit, model),
    order.length === 0
      ? "  nothing fits before it"
      : `  the longest order without it: ${skipped}${shown}`,
  ];
}
