/**
 * Group commit: many callers wait, one sync serves them all. Step 01.7.
 *
 * Invariant: nobody is served by a sync that began before they joined (W2).
 */
import { CairnError } from "#base";
import type { Lsn } from "#wal/types";

/** A caller that waits. */
interface Waiter {
  /** The caller's record; 0 for one that waits for no certain record. */
  readonly lsn: Lsn;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Gathers callers into groups. */
export interface GroupCommit {
  /** Resolves after a sync that began after this call. Rejects if that sync fails. */
  join(lsn: Lsn): Promise<void>;
  /** Refuses those who wait for a record above `lsn`: it was cut off. Step 01.9. */
  cut(lsn: Lsn): void;
  /** Resolves when nobody waits any more. */
  idle(): Promise<void>;
}

/** @param sync - makes durable what was appended so far; never called twice at a time. */
export function createGroupCommit(sync: () => Promise<void>): GroupCommit {
  let gathering: Waiter[] = [];
  let syncing: Waiter[] = [];
  let running: Promise<void> | null = null;

  async function run(): Promise<void> {
    // One turn: callers that are about to commit in this moment join the first group.
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
      running ??= run();
      return joined;
    },
    cut(lsn) {
      for (const waiter of [...gathering, ...syncing]) {
        if (waiter.lsn <= lsn) continue;
        const message = `wal: record ${waiter.lsn} was removed before it was durable`;
        waiter.reject(new CairnError("WAL_NOT_RETAINED", message));
      }
    },
    idle: async () => {
      await running;
    },
  };
}
