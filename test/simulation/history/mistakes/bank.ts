/**
 * Mistakes that a checker could have: each is a change to a copy of the checkers' source.
 *
 * Production code has no switch for them. A patch names a text that must occur exactly once, so
 * that a change of the source shows here and not as a mistake that is no longer planted.
 */
import type { Patch } from "../../../support/plant.ts";
import type { SelfTestName } from "../self-test.ts";

/** One mistake. */
export interface Mistake {
  readonly name: string;
  readonly caughtBy: SelfTestName;
  readonly patches: readonly Patch[];
}

const mistake = (
  name: string,
  caughtBy: SelfTestName,
  file: string,
  from: string,
  to: string,
): Mistake => ({ name, caughtBy, patches: [{ file, from, to }] });

const inSearch: readonly Mistake[] = [
  mistake(
    "a search that ends at its budget holds",
    "budget",
    "search.ts",
    'return this.#found("unknown");',
    'return this.#found("holds");',
  ),
  mistake(
    "one undecided key does not count",
    "budget",
    "linearizability.ts",
    'kinds.has("unknown") ? "unknown" : "holds"',
    '"holds"',
  ),
  mistake(
    "the memo forgets the state",
    "every order of calls",
    "memo.ts",
    "this.#rows[at + 1] = state;",
    "this.#rows[at + 1] = 0 * state;",
  ),
  mistake(
    "the memo forgets what is done",
    "every order of calls",
    "search.ts",
    "if (this.#done[underWay[bit]!] === 1) this.#memo.setBit(bit);",
    "if (this.#done[underWay[bit]!] === 2) this.#memo.setBit(bit);",
  ),
  mistake(
    "the memo compares one word less",
    "crowded objects",
    "memo.ts",
    "word < this.#width; word += 1",
    "word < this.#width - 1; word += 1",
  ),
  mistake(
    "a growing memo forgets its rows",
    "crowded objects",
    "memo.ts",
    "rows.set(this.#rows);",
    "rows.set(this.#rows.subarray(this.#rows.length));",
  ),
  mistake(
    "the state is not put back after a dead end",
    "every order of calls",
    "search.ts",
    "this.#state = this.#statesBefore.pop()!;",
    "this.#statesBefore.pop();",
  ),
  mistake(
    "a read is done although its value does not fit",
    "known objects",
    "search.ts",
    "this.#isRead[operation] && this.#stepTo(operation) === this.#state",
    "this.#isRead[operation] && this.#stepTo(operation) !== -2",
  ),
  mistake(
    "answers are looked past: real time does not count",
    "known objects",
    "search.ts",
    "if (node % 2 === 1) {\n        const undone",
    "if (node === this.#events.head) {\n        const undone",
  ),
  mistake(
    "an answer comes before a call of the same time",
    "known objects",
    "events.ts",
    "(left % 2) - (right % 2)",
    "(right % 2) - (left % 2)",
  ),
];

const inOnce: readonly Mistake[] = [
  mistake(
    "a value that comes twice is taken for one that comes once",
    "every order of calls",
    "once.ts",
    "if (count === 1) this",
    "if (count >= 1) this",
  ),
  mistake(
    "the first value is not counted among those that are left",
    "every order of calls",
    "once.ts",
    "[[model.keyOf(model.initial), 1]]",
    "[[model.keyOf(model.initial), 0]]",
  ),
  mistake(
    "who comes upon the value itself may not change it",
    "known objects",
    "once.ts",
    "(this.#finds[operation] === value ? 1 : 0)",
    "0",
  ),
  mistake(
    "who has found a value waits for it still",
    "known objects",
    "search.ts",
    "this.#once.add(this.#once.foundBy(operation), -1);",
    "",
  ),
  mistake(
    "nobody waits for anything",
    "values that are there once",
    "once.ts",
    "if (value === -1) return false;",
    "if (value !== -2) return false;",
  ),
];

