/**
 * Entries of a model log and the hashes that stand for them.
 *
 * Invariant: two entries with the same chain have the same content, term and past, up to a chance
 * of one in 2^32. Chapter: 11-simulation.
 */
import type { Term, TermRun, VoterSets } from "#raft/types";
import type { Command, ModelEntry, Value } from "./types.ts";

/** Odd numbers with well spread bits: multiplying by one mixes, and can be undone. */
const MIX_A = 0x85ebca6b;
const MIX_B = 0xc2b2ae35;
const MIX_C = 0x9e3779b1;

/** Folds a number into a hash. */
export function mixHash(hash: number, value: number): number {
  let h = Math.imul(hash ^ Math.imul(value, MIX_C), MIX_A);
  h = Math.imul(h ^ (h >>> 15), MIX_B);
  return (h ^ (h >>> 13)) >>> 0;
}

/** A hash of a text. */
export function hashText(text: string): number {
  let hash = text.length;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), MIX_C);
  return mixHash(hash, 0);
}

function hashValue(value: Value | undefined): number {
  if (typeof value === "number") return mixHash(1, value);
  return typeof value === "string" ? hashText(value) : 0;
}

/** Stands for a command. */
export function hashCommand(command: Command): number {
  const hash = mixHash(command.id, command.kind === "put" ? 1 : 2);
  return mixHash(mixHash(hash, hashText(command.key)), hashValue(command.value));
}

/** Stands for a configuration. */
export function hashSets(sets: VoterSets): number {
  let hash = 3;
  for (const list of [sets.voters, sets.outgoing, sets.learners]) {
    hash = mixHash(hash, list.length);
    for (const id of list) hash = mixHash(hash, id);
  }
  return hash;
}

/** What an entry is made of. Neither command nor sets: a no-op. */
export interface EntryContent {
  readonly size: number;
  readonly command?: Command | undefined;
  readonly sets?: VoterSets | undefined;
}

/** Bytes of an entry without a command or with a configuration; the driver's are about as many. */
export const NOOP_BYTES = 0;
export const CONFIGURATION_BYTES = 40;

/** Makes the entry that follows the one with the chain `before`. */
export function makeEntry(before: number, term: Term, content: EntryContent): ModelEntry {
  const { size, command, sets } = content;
  let hash = 0;
  if (command !== undefined) hash = hashCommand(command);
  else if (sets !== undefined) hash = hashSets(sets);
  const chain = mixHash(mixHash(before, term), hash);
  return { term, size, command, sets, hash, before, chain };
}

/** The same content and term behind another past. */
export function moveEntry(entry: ModelEntry, before: number): ModelEntry {
  if (entry.before === before) return entry;
  return { ...entry, before, chain: mixHash(mixHash(before, entry.term), entry.hash) };
}

/** Terms of entries as runs; the first entry is at `from`. */
export function runsOf(entries: readonly { readonly term: Term }[], from: number): TermRun[] {
  const runs: TermRun[] = [];
  let last = -1;
  for (let i = 0; i < entries.length; i += 1) {
    const { term } = entries[i]!;
    if (term !== last) runs.push({ first: from + i, term });
    last = term;
  }
  return runs;
}

/** Entries of the given terms, for logs that a test begins with. Equal beginnings are equal. */
export function entriesOfTerms(terms: readonly Term[], size = 10): ModelEntry[] {
  const entries: ModelEntry[] = [];
  for (const [place, term] of terms.entries()) {
    // The key is no client's, and the place is part of the content.
    const command: Command = {
      id: -1 - place,
      kind: "put",
      key: "preloaded",
      value: place,
      client: 0,
      serial: 0,
    };
    entries.push(makeEntry(entries.at(-1)?.chain ?? 0, term, { size, command }));
  }
  return entries;
}
