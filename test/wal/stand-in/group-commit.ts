/**
 * Group commit: many callers wait, one sync serves them all. Step 01.7.
 *
 * Invariant: nobody is served by a sync that began before they joined (W2).
 *
 * Written by a reader who had only the pages of chapter 01: neither the reference nor the solution.
 */
import { CairnError } from "#base";
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
export function createGroupCommit(sync: () => Promise<void>): GroupCommit {
  /** Those who wait for the next sync. */
  let gathering: Waiter[] = [];
  /** Those whose sync is under way. */
  let syncing: Waiter[] = [];
  let running: Promise<void> | null = null;

  async function serve(): Promise<void> {
    // Whoever commits in the same turn still joins the first group.
    await undefined;
    while (gathering.length > 0) {
      syncing = gathering;
      gathering = [];
      try {
        await sync();
        for (const waiter of syncing) waiter.resolve();
      } catch (error) {
        for (const waiter of syncing) waiter.reject(error);
      }
      syncing = [];
    }
    running = null;
  }

  return {
    join(lsn) {
      const joined = new Promise<void>((resolve, reject) => {
        gathering.push({ lsn, resolve, reject });
      });
      running ??= serve();
      return joined;
    },
    cut(lsn) {
      const isCut = (waiter: Waiter): boolean => waiter.lsn > lsn;
      const refused = [...syncing.filter(isCut), ...gathering.filter(isCut)];
      syncing = syncing.filter((waiter) => !isCut(waiter));
      gathering = gathering.filter((waiter) => !isCut(waiter));
      for (const waiter of refused) {
        const message = `wal: record ${waiter.lsn} was cut off before it was durable`;
        waiter.reject(new CairnError("WAL_NOT_RETAINED", message));
      }
    },
    async idle() {
      while (running !== null) await running;
    },
  };
}

interface Waiter {
  readonly lsn: Lsn;
  resolve(): void;
  reject(error: unknown): void;
}
