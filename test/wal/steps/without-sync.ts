/**
 * A disk that forgets to sync, and forwards everything else: the mistake that a killed process does
 * not show.
 */
import type { Disk, FileHandle } from "#platform/types";

/** The same disk, on which `sync`, `syncAsync` and `syncDir` do nothing. */
export function withoutSync(disk: Disk): Disk {
  return {
    open: (path, mode) => silent(disk.open(path, mode)),
    rename: (from, to) => disk.rename(from, to),
    unlink: (path) => disk.unlink(path),
    list: (dir) => disk.list(dir),
    exists: (path) => disk.exists(path),
    makeDir: (path) => disk.makeDir(path),
    removeDir: (path) => disk.removeDir(path),
    syncDir: () => {},
    lock: (path) => disk.lock(path),
  };
}

function silent(handle: FileHandle): FileHandle {
  return {
    size: () => handle.size(),
    read: (offset, target) => handle.read(offset, target),
    write: (offset, bytes) => handle.write(offset, bytes),
    truncate: (bytes) => handle.truncate(bytes),
    sync: () => {},
    syncAsync: () => Promise.resolve(),
    close: () => handle.close(),
  };
}
