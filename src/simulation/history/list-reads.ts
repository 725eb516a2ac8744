/**
 * What the transactions of a history read of each list, and the one order of values that all reads
 * agree on.
 *
 * A list shows its own past: every read is the list of an earlier moment, so all reads of a key are
 * beginnings of the longest. Where they are not, there is no order, and that is the violation.
 * Source: Kingsbury and Alvaro, "Elle" (VLDB 2020), sections 4 and 5. Chapter: 11-simulation.
 */
import type { ListTransaction, Violation } from "./types.ts";

/** Who appended a value. */
export interface Append {
  /** The transaction's place in the history. */
  readonly by: number;
  readonly key: string;
  readonly value: number;
  /** What the same transaction appended to the key before and after: they stand side by side. */
  readonly previous: number | undefined;
  readonly next: number | undefined;
}

/** What a transaction saw of a key. */
export interface ListRead {
  readonly by: number;
  readonly key: string;
  /** What came from others: without what the transaction itself had appended before. */
  readonly values: readonly number[];
  /** With its own at the end. */
  readonly whole: readonly number[];
}

/** All that is known of the lists. */
export interface ListFacts {
  /** By key, then by value. */
  readonly appends: ReadonlyMap<string, ReadonlyMap<number, Append>>;
  readonly reads: readonly ListRead[];
  /** By key: the longest list that was read. */
  readonly longest: ReadonlyMap<string, readonly number[]>;
  /** By place: returned `ok`, or unknown and somebody saw a value of it. */
  readonly happened: readonly boolean[];
  readonly violations: readonly Violation[];
}

/** `T3 (client 1)`. */
export function nameOf(history: readonly ListTransaction[], place: number): string {
  const { process, note } = history[place]!;
  return `T${place} (client ${process}${note === undefined ? "" : `, ${note}`})`;
}

/** `[1 2 3]`; of a long list the end. */
export function listText(values: readonly number[]): string {
  const shown = 12;
  return values.length <= shown
    ? `[${values.join(" ")}]`
    : `[.. ${values.slice(-shown).join(" ")}]`;
}

/**
 * Collects the facts.
 *
 * @throws RangeError if a value is appended twice to one key: then nobody can tell them apart.
 */
export function factsOf(history: readonly ListTransaction[]): ListFacts {
  const appends = appendsOf(history);
  const violations: Violation[] = [];
  const reads: ListRead[] = [];
  for (const [place, transaction] of history.entries()) {
    if (transaction.outcome !== "ok") continue;
    collectReads(history, place, reads, violations);
  }
  const judged = new Set<string>();
  for (const read of reads) {
    // What others wrote is the same in all reads of a key by one transaction.
    const first = `${read.by} ${read.key}`;
    if (!judged.has(first)) violations.push(...strangeValues(history, appends, read));
    judged.add(first);
  }
  const longest = longestLists(history, reads, violations);
  return { appends, reads, longest, happened: happenedIn(history, appends, longest), violations };
}

function happenedIn(
  history: readonly ListTransaction[],
  appends: ListFacts["appends"],
  longest: ListFacts["longest"],
): boolean[] {
  const happened = history.map(({ outcome }) => outcome === "ok");
  for (const [key, values] of longest) {
    for (const value of values) {
      const by = appends.get(key)?.get(value)?.by;
      if (by !== undefined && history[by]!.outcome === "unknown") happened[by] = true;
    }
  }
  return happened;
}

function appendsOf(history: readonly ListTransaction[]): Map<string, Map<number, Append>> {
  const appends = new Map<string, Map<number, Append>>();
  for (const [by, { steps }] of history.entries()) {
    const own = new Map<string, number[]>();
    for (const step of steps) {
      if (step.kind !== "append") continue;
      const values = own.get(step.key);
      if (values === undefined) own.set(step.key, [step.value]);
      else values.push(step.value);
    }
    for (const [key, values] of own) {
      const ofKey = appends.get(key) ?? new Map<number, Append>();
      appends.set(key, ofKey);
      for (const [at, value] of values.entries()) {
        if (ofKey.has(value)) {
          throw new RangeError(`simulation: ${value} is appended to ${key} more than once`);
        }
        ofKey.set(value, { by, key, value, previous: values[at - 1], next: values[at + 1] });
      }
    }
  }
  return appends;
}

