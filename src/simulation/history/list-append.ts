/**
 * Checks transactions that append to lists and read them: was there an order of the transactions,
 * one after the other, in which each would have read what it read?
 *
 * Looks for values that were lost, came twice, came from nowhere or from a transaction that failed,
 * for lists that contradict each other, and for cycles of dependencies. Takes time in proportion to
 * the history, where a search would not end. Source: Kingsbury and Alvaro, "Elle: Inferring
 * Isolation Anomalies from Experimental Observations" (VLDB 2020). Chapter: 11-simulation.
 */
import { type Cycle, findCycle } from "./cycles.ts";
import { dependenciesOf, unseenAppends } from "./dependencies.ts";
import { factsOf, type ListFacts, listText, nameOf } from "./list-reads.ts";
import type { ListAppendOptions, ListAppendReport, ListTransaction, Violation } from "./types.ts";

/** Violations that are printed in full. */
const VIOLATIONS_SHOWN = 10;

/**
 * Judges a history.
 *
 * @throws RangeError if a value is appended twice to one key, if a transaction that is `ok` lacks
 * what it read, and for times that go backwards.
 */
export function checkListAppend(
  history: readonly ListTransaction[],
  options: ListAppendOptions = {},
): ListAppendReport {
  for (const [place, { calledAt, returnedAt, outcome }] of history.entries()) {
    const isInOrder = Number.isFinite(calledAt) && calledAt <= returnedAt;
    if (isInOrder && (outcome === "unknown" || Number.isFinite(returnedAt))) continue;
    throw new RangeError(`simulation: T${place}: called at ${calledAt}, returned at ${returnedAt}`);
  }
  const isStrict = (options.level ?? "strict-serializable") === "strict-serializable";
  const facts = factsOf(history);
  const violations = [...facts.violations];
  if (isStrict) violations.push(...lostAppends(history, facts));
  const cycle = findCycle(dependenciesOf(history, facts, isStrict));
  if (cycle !== undefined) violations.push({ rule: cycle.rule, text: cycleText(history, cycle) });
  return {
    kind: violations.length === 0 ? "holds" : "violated",
    violations,
    cycle: cycle?.edges ?? [],
    text: textOf(history, violations, isStrict),
  };
}

/** Values that no read shows, though one was called after their transaction had returned. */
function lostAppends(history: readonly ListTransaction[], facts: ListFacts): Violation[] {
  const latest = new Map<string, { readonly by: number; readonly values: readonly number[] }>();
  for (const { by, key, values } of facts.reads) {
    const best = latest.get(key);
    if (best === undefined || history[by]!.calledAt > history[best.by]!.calledAt) {
      latest.set(key, { by, values });
    }
  }
  const found: Violation[] = [];
  for (const [key, { by, values }] of latest) {
    for (const append of unseenAppends(facts, key)) {
      if (!(history[append.by]!.returnedAt < history[by]!.calledAt)) continue;
      const text =
        `${nameOf(history, append.by)} appended ${append.value} to ${key} and returned; later ` +
        `${nameOf(history, by)} reads ${listText(values)}, and nobody ever sees it`;
      found.push({ rule: "lost append", text });
    }
  }
  return found;
}

function cycleText(history: readonly ListTransaction[], { edges }: Cycle): string {
  const arrows = edges.map(({ kind, to }) => ` -${kind}-> T${to}`).join("");
  const reasons = edges.map(({ kind, from, to, why }) => `    T${from} -${kind}-> T${to}: ${why}`);
  const steps = edges.map(
    ({ from }) => `    ${nameOf(history, from)}: ${stepsText(history[from]!)}`,
  );
  return [`a cycle: T${edges[0]!.from}${arrows}`, ...reasons, ...steps].join("\n");
}

function stepsText({ steps }: ListTransaction): string {
  return steps
    .map((step) =>
      step.kind === "append"
        ? `append ${step.key} ${step.value}`
        : `read ${step.key} ${step.values === undefined ? "?" : listText(step.values)}`,
    )
    .join("; ");
}

function textOf(
  history: readonly ListTransaction[],
  violations: readonly Violation[],
  isStrict: boolean,
): string {
  const level = isStrict ? "strict serializable" : "serializable";
  const size = `${history.length} transactions`;
  if (violations.length === 0) return `${level}: ${size}`;
  const shown = violations.slice(0, VIOLATIONS_SHOWN).map(({ rule, text }) => `  ${rule}: ${text}`);
  const hidden = violations.length - shown.length;
  const more = hidden > 0 ? [`  and ${hidden} more`] : [];
  return [`NOT ${level}: ${countText(violations.length)} in ${size}`, ...shown, ...more].join("\n");
}

function countText(violations: number): string {
  return violations === 1 ? "1 violation" : `${violations} violations`;
}
