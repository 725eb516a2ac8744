/**
 * A log of model entries, as the driver or as the disk sees it, with the configurations in it.
 *
 * Invariant: the configurations are those of the base and of the entries behind it, ascending; the
 * last one is in force. Chapter: 11-simulation.
 */
import { assert } from "#base";
import type { ConfigurationRecord, Index, Term } from "#raft/types";
import type { LogBase, ModelEntry } from "./types.ts";

/** Nobody is a member. */
export const NO_SETS = { voters: [], outgoing: [], learners: [] } as const;

/** A log that begins with nothing, in a cluster of these members. */
export function emptyBase(configuration: ConfigurationRecord): LogBase {
  return { index: 0, term: 0, chain: 0, configuration, copy: 0 };
}

/** See the file's header. */
export class ModelLog {
  base: LogBase;
  /** The entries behind the base. */
  readonly entries: ModelEntry[];
  /** Of the entries behind the base. */
  #configurations: ConfigurationRecord[] = [];

  constructor(base: LogBase, entries: readonly ModelEntry[] = []) {
    this.base = base;
    this.entries = [...entries];
    for (const [i, entry] of this.entries.entries()) this.#note(base.index + 1 + i, entry);
  }

  get lastIndex(): Index {
    return this.base.index + this.entries.length;
  }

  get lastTerm(): Term {
    return this.entries.at(-1)?.term ?? this.base.term;
  }

  get lastChain(): number {
    const { entries } = this;
    return entries.length > 0 ? entries[entries.length - 1]!.chain : this.base.chain;
  }

  /** In force. */
  get configuration(): ConfigurationRecord {
    return this.#configurations.at(-1) ?? this.base.configuration;
  }

  /** Of the entries behind the base, ascending. */
  get configurations(): readonly ConfigurationRecord[] {
    return this.#configurations;
  }

  /** The newest configuration at or before an index that is not before the base. */
  configurationAt(index: Index): ConfigurationRecord {
    return (
      this.#configurations.findLast((record) => record.index <= index) ?? this.base.configuration
    );
  }

  /** An entry, if it is in the log. */
  entryAt(index: Index): ModelEntry | undefined {
    return this.entries[index - this.base.index - 1];
  }

  /** The chain at an index; undefined before the base and behind the end. */
  chainAt(index: Index): number | undefined {
    if (index === this.base.index) return this.base.chain;
    return this.entries[index - this.base.index - 1]?.chain;
  }

  /** The term of an entry or of the base. */
  termAt(index: Index): Term | undefined {
    if (index === this.base.index) return this.base.term;
    return this.entries[index - this.base.index - 1]?.term;
  }

  /** Adds an entry at the end. */
  append(entry: ModelEntry): void {
    this.entries.push(entry);
    if (entry.sets !== undefined) this.#note(this.lastIndex, entry);
  }

  /** Cuts the log from an index on. */
  truncateFrom(from: Index): void {
    assert(from > this.base.index, `simulation: cut at ${from}, the log begins there`);
    this.entries.length = Math.min(this.entries.length, from - this.base.index - 1);
    while ((this.#configurations.at(-1)?.index ?? 0) >= from) this.#configurations.pop();
  }

  /** Forgets entries up to `upTo`, or up to the end if that comes first. */
  compact(upTo: Index): void {
    const to = Math.min(upTo, this.lastIndex);
    if (to <= this.base.index) return;
    const last = this.entryAt(to)!;
    const configuration = this.configurationAt(to);
    this.entries.splice(0, to - this.base.index);
    this.#configurations = this.#configurations.filter(({ index }) => index > to);
    const { copy } = this.base;
    this.base = { index: to, term: last.term, chain: last.chain, configuration, copy };
  }

  /** Begins anew behind a snapshot. */
  reset(base: LogBase): void {
    this.base = base;
    this.entries.length = 0;
    this.#configurations = [];
  }

  #note(index: Index, entry: ModelEntry): void {
    if (entry.sets !== undefined) this.#configurations.push({ index, sets: entry.sets });
  }
}
