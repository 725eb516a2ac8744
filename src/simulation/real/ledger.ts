/**
 * What all nodes have applied, and what clients were told: compared at every step.
 *
 * Invariants: one index holds one entry, whoever applies it (G4); one term has one leader (G1); a
 * write that was acknowledged is at its index and at no other, one that was refused nowhere (G13);
 * a read returns at or above all that was known to be committed when it was called (G11).
 * Chapter: 11-simulation.
 */
import { crc32c } from "#bytes";
import type { CommittedEntry } from "#replica/types";
import type { Violation } from "../history/index.ts";
import { createPromiseOracle, createReadOracle } from "../history/index.ts";
import { type BrokenInvariant, brokenInvariant } from "../invariants/index.ts";

const encoder = new TextEncoder();

/** See the file's header. */
export class RealLedger {
  readonly #onBroken: (broken: BrokenInvariant) => void;
  readonly #entries = new Map<number, string>();
  readonly #leaders = new Map<number, number>();
  readonly #promises = createPromiseOracle();
  readonly #reads = createReadOracle();
  lastIndex = 0;
  lastTerm = 0;

  constructor(onBroken: (broken: BrokenInvariant) => void) {
    this.#onBroken = onBroken;
  }

  /** A node has applied an entry. */
  applied(node: number, entry: CommittedEntry): void {
    const { index, kind, seed } = entry;
    const text = fingerprint(entry);
    const known = this.#entries.get(index);
    if (known === undefined) {
      this.#entries.set(index, text);
      this.lastIndex = Math.max(this.lastIndex, index);
      this.#reads.committed(index);
      if (kind === "command") this.#promises.committed(`${seed}`, index);
    } else if (known !== text) {
      const what = `applies at ${index} an entry (${text}) that is another elsewhere (${known})`;
      this.#onBroken(brokenInvariant("G4", node, what));
    }
    if (kind === "command") this.#judge(node, this.#promises.applied(`${seed}`, index));
  }

  /** A node leads. */
  leads(node: number, term: number): void {
    this.lastTerm = Math.max(this.lastTerm, term);
    const known = this.#leaders.get(term) ?? node;
    this.#leaders.set(term, known);
    if (known === node) return;
    this.#onBroken(brokenInvariant("G1", node, `leads in term ${term}, as node ${known} does`));
  }

  acknowledged(node: number, write: number, index: number): void {
    this.#judge(node, this.#promises.acknowledged(`${write}`, index));
  }

  refused(node: number, write: number): void {
    this.#judge(node, this.#promises.refused(`${write}`));
  }

  readCalled(): number {
    return this.#reads.called();
  }

  readReturned(node: number, calledAt: number, index: number): void {
    this.#judge(node, this.#reads.returned(calledAt, index));
  }

  /** Every write that was acknowledged was applied by somebody. */
  end(): void {
    for (const violation of this.#promises.end()) this.#judge(0, violation);
  }

  #judge(node: number, violation: Violation | undefined): void {
    if (violation === undefined) return;
    this.#onBroken(brokenInvariant(violation.rule, node, violation.text));
  }
}

function fingerprint({ term, kind, timeMs, seed, payload }: CommittedEntry): string {
  const head = crc32c(encoder.encode(`${term} ${timeMs} ${seed}`));
  return `${kind} of term ${term}, ${crc32c(payload, head).toString(16)}`;
}
