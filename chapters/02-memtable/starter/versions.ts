/**
 * The versions of one key: what a reader sees of them.
 *
 * Invariant: from one version to its `older` one, sequences descend.
 * Chapter: 02-memtable, steps 02.1 and 02.5
 */
import { type Lookup, notWritten, type Sequence } from "#base";
import type { Version } from "./order.ts";

/** No sequence is above it: a reader here is at the newest. */
export const NEWEST: Sequence = Number.MAX_SAFE_INTEGER;

/** The newest version at or below a sequence; null if there is none. */
export function versionAt(_newest: Version | null, _at: Sequence): Version | null {
  return notWritten("02.1", "versionAt");
}

/** A version as the answer to a lookup. Three outcomes (M1). The value is a copy (M4). */
export function lookupOf(_version: Version | null): Lookup {
  return notWritten("02.1", "lookupOf");
}
