/**
 * Which proposal of this node sits at which index, and what became of it.
 *
 * A proposal that was accepted is answered when its fate is certain: applied (the result comes from
 * the state machine), or another entry was committed at its index. Losing leadership decides
 * nothing, and neither does the truncation of our own copy: in a cluster of five, a third node may
 * still hold the entry, win a later election and commit it.
 *
 * Invariant: each proposal ends at most once, and "leadership-lost" is said only of what can never
 * be applied (K2). Chapter: 08-replica.
 */
import type { Bytes } from "#base";
import type { Index, Term } from "#raft/types";
import type { ProposalFailure } from "./types.ts";

interface Accepted {
  readonly id: number;
  readonly term: Term;
  readonly bytes: number;
}

/** See the file's header. */
export interface Proposals {
  /** Proposed and not yet applied. */
  readonly bytes: number;
  /** Tells whether so many bytes more may be under way; one proposal alone always may. */
  hasRoom(bytes: number): boolean;
  /** Keeps an entry at hand until it is accepted or refused. */
  begin(id: number, entry: Bytes): void;
  entryOf(id: number): Bytes | undefined;
  accepted(id: number, index: Index, term: Term): void;
  refuse(id: number, failure: ProposalFailure): void;
  /** An entry is committed. @returns the proposal that became it, or 0 if it is not one of ours. */
  committed(index: Index, term: Term): number;
  /** The state machine has applied up to here. */
  applied(index: Index): void;
  /** A snapshot stands in for everything up to here: what was accepted there has an open fate. */
  forget(upTo: Index): void;
  onFailure(f: (id: number, failure: ProposalFailure) => void): void;
}

class ProposalTable implements Proposals {
  readonly #bytesMax: number;
  readonly #entries = new Map<number, Bytes>();
  /**
   * Several at one index: accepted in different terms, all but one lost for certain once one is
   * committed.
   */
  readonly #byIndex = new Map<Index, Accepted[]>();
  /** Sizes of committed ones that the state machine still works on, oldest first. */
  readonly #applying: { index: Index; bytes: number }[] = [];
  #bytes = 0;
  #fail: (id: number, failure: ProposalFailure) => void = () => undefined;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  hasRoom(bytes: number): boolean {
    return this.#bytes === 0 || this.#bytes + bytes <= this.#bytesMax;
  }

  begin(id: number, entry: Bytes): void {
    this.#entries.set(id, entry);
    this.#bytes += entry.length;
  }

  entryOf(id: number): Bytes | undefined {
    return this.#entries.get(id);
  }

  accepted(id: number, index: Index, term: Term): void {
    const bytes = this.#entries.get(id)?.length ?? 0;
    this.#entries.delete(id);
    const others = this.#byIndex.get(index);
    if (others === undefined) this.#byIndex.set(index, [{ id, term, bytes }]);
    else others.push({ id, term, bytes });
  }

  refuse(id: number, failure: ProposalFailure): void {
    const entry = this.#entries.get(id);
    if (entry !== undefined) this.#bytes -= entry.length;
    this.#entries.delete(id);
    this.#fail(id, failure);
  }

  committed(index: Index, term: Term): number {
    const candidates = this.#byIndex.get(index);
    if (candidates === undefined) return 0;
    this.#byIndex.delete(index);
    let winner = 0;
    for (const { id, term: acceptedIn, bytes } of candidates) {
      if (acceptedIn === term) {
        winner = id;
        this.#applying.push({ index, bytes });
      } else {
        this.#bytes -= bytes;
        this.#fail(id, "leadership-lost");
      }
    }
    return winner;
  }

  applied(index: Index): void {
    let done = 0;
    for (const entry of this.#applying) {
      if (entry.index > index) break;
      this.#bytes -= entry.bytes;
      done += 1;
    }
    this.#applying.splice(0, done);
  }

  forget(upTo: Index): void {
    for (const [index, candidates] of this.#byIndex) {
      if (index > upTo) continue;
      for (const { bytes } of candidates) this.#bytes -= bytes;
      this.#byIndex.delete(index);
    }
    this.applied(upTo);
  }

  onFailure(f: (id: number, failure: ProposalFailure) => void): void {
    this.#fail = f;
  }
}

/** @param bytesMax - limit on the bytes that are proposed and not yet applied. */
export function createProposals(bytesMax: number): Proposals {
  return new ProposalTable(bytesMax);
}
