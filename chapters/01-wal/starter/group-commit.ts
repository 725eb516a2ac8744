/**
 * Group commit: many callers wait, one sync serves them all. Step 01.7.
 *
 * Invariant: nobody is served by a sync that began before they joined (W2).
 */
import { notWritten } from "#base";
import type { Lsn } from "#wal/types";

/** Gathers callers into groups. */
export interface GroupCommit {
  /** Resolves after a sync that began after this call. Rejects if that sync fails. */
  join(lsn: Lsn): Promise<void>;
  /** Refuses those who wait for a record above `lsn`: it was cut off. Step 01.9. */
  cut(lsn: Lsn): void;
  /** Resolves when nobody waits any more. */
  idle(): Promise<void>;
}

/**
 * Makes the gatherer of a log.
 *
 * @param sync - makes durable what was appended so far. Never call it twice at a time.
 */
export function createGroupCommit(_sync: () => Promise<void>): GroupCommit {
  return {
    join: async () => notWritten("01.7", "join"),
    cut: () => notWritten("01.9", "cut"),
    // Step 01.7: as long as nobody can join, nobody waits.
    idle: async () => {},
  };
}