const inPreparation: readonly Mistake[] = [
  mistake(
    "a failed operation may have happened",
    "known objects",
    "prepare.ts",
    'outcome === "ok" || (outcome',
    'outcome === "ok" || outcome === "failed" || (outcome',
  ),
  mistake(
    "an unknown write never happens",
    "known objects",
    "prepare.ts",
    '(outcome === "unknown" && !model.isRead(input, undefined))',
    "(false && !model.isRead(input, undefined))",
  ),
  mistake(
    "an unknown write that nobody saw must have happened",
    "known objects",
    "prepare.ts",
    "boundedBy(operation, fate ?? Infinity,",
    "boundedBy(operation, fate ?? operation.calledAt,",
  ),
  mistake(
    "one answer proves two writers",
    "known objects",
    "prepare.ts",
    "if (isAlone) first = reader;",
    "first = isAlone ? reader : reader;",
  ),
  mistake(
    "a comparison that failed needs nobody",
    "every order of calls",
    "register.ts",
    'if (reader.input.kind === "cas" && reader.output === false) return true;',
    "",
  ),
  mistake(
    "a comparison writes whatever it found",
    "every order of calls",
    "register.ts",
    "if (output !== undefined && output !== fits) return undefined;",
    "",
  ),
  mistake(
    "the evidence rests on an answer that was left out",
    "evidence",
    "evidence.ts",
    "one.proof !== undefined && goes.has(one.proof) ? withoutProof(one) : one",
    "one.proof !== undefined && goes.has(one.proof) ? one : one",
  ),
  mistake(
    "the evidence lacks the writes that it needs",
    "evidence",
    "evidence.ts",
    "if (!isNeeded) continue;",
    "if (isNeeded || !isNeeded) continue;",
  ),
];

const inTransactions: readonly Mistake[] = [
  mistake(
    "reads before writes are no dependency",
    "known transactions",
    "dependencies.ts",
    'this.#add("rw", by, append.by, why);',
    'this.#add("ww", append.by, append.by, why);',
  ),
  mistake(
    "values that nobody saw do not come after the longest list",
    "every order of transactions",
    "dependencies.ts",
    "(this.#unseen.get(key) ?? []);\n      for (const append of over)",
    "[];\n      for (const append of over)",
  ),
  mistake(
    "an unknown transaction that was seen has not happened",
    "known transactions",
    "list-reads.ts",
    'history[by]!.outcome === "unknown") happened[by] = true;',
    'history[by]!.outcome === "unknown") happened[by] = false;',
  ),
  mistake(
    "real time is taken from calls",
    "every order of transactions",
    "dependencies.ts",
    "events.push({ at: returnedAt, place, isCall: false });",
    "events.push({ at: calledAt, place, isCall: false });",
  ),
  mistake(
    "of two that returned only the last counts",
    "every order of transactions",
    "dependencies.ts",
    "[...newest].filter((other) => !implied.has(other))",
    "[...newest].filter((other) => implied.has(other) && !implied.has(other))",
  ),
  mistake(
    "a failed transaction's value may be read",
    "known transactions",
    "list-reads.ts",
    '.outcome === "failed")\n',
    '.outcome === "unknown")\n',
  ),
  mistake(
    "a value twice is no violation",
    "known transactions",
    "list-reads.ts",
    "if (seen.has(value)) say(",
    "if (seen.has(-value)) say(",
  ),
  mistake(
    "lists are compared by their length only",
    "known transactions",
    "list-reads.ts",
    "whole.findIndex((value, index) => value !== best.whole[index])",
    "whole.findIndex((_, index) => index >= best.whole.length)",
  ),
  mistake(
    "values of a transaction may stand in another order",
    "known transactions",
    "list-reads.ts",
    "value === undefined || values[at] === value",
    "value === undefined || values.includes(value)",
  ),
  mistake(
    "a knot of two is no cycle",
    "known transactions",
    "cycles.ts",
    "if (knot.length > 1) knots.push(knot);",
    "if (knot.length > 2) knots.push(knot);",
  ),
];

const inOracles: readonly Mistake[] = [
  mistake(
    "the read oracle believes the last node that spoke",
    "oracles",
    "oracles.ts",
    "highest = Math.max(highest, index);",
    "highest = index;",
  ),
  mistake(
    "a write may be applied again",
    "oracles",
    "oracles.ts",
    "if (appliedAt !== undefined && appliedAt !== index)",
    "if (appliedAt !== undefined && appliedAt > index)",
  ),
  mistake(
    "keys are not told apart",
    "oracles",
    "oracles.ts",
    "...(newest.get(key) ?? { index: 0, value: null })",
    "...([...newest.values()].at(-1) ?? { index: 0, value: null })",
  ),
];

export const mistakes: readonly Mistake[] = [
  ...inSearch,
  ...inOnce,
  ...inPreparation,
  ...inTransactions,
  ...inOracles,
];