/** A transaction sees its own appends at the end, and apart from them always the same. */
function collectReads(
  history: readonly ListTransaction[],
  place: number,
  reads: ListRead[],
  violations: Violation[],
): void {
  const own = new Map<string, number[]>();
  const foreign = new Map<string, readonly number[]>();
  for (const step of history[place]!.steps) {
    const mine = own.get(step.key) ?? [];
    own.set(step.key, mine);
    if (step.kind === "append") {
      mine.push(step.value);
      continue;
    }
    if (step.values === undefined) {
      throw new RangeError(
        `simulation: T${place} is ok, and its read of ${step.key} has no values`,
      );
    }
    const others = step.values.slice(0, Math.max(0, step.values.length - mine.length));
    const end = step.values.slice(others.length);
    const before = foreign.get(step.key);
    const isOwnEnd = end.length === mine.length && end.every((value, at) => value === mine[at]);
    if (!isOwnEnd || (before !== undefined && !isSame(before, others))) {
      const expected = before === undefined ? mine : [...before, ...mine];
      violations.push({
        rule: "internal",
        text:
          `${nameOf(history, place)} reads ${step.key} ${listText(step.values)}; by its own ` +
          `reads and appends it should ${before === undefined ? "end with" : "be"} ` +
          listText(expected),
      });
      continue;
    }
    const isMore = before === undefined || mine.length > 0;
    if (isMore) reads.push({ by: place, key: step.key, values: others, whole: step.values });
    foreign.set(step.key, others);
  }
}

function isSame(left: readonly number[], right: readonly number[]): boolean {
  return left.length === right.length && left.every((value, at) => value === right[at]);
}

/** Values that nobody appended, that were given up, that came twice, and lists cut in between. */
function strangeValues(
  history: readonly ListTransaction[],
  appends: ListFacts["appends"],
  { by, key, values }: ListRead,
): Violation[] {
  const found: Violation[] = [];
  const say = (rule: string, what: string): void => {
    const text = `${nameOf(history, by)} reads ${key} ${listText(values)}: ${what}`;
    found.push({ rule, text });
  };
  const seen = new Set<number>();
  for (const value of values) {
    const append = appends.get(key)?.get(value);
    if (append === undefined) say("garbage read", `nobody appends ${value}`);
    else if (history[append.by]!.outcome === "failed")
      say("dirty read", `${nameOf(history, append.by)} appended ${value}, and failed`);
    if (append?.by === by) say("future read", `it appends ${value} itself, later`);
    if (seen.has(value)) say("duplicate", `${value} is there twice`);
    seen.add(value);
  }
  for (const [at, value] of values.entries()) {
    const append = appends.get(key)?.get(value);
    if (append === undefined || append.by === by) continue;
    const isWhole = isAt(values, at - 1, append.previous) && isAt(values, at + 1, append.next);
    if (isWhole) continue;
    const all = [append.previous, value, append.next].filter((one) => one !== undefined);
    say("intermediate read", `${nameOf(history, append.by)} appended ${all.join(", ")} as a whole`);
    break;
  }
  return found;
}

/** Is this value at this place, if there is such a value? */
function isAt(values: readonly number[], at: number, value: number | undefined): boolean {
  return value === undefined || values[at] === value;
}

/** The longest list of each key. A read that is no beginning of it is a violation. */
function longestLists(
  history: readonly ListTransaction[],
  reads: readonly ListRead[],
  violations: Violation[],
): Map<string, readonly number[]> {
  const longest = new Map<string, ListRead>();
  for (const read of reads) {
    const best = longest.get(read.key);
    if (best === undefined || read.whole.length > best.whole.length) longest.set(read.key, read);
  }
  for (const { by, key, whole } of reads) {
    const best = longest.get(key)!;
    const at = whole.findIndex((value, index) => value !== best.whole[index]);
    if (at === -1) continue;
    violations.push({
      rule: "incompatible order",
      text:
        `${nameOf(history, by)} reads ${key} ${listText(whole)}, ${nameOf(history, best.by)} ` +
        `reads ${listText(best.whole)}: they part at place ${at}, ${whole[at]} or ` +
        `${best.whole[at]}`,
    });
  }
  return new Map([...longest].map(([key, { whole }]) => [key, whole]));
}
