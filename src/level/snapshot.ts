/**
 * A snapshot of the engine, as the object that users hold and hand to reads.
 *
 * Invariant: the engine's snapshot is let go when the last operation that uses this one is over:
 * `abstract-level` counts them and calls `_close` then.
 */
import { AbstractSnapshot } from "abstract-level";
import type { Snapshot } from "#lsm/types";

/** The constructor takes options that the package's types leave out. */
const Base = AbstractSnapshot as unknown as new (options: object) => AbstractSnapshot;

/** A class, because `abstract-level` wants one. */
class LevelSnapshot extends Base {
  readonly held: Snapshot;
  isReleased = false;

  constructor(held: Snapshot, options: object) {
    super(options);
    this.held = held;
  }

  protected async _close(): Promise<void> {
    this.isReleased = true;
    this.held.close();
  }
}

/** Wraps a snapshot. @param options - as given to `_snapshot`: they name the owner. */
export function createLevelSnapshot(held: Snapshot, options: object): AbstractSnapshot {
  return new LevelSnapshot(held, options);
}

/** The engine's snapshot inside. @throws TypeError for one of another database. */
export function heldSnapshot(snapshot: AbstractSnapshot): Snapshot {
  if (snapshot instanceof LevelSnapshot) return snapshot.held;
  throw new TypeError("level: snapshot: not made by this kind of database");
}

/** Whether the engine's snapshot was let go. */
export function isReleased(snapshot: AbstractSnapshot): boolean {
  return snapshot instanceof LevelSnapshot && snapshot.isReleased;
}
