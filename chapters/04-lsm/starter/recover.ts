/**
 * Opening a store: what a crash has left becomes a state again (04.5).
 *
 * Given, in "#lsm/reference": `lockPath`, `logPath`, `tablePath`, `parseName`; `groupHeader` and
 * `applyGroup(payload, memtable, 0)`, which carries a record of the log out.
 * Chapter: 04-lsm, step 04.5
 */
import { type Cancel, notWritten, type Sequence } from "#base";
import type { Numbers } from "#lsm/reference";
import type { Memtable } from "#memtable/types";
import type { Wal } from "#wal/types";
import type { StoreManifest, StoreOptions } from "./types.ts";

/** A store as it was found. */
export interface Recovered {
  /** Gives the lock back. */
  readonly unlock: Cancel;
  readonly manifest: StoreManifest;
  readonly numbers: Numbers;
  readonly wal: Wal;
  /** Holds what the log has and no table does. */
  readonly memtable: Memtable;
  /** Of the newest change. */
  readonly sequence: Sequence;
}

/**
 * Opens what is in the directory, or makes an empty store: lock, manifest, log, and only then the
 * rubbish. In a new store the log gets a number, and an edit that says so (`logNumber`).
 *
 * @throws `LSM_CORRUPT` when a table that the manifest names is missing; nothing is removed then.
 */
export function recoverStore(_options: StoreOptions): Recovered {
  return notWritten("04.5", "recoverStore");
}
