/**
 * The planted mistakes: each is a change to a copy of the log's source, or a disk that forwards
 * wrongly.
 *
 * Production code has no switch for them. A patch names a text that must occur exactly once, so
 * that a change of the source shows here and not as a mistake that is no longer planted.
 */
import type { Disk, FileHandle } from "#platform/types";
import type { Patch } from "../../support/plant.ts";

/** The checks that can catch a mistake: see `checks` in mistakes.test.ts. */
export type CheckName =
  | "power cuts"
  | "failing disk"
  | "kill, then power cut"
  | "rot below the watermark"
  | "recycled segment"
  | "every bit of a frame";

/** One mistake. */
export interface Mistake {
  readonly name: string;
  /** The rule that it breaks. */
  readonly rule: string;
  readonly caughtBy: CheckName;
  readonly patches?: readonly Patch[];
  readonly wrap?: (disk: Disk) => Disk;
}

export const mistakes: readonly Mistake[] = [
  {
    name: "no directory sync",
    rule: "W9",
    caughtBy: "power cuts",
    wrap: (disk) => forwarding(disk, { syncDir: () => {} }),
  },
  {
    name: "checksum over the payload only",
    rule: "W5",
    caughtBy: "every bit of a frame",
    patches: [
      {
        file: "record.ts",
        from: "putU32(target, offset, crc32cRange(target, offset + LENGTH_OFFSET, end, seed));",
        to: "putU32(target, offset, crc32cRange(target, offset + FRAME_HEADER_BYTES, end, seed));",
      },
      {
        file: "record.ts",
        from: "crc32cRange(source, offset + LENGTH_OFFSET, end, seed) ===",
        to: "crc32cRange(source, offset + FRAME_HEADER_BYTES, end, seed) ===",
      },
    ],
  },
  {
    name: "payload-only checksum, and zeros are a record",
    rule: "W5",
    caughtBy: "power cuts",
    patches: [
      {
        file: "record.ts",
        from: "putU32(target, offset, crc32cRange(target, offset + LENGTH_OFFSET, end, seed));",
        to: "putU32(target, offset, crc32cRange(target, offset + FRAME_HEADER_BYTES, end, 0));",
      },
      {
        file: "record.ts",
        from: "crc32cRange(source, offset + LENGTH_OFFSET, end, seed) ===",
        to: "crc32cRange(source, offset + FRAME_HEADER_BYTES, end, 0) ===",
      },
      {
        file: "record.ts",
        from: "if (type !== FrameType.record && type !== FrameType.mark) return",
        to: "if (type > FrameType.mark) return",
      },
      { file: "record.ts", from: "if (lsn !== expected.lsn) return", to: "if (lsn < 0) return" },
      {
        file: "record.ts",
        from: "if (frameWatermark(source, offset) >= lsn) return",
        to: "if (frameWatermark(source, offset) > lsn) return",
      },
      {
        file: "cursor.ts",
        from: "if (this.type === FrameType.record)",
        to: "if (this.type !== FrameType.mark)",
      },
      {
        file: "recovery.ts",
        from: "if (cursor.type !== FrameType.record) continue;",
        to: "if (cursor.type === FrameType.mark) continue;",
      },
    ],
  },
  {
    name: "a failed sync is tried again",
    rule: "W7",
    caughtBy: "failing disk",
    wrap: (disk) => forwarding(disk, { handle: retryingSync }),
  },
  {
    name: "acknowledged before the sync",
    rule: "W2",
    caughtBy: "power cuts",
    patches: [
      {
        file: "tail.ts",
        from: "    this.#handle.sync();\n    this.durableLsn = this.nextLsn - 1;",
        to: "    this.durableLsn = this.nextLsn - 1;",
      },
    ],
  },
  {
    name: "group commit acknowledged before the sync",
    rule: "W2",
    caughtBy: "power cuts",
    patches: [
      {
        file: "tail.ts",
        from: "await this.#flightHandle.syncAsync();",
        to: "await Promise.resolve();",
      },
    ],
  },
  {
    name: "the torn tail is not cut",
    rule: "W6",
    caughtBy: "power cuts",
    patches: [
      {
        file: "recovery.ts",
        from: "    handle.truncate(scan.endOffset);\n    segment.sizeBytes = scan.endOffset;\n",
        to: "",
      },
    ],
  },
  {
    name: "the cut is not synced",
    rule: "W6",
    caughtBy: "kill, then power cut",
    patches: [{ file: "recovery.ts", from: "  handle.sync();\n", to: "" }],
  },
  {
    name: "recovery believes the page cache after a failed sync",
    rule: "W7",
    caughtBy: "failing disk",
    patches: [
      {
        file: "recovery.ts",
        from: "  rewrite(handle, { from: isEmpty ? 0 : from, before: scan.endOffset });\n",
        to: "",
      },
    ],
  },
  {
    name: "segments are forgotten newest first",
    rule: "W9",
    caughtBy: "power cuts",
    patches: [
      {
        file: "tail.ts",
        from: "      disk.unlink(this.segments[0]!.path);\n",
        to: `      let last = 0;
      while (last + 2 < this.segments.length && this.segments[last + 2]!.firstLsn <= lsn) last += 1;
      disk.unlink(this.segments[last]!.path);\n`,
      },
      {
        file: "tail.ts",
        from: "      this.segments.shift();\n",
        to: "      this.segments.splice(last, 1);\n",
      },
    ],
  },
  {
    name: "forgotten segments share one directory sync",
    rule: "W9",
    caughtBy: "power cuts",
    patches: [
      {
        file: "tail.ts",
        from: "      disk.syncDir(dir);\n      this.segments.shift();\n    }\n",
        to: `      this.segments.shift();
    }
    this.#settings.disk.syncDir(this.#settings.dir);\n`,
      },
    ],
  },
  {
    name: "the segment header is not synced before records follow",
    rule: "W9",
    caughtBy: "power cuts",
    patches: [
      { file: "tail.ts", from: "    handle.sync();\n    settings.disk", to: "    settings.disk" },
    ],
  },
  {
    name: "the old segment is not synced before a new one is made",
    rule: "W9",
    caughtBy: "power cuts",
    patches: [
      {
        file: "tail.ts",
        from: "  #roll(): void {\n    this.sync();",
        to: "  #roll(): void {\n    this.#write();",
      },
    ],
  },
  {
    name: "a cut removes old files before the new segment decides",
    rule: "W8",
    caughtBy: "power cuts",
    patches: [
      {
        file: "tail.ts",
        from: "    const { segment, handle } = makeSegment(",
        to: `    for (const old of this.segments) {
      if (old.firstLsn > lsn) this.#settings.disk.unlink(old.path);
    }
    const { segment, handle } = makeSegment(`,
      },
      {
        file: "tail.ts",
        from: "    for (const { path } of voided) this.#settings.disk.unlink(path);\n",
        to: "",
      },
    ],
  },
  {
    name: "the watermark is ignored",
    rule: "W6",
    caughtBy: "rot below the watermark",
    patches: [
      { file: "recovery.ts", from: "findWitness(tail) !== null", to: "findWitness(tail) === -1" },
    ],
  },
  {
    name: "any valid record behind a bad one is called corruption",
    rule: "W6",
    caughtBy: "power cuts",
    patches: [
      {
        file: "witness.ts",
        from: "watermark < tail.lsn || lsn <= watermark",
        to: "lsn <= watermark",
      },
    ],
  },
  {
    name: "frames are not bound to their segment",
    rule: "W5",
    caughtBy: "recycled segment",
    patches: [{ file: "segment.ts", from: "seed: header.checksum,", to: "seed: 0," }],
  },
  {
    name: "opening trusts the end of a log that nobody has closed",
    rule: "W2",
    caughtBy: "kill, then power cut",
    patches: [
      {
        file: "recovery.ts",
        from: "return scan.endsInMark && scan.droppedBytes === 0 &&",
        to: "return true ||",
      },
    ],
  },
];

/** A disk that forwards everything but what is given. */
function forwarding(
  disk: Disk,
  changes: {
    readonly syncDir?: (dir: string) => void;
    readonly handle?: (handle: FileHandle) => FileHandle;
  },
): Disk {
  return {
    open: (path, mode) => (changes.handle ?? ((handle) => handle))(disk.open(path, mode)),
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

function retryingSync(handle: FileHandle): FileHandle {
  return {
    size: () => handle.size(),
    read: (offset, target) => handle.read(offset, target),
    write: (offset, bytes) => handle.write(offset, bytes),
    truncate: (bytes) => handle.truncate(bytes),
    close: () => handle.close(),
    sync: () => {
      try {
        handle.sync();
      } catch {
        handle.sync();
      }
    },
    syncAsync: () => handle.syncAsync().catch(() => handle.syncAsync()),
  };
}
