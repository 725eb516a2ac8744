/**
 * The versions of one key: what a reader sees of them.
 *
 * Invariant: from one version to its `older` one, sequences descend.
 * Chapter: 02-memtable, steps 02.1 and 02.5
 */
import type { Lookup, Sequence } from "#base";
import { copyBytes } from "#bytes";
import type { Version } from "./order.ts";

/** No sequence is above it: a reader here is at the newest. */
export const NEWEST: Sequence = Number.MAX_SAFE_INTEGER;

/** The newest version at or below a sequence; null if there is none. */
export function versionAt(newest: Version | null, at: Sequence): Version | null {
  let version = newest;
  while (version !== null && version.sequence > at) version = version.older;
  return version;
}

/** A version as the answer to a lookup. Three outcomes (M1). The value is a copy (M4). */
export function lookupOf(version: Version | null): Lookup {
  if (version === null) return { kind: "absent" };
  if (version.value === null) return { kind: "deleted" };
  // Not `slice`: of a Buffer that would be a view, and a Buffer is what many callers pass.
  return { kind: "value", value: copyBytes(version.value) };
}
