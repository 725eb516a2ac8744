/**
 * Takes a snapshot in, chunk by chunk, into a file of its own.
 *
 * A chunk is stored only behind everything before it, and only if its checksum is right. When all
 * is there the file is synced, read back, and compared with the checksum of the whole: only then is
 * it complete. Invariant: a complete file holds what the sender's copy held, durably.
 * Chapter: 08-replica.
 */
import { errorText, type Ms } from "#base";
import { crc32c, directoryOf } from "#bytes";
import type { Clock, Disk, FileHandle } from "#platform/types";
import type { Index, NodeId, SnapshotMessage } from "#raft/types";
import type { Chunk } from "./message-codec.ts";
import { checksumOf, inPath, removeFile } from "./snapshot-files.ts";
import type { Configuration, SnapshotTransfer } from "./types.ts";

/** After a disk error, before the sender is told to try again: the disk may be full for a while. */
const RETRY_MS: Ms = 1000;

interface Incoming {
  readonly from: NodeId;
  readonly index: Index;
  readonly copy: number;
  readonly totalBytes: number;
  readonly path: string;
  readonly file: FileHandle;
  configuration: Configuration;
  nextOffset: number;
  /** `finishing`: synced and read back at the moment. */
  state: "open" | "finishing" | "complete";
}

/** See the file's header. */
export interface SnapshotReceiver {
  /** Stores a chunk; `onStored` is told sooner or later how far the file is. */
  store(from: NodeId, message: SnapshotMessage, chunk: Chunk): void;
  /** The complete file, to be installed. Undefined if there is none of that name. */
  complete(index: Index, copy: number): { path: string; configuration: Configuration } | undefined;
  /** This file has been installed, or is needed no more. */
  forget(index: Index, copy: number): void;
  transfers(): SnapshotTransfer[];
  stop(): void;
}

export interface SnapshotReceiverParts {
  readonly disk: Disk;
  readonly dir: string;
  readonly clock: Clock;
  readonly onStored: (index: Index, copy: number, nextOffset: number) => void;
  readonly onNotice: (text: string) => void;
}

class FileReceiver implements SnapshotReceiver {
  readonly #parts: SnapshotReceiverParts;
  #incoming: Incoming | undefined;
  #isStopped = false;

  constructor(parts: SnapshotReceiverParts) {
    this.#parts = parts;
  }

  store(from: NodeId, message: SnapshotMessage, chunk: Chunk): void {
    const { index, copy } = message;
    try {
      const incoming = this.#fileFor(from, message, chunk);
      if (incoming.state === "finishing") return;
      if (incoming.state === "open" && message.offset === incoming.nextOffset) {
        if (crc32c(chunk.bytes) === chunk.checksum) {
          incoming.file.write(message.offset, chunk.bytes);
          incoming.nextOffset += chunk.bytes.length;
        } else {
          this.#parts.onNotice(`chunk at ${message.offset} of snapshot ${index} is damaged`);
        }
        if (incoming.nextOffset === incoming.totalBytes) {
          void this.#finish(incoming, chunk.fileChecksum);
          return;
        }
      }
      this.#parts.onStored(index, copy, incoming.nextOffset);
    } catch (error) {
      this.#failed(index, copy, error);
    }
  }

  complete(index: Index, copy: number): { path: string; configuration: Configuration } | undefined {
    const incoming = this.#incoming;
    const isIt = incoming?.state === "complete" && incoming.index === index;
    return isIt && incoming.copy === copy ? incoming : undefined;
  }

  forget(index: Index, copy: number): void {
    if (this.#incoming?.index === index && this.#incoming.copy === copy) this.#drop();
  }

  #drop(): void {
    const incoming = this.#incoming;
    if (incoming === undefined) return;
    this.#incoming = undefined;
    incoming.file.close();
    removeFile(this.#parts.disk, incoming.path);
  }

  transfers(): SnapshotTransfer[] {
    if (this.#incoming === undefined) return [];
    const { from, index, copy, nextOffset, totalBytes } = this.#incoming;
    const sizes = { storedBytes: nextOffset, totalBytes };
    return [{ peer: from, direction: "receiving", index, copy, ...sizes }];
  }

  /** What is there stays: the log may name it. The next start removes it if not. */
  stop(): void {
    this.#isStopped = true;
    this.#incoming?.file.close();
    this.#incoming = undefined;
  }

  #fileFor(from: NodeId, message: SnapshotMessage, chunk: Chunk): Incoming {
    const { index, copy, totalBytes } = message;
    const present = this.#incoming;
    if (present?.index === index && present.copy === copy && present.totalBytes === totalBytes) {
      present.configuration = chunk.configuration;
      return present;
    }
    this.#drop();
    const { disk, dir } = this.#parts;
    const path = inPath(dir, index, copy);
    removeFile(disk, path);
    const file = disk.open(path, "create-new");
    const { configuration } = chunk;
    const head = { from, index, copy, totalBytes, path, file, configuration };
    this.#incoming = { ...head, nextOffset: 0, state: "open" };
    return this.#incoming;
  }

  async #finish(incoming: Incoming, fileChecksum: number): Promise<void> {
    const { disk, clock, onNotice, onStored } = this.#parts;
    const { index, copy, file, path } = incoming;
    const isCurrent = (): boolean => !this.#isStopped && this.#incoming === incoming;
    incoming.state = "finishing";
    try {
      await file.syncAsync();
      if (!isCurrent()) return;
      const checksum = await checksumOf(file, clock);
      if (!isCurrent()) return;
      if (checksum === fileChecksum) {
        disk.syncDir(directoryOf(path));
        incoming.state = "complete";
      } else {
        onNotice(`snapshot ${index} is damaged as a whole; it is asked for from its beginning`);
        file.truncate(0);
        incoming.nextOffset = 0;
        incoming.state = "open";
      }
      onStored(index, copy, incoming.nextOffset);
    } catch (error) {
      if (isCurrent()) this.#failed(index, copy, error);
    }
  }

  /** The file is worth nothing any more; the transfer begins anew, after a while. */
  #failed(index: Index, copy: number, error: unknown): void {
    const { clock, onNotice, onStored } = this.#parts;
    onNotice(`snapshot ${index} cannot be stored: ${errorText(error)}`);
    try {
      this.#drop();
    } catch {
      // The same disk again: the file goes at the next start.
    }
    clock.after(RETRY_MS, () => {
      if (!this.#isStopped && this.#incoming === undefined) onStored(index, copy, 0);
    });
  }
}

/** Makes the receiver of one replica. */
export function createSnapshotReceiver(parts: SnapshotReceiverParts): SnapshotReceiver {
  return new FileReceiver(parts);
}
