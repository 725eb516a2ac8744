/**
 * What was ever committed, anywhere, and what the state machines made of it.
 *
 * No node of a real cluster can see this. Everything is kept for the whole run: a commit that
 * vanishes later is noticed. Checks G2, G4, G5, G8, G9 and G10.
 * Invariant: an index has one entry and one digest for ever. Chapter: 11-simulation.
 */
import type { ConfigurationRecord, Index, NodeId, Term, VoterSets } from "#raft/types";
import type { ModelEntry } from "../process/index.ts";
import { fail } from "./broken.ts";
import { intersect, sameSets, setsText } from "./quorums.ts";

/** See the file's header. */
export class Ledger {
  /** By index; place 0 is the empty past. */
  readonly #chains: number[] = [0];
  readonly #entries: (ModelEntry | undefined)[] = [undefined];
  /** The highest term in which the entry was committed when it was first seen to be. */
  readonly #inTerms: Term[] = [0];
  readonly #digests: (number | undefined)[] = [0];
  /** By index: term, chain, term, chain, for everything that ever was in a log. */
  readonly #known: number[][] = [];
  readonly #configurations: ConfigurationRecord[];
  /** The highest term in which anything was committed. */
  newestTerm: Term = 0;

  /** @param sets - what the cluster is made with. */
  constructor(sets: VoterSets) {
    this.#configurations = [{ index: 0, sets }];
  }

  /** The last index that is committed. */
  get lastIndex(): Index {
    return this.#chains.length - 1;
  }

  /** The chain hash of a committed entry. */
  chainAt(index: Index): number | undefined {
    return this.#chains[index];
  }

  /** A committed entry. */
  entryAt(index: Index): ModelEntry | undefined {
    return this.#entries[index];
  }

  /** The state's digest at an index. */
  digestAt(index: Index): number | undefined {
    return this.#digests[index];
  }

  /** The newest committed configuration at or before an index. */
  configurationAt(index: Index): ConfigurationRecord {
    return this.#configurations.findLast((record) => record.index <= index)!;
  }

  get configuration(): ConfigurationRecord {
    return this.#configurations.at(-1)!;
  }

  /** The last index that was committed in a term below this one. */
  lastBefore(term: Term): Index {
    let index = this.lastIndex;
    while (index > 0 && this.#inTerms[index]! >= term) index -= 1;
    return index;
  }

  /** G2: one index and one term have one past. */
  seen(node: NodeId, index: Index, { term, chain }: ModelEntry): void {
    const known = this.#known[index];
    if (known === undefined) {
      this.#known[index] = [term, chain];
      return;
    }
    for (let i = known.length - 2; i >= 0; i -= 2) {
      if (known[i] !== term) continue;
      if (known[i + 1] === chain) return;
      fail("G2", node, `has another entry ${index} of term ${term}, or another past, than others`);
    }
    known.push(term, chain);
  }

  /** G5: what is committed stays. G10: configurations follow each other safely. */
  committed(node: NodeId, term: Term, index: Index, entry: ModelEntry): void {
    if (index < this.#chains.length) {
      if (this.#chains[index] === entry.chain) return;
      fail("G5", node, `commits another entry ${index} than others did`);
    }
    if (index > this.#chains.length) {
      fail("G5", node, `commits ${index}, and nobody has committed what is before it`);
    }
    this.#chains.push(entry.chain);
    this.#entries.push(entry);
    this.#inTerms.push(term);
    this.newestTerm = Math.max(this.newestTerm, term);
    if (entry.sets !== undefined) this.#committedSets(node, index, entry.sets);
  }

  #committedSets(node: NodeId, index: Index, sets: VoterSets): void {
    const before = this.configuration;
    const isFirst = before.sets.voters.length === 0;
    if (!(isFirst || intersect(before.sets, sets))) {
      fail(
        "G10",
        node,
        `commits configuration ${index} (${setsText(sets)}); a quorum of ${before.index} ` +
          `(${setsText(before.sets)}) shares nobody with one of it`,
      );
    }
    this.#configurations.push({ index, sets });
  }

  /** G4 and G8: everybody applies the same, and gets the same from it. */
  applied(node: NodeId, index: Index, entry: ModelEntry, digest: number): void {
    if (this.#chains[index] !== entry.chain) {
      fail("G4", node, `applies an entry ${index} that was never committed`);
    }
    const known = this.#digests[index];
    if (known === undefined) this.#digests[index] = digest;
    else if (known !== digest) fail("G8", node, `has another state at ${index} than others`);
  }

  /** G9: a copy is the state at its index. */
  copied(node: NodeId, copy: { index: Index; chain: number; digest: number }): void {
    const { index } = copy;
    if (this.#chains[index] !== copy.chain) {
      fail("G9", node, `has a copy at ${index}, and another entry is committed there`);
    }
    if (this.#digests[index] !== copy.digest) {
      fail("G9", node, `has a copy at ${index} with another state than was there`);
    }
  }

  /** G9: a snapshot carries the configuration that was committed at its index. */
  snapshotSays(node: NodeId, at: { index: Index; term: Term }, said: ConfigurationRecord): void {
    const { index, term } = at;
    if (index > this.lastIndex) fail("G9", node, `has a snapshot at ${index}, not committed`);
    const entryTerm = this.#entries[index]?.term ?? 0;
    if (index > 0 && entryTerm !== term) {
      fail("G9", node, `says that entry ${index} is of term ${term}, it is of ${entryTerm}`);
    }
    const truth = this.configurationAt(index);
    if (said.index !== truth.index || !sameSets(said.sets, truth.sets)) {
      fail(
        "G9",
        node,
        `has a snapshot at ${index} with configuration ${said.index} (${setsText(said.sets)}); ` +
          `committed is ${truth.index} (${setsText(truth.sets)})`,
      );
    }
  }
}
