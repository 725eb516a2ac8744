/**
 * What a planted mistake is. Types, and the disk that forwards wrongly.
 */
import type { Disk, FileHandle } from "#platform/types";
import type { StackPatch } from "../../support/plant.ts";

/** The checks that can catch a mistake: see `checks` in mistakes.test.ts. */
export type CheckName =
  | "power cuts"
  | "kills"
  | "failing disk"
  | "failing removals"
  | "model"
  | "damage";

/** One mistake. */
export interface Mistake {
  readonly name: string;
  /** The rule that it breaks: L1 to L9 of the engine, M or S of a module below. */
  readonly rule: string;
  readonly caughtBy: CheckName;
  readonly patches?: readonly StackPatch[];
  readonly wrap?: (disk: Disk) => Disk;
}

/** A text of several parts, for patches that are wider than a page. */
export const lines = (...parts: readonly string[]): string => parts.join("");

/** A disk that forwards everything but what is given. */
export function forwarding(
  disk: Disk,
  changes: {
    readonly syncDir?: (dir: string) => void;
    readonly handle?: (handle: FileHandle, path: string) => FileHandle;
  },
): Disk {
  return {
    open: (path, mode) => (changes.handle ?? ((handle) => handle))(disk.open(path, mode), path),
    rename: (from, to) => disk.rename(from, to),
    unlink: (path) => disk.unlink(path),
    list: (dir) => disk.list(dir),
    exists: (path) => disk.exists(path),
    makeDir: (path) => disk.makeDir(path),
    removeDir: (path) => disk.removeDir(path),
    syncDir: changes.syncDir ?? ((dir) => disk.syncDir(dir)),
    lock: (path) => disk.lock(path),
  };
}

/** A file whose syncs do nothing. */
export function neverSynced(handle: FileHandle): FileHandle {
  return { ...passedOn(handle), sync: () => {}, syncAsync: () => Promise.resolve() };
}

/** A file that does what another one does. */
export function passedOn(handle: FileHandle): FileHandle {
  return {
    size: () => handle.size(),
    read: (offset, target) => handle.read(offset, target),
    write: (offset, bytes) => handle.write(offset, bytes),
    truncate: (bytes) => handle.truncate(bytes),
    close: () => handle.close(),
    sync: () => handle.sync(),
    syncAsync: () => handle.syncAsync(),
  };
}
