/**
 * Group commit: many callers wait, one sync serves them all.
 *
 * There is no linger. A sync starts as soon as none is under way; who comes in the meantime shares
 * the next one. So a lonely caller waits for one sync, and the more callers there are, the more
 * share.
 *
 * Invariant: a group's promise resolves only after a sync that began after its last member joined.
 * Chapter: 01-wal, "Group commit". Source: raft.md 5.2; PostgreSQL's commit_delay is the lingering
 * kind.
 */
import { CairnError } from "#base";
import type { Lsn } from "./types.ts";

/**
 * Turns of the microtask queue that a sync waits before it starts. Callers that were just
 * acknowledged get to append again in these turns. Without them the first of 64 would start the
 * next sync for itself, the other 63 would wait for it, and every second sync would serve one
 * caller. A turn takes well under a microsecond; a chain of a few `async` functions needs two or
 * three each.
 */
const JOIN_TURNS = 16;

/** Callers that share one sync. */
interface Group {
  readonly promise: Promise<Lsn>;
  readonly resolve: (durableLsn: Lsn) => void;
  readonly reject: (error: unknown) => void;
  /** Records above this were removed while the group waited. */
  keptUpTo: Lsn;
}

/** Gathers callers into groups. */
export interface GroupSync {
  /**
   * Waits for a sync that begins after this call. @returns the LSN up to which the log is durable.
   */
  join(): Promise<Lsn>;
  /**
   * As `join`, for one record. @throws `WAL_NOT_RETAINED` if the record was removed in the
   * meantime.
   */
  joinFor(lsn: Lsn): Promise<Lsn>;
  /** Says that records above `lsn` were removed. */
  cut(lsn: Lsn): void;
  /** Resolves when nobody waits any more. Never rejects. */
  idle(): Promise<void>;
}

/**
 * @param sync - makes what was appended so far durable; called once at a time. @returns the durable
 * LSN.
 */
export function createGroupSync(sync: () => Promise<Lsn>): GroupSync {
  let gathering: Group | null = null;
  let syncing: Group | null = null;
  let running: Promise<void> = Promise.resolve();

  async function run(): Promise<void> {
    while (gathering !== null) {
      for (let turn = 0; turn < JOIN_TURNS; turn += 1) await undefined;
      syncing = gathering;
      gathering = null;
      try {
        syncing.resolve(await sync());
      } catch (error) {
        syncing.reject(error);
      }
      syncing = null;
    }
  }

  function gather(): Group {
    if (gathering !== null) return gathering;
    gathering = makeGroup();
    // `run` never rejects: each group's error goes to its members.
    if (syncing === null) running = run();
    return gathering;
  }

  return {
    join: () => gather().promise,
    async joinFor(lsn) {
      const group = gather();
      await group.promise;
      if (lsn <= group.keptUpTo) return lsn;
      throw new CairnError("WAL_NOT_RETAINED", `wal: record ${lsn}: removed before it was durable`);
    },
    cut(lsn) {
      for (const group of [gathering, syncing]) {
        if (group !== null) group.keptUpTo = Math.min(group.keptUpTo, lsn);
      }
    },
    idle: () => running,
  };
}

function makeGroup(): Group {
  let resolve: (durableLsn: Lsn) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<Lsn>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject, keptUpTo: Number.POSITIVE_INFINITY };
}
