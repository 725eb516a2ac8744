/**
 * Which parts of this service are the reader's own, and which are the reference's.
 *
 * Invariant: names only modules that the service runs on. The storage engine is none of them: all
 * data of the service is in SQLite.
 */
import { modulesOfReader } from "#platform";

/** The modules of chapters that a node runs on, in the order of their chapters. */
export const SERVICE_PARTS: readonly string[] = ["bytes", "wal", "raft", "replica", "sqlite"];

/** Whose a part is. */
export type PartOwner = "mine" | "reference";

/** The parts of this process, by module. */
export function partsOfService(): Record<string, PartOwner> {
  const mine = modulesOfReader();
  return Object.fromEntries(
    SERVICE_PARTS.map((name) => [name, mine.includes(name) ? "mine" : "reference"]),
  );
}

/** `bytes: reference, wal: mine`; undefined where nothing is the reader's, as everywhere else. */
export function partsLine(): string | undefined {
  const parts = Object.entries(partsOfService());
  if (parts.every(([, owner]) => owner === "reference")) return undefined;
  return parts.map(([name, owner]) => `${name}: ${owner}`).join(", ");
}
