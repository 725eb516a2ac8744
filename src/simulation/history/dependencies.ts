/**
 * Who must come before whom: the dependencies between the transactions of a history of lists.
 *
 * Only transactions that happened take part: those that returned `ok`, and the unknown ones of
 * which somebody saw a value. A value that happened and that nobody saw stands behind the longest
 * list that was read: every place before it is taken.
 *
 * Invariant: each dependency holds in every order that explains the reads. Source: Adya, "Weak
 * Consistency" (1999), chapter 3. Chapter: 11-simulation.
 */
import { type Append, type ListFacts, type ListRead, listText, nameOf } from "./list-reads.ts";
import type { Dependency, DependencyKind, ListTransaction } from "./types.ts";

/** The dependencies, each pair and kind once. */
export function dependenciesOf(
  history: readonly ListTransaction[],
  facts: ListFacts,
  withRealTime: boolean,
): Dependency[] {
  const graph = new Graph(history, facts);
  graph.addVersions();
  graph.addReads();
  if (withRealTime) graph.addRealTime();
  return graph.edges;
}

/** Values of a key that happened and that no read has shown. */
export function unseenAppends(facts: ListFacts, key: string): Append[] {
  const seen = new Set(facts.longest.get(key));
  const all = [...(facts.appends.get(key)?.values() ?? [])];
  return all.filter(({ by, value }) => facts.happened[by] === true && !seen.has(value));
}

class Graph {
  readonly edges: Dependency[] = [];
  readonly #history: readonly ListTransaction[];
  readonly #facts: ListFacts;
  readonly #known = new Set<string>();
  readonly #unseen = new Map<string, readonly Append[]>();

  constructor(history: readonly ListTransaction[], facts: ListFacts) {
    this.#history = history;
    this.#facts = facts;
    for (const key of facts.longest.keys()) {
      this.#unseen.set(key, unseenAppends(facts, key));
    }
  }

  /** Write over write: in the order of the list, and the unseen behind it. */
  addVersions(): void {
    for (const [key, values] of this.#facts.longest) {
      for (let at = 1; at < values.length; at += 1) {
        this.#addOver(this.#appendOf(key, values[at - 1]), this.#appendOf(key, values[at]));
      }
      const last = this.#appendOf(key, values.at(-1));
      for (const unseen of this.#unseen.get(key) ?? []) this.#addOver(last, unseen);
    }
  }

  /** Who was read, and who wrote over what was read. */
  addReads(): void {
    for (const read of this.#facts.reads) {
      const { by, key, values } = read;
      const longest = this.#facts.longest.get(key) ?? [];
      if (values.some((value, at) => value !== longest[at])) continue;
      const last = this.#appendOf(key, values.at(-1));
      if (last !== undefined) {
        const what = (): string => `${this.#name(by)} reads ${key} ${listText(values)}`;
        const of = (): string => `up to ${last.value} of ${this.#name(last.by)}`;
        this.#add("wr", last.by, by, () => `${what()}, ${of()}`);
      }
      const next = this.#appendOf(key, longest[values.length]);
      const over = values.length < longest.length ? [next] : (this.#unseen.get(key) ?? []);
      for (const append of over) this.#addReadOver(read, append);
    }
  }

  /** An answer before a call. Of those that are implied by others only what is needed is added. */
  addRealTime(): void {
    const events: { readonly at: number; readonly place: number; readonly isCall: boolean }[] = [];
    for (const [place, { calledAt, returnedAt }] of this.#history.entries()) {
      if (this.#facts.happened[place] !== true) continue;
      events.push({ at: calledAt, place, isCall: true });
      if (returnedAt < Infinity) events.push({ at: returnedAt, place, isCall: false });
    }
    events.sort((a, b) => a.at - b.at || Number(b.isCall) - Number(a.isCall) || a.place - b.place);
    let newest = new Set<number>();
    const before = new Map<number, ReadonlySet<number>>();
    for (const { place, isCall } of events) {
      if (isCall) {
        before.set(place, newest);
        for (const other of newest) {
          this.#add("rt", other, place, () => {
            return `${this.#name(other)} had returned before ${this.#name(place)} was called`;
          });
        }
      } else {
        const implied = before.get(place)!;
        newest = new Set([...newest].filter((other) => !implied.has(other)));
        newest.add(place);
      }
    }
  }

  #addOver(first: Append | undefined, second: Append | undefined): void {
    if (first === undefined || second === undefined) return;
    const why = (): string =>
      `${this.#name(second.by)} appends ${second.value} to ${second.key} behind ${first.value} ` +
      `of ${this.#name(first.by)}`;
    this.#add("ww", first.by, second.by, why);
  }

  #addReadOver({ by, key, values }: ListRead, append: Append | undefined): void {
    if (append === undefined) return;
    const why = (): string =>
      `${this.#name(by)} reads ${key} ${listText(values)}, without ${append.value} of ` +
      this.#name(append.by);
    this.#add("rw", by, append.by, why);
  }

  /** @param explain - called only for what is reported: most dependencies never are. */
  #add(kind: DependencyKind, from: number, to: number, explain: () => string): void {
    if (from === to || this.#facts.happened[from] !== true || this.#facts.happened[to] !== true)
      return;
    const name = `${kind} ${from} ${to}`;
    if (this.#known.has(name)) return;
    this.#known.add(name);
    this.edges.push({
      from,
      to,
      kind,
      get why() {
        return explain();
      },
    });
  }

  #appendOf(key: string, value: number | undefined): Append | undefined {
    return value === undefined ? undefined : this.#facts.appends.get(key)?.get(value);
  }

  #name(place: number): string {
    return nameOf(this.#history, place);
  }
}
