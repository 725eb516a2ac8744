/**
 * Copies of the state for those who need more than the log has.
 *
 * One copy serves everybody who needs it at the same time. It is made beside the applying of
 * entries, read in chunks, and removed when the last one has it. Invariant: a copy's bytes never
 * change, and its checksum was taken from the file before anybody was told of it.
 * Chapter: 08-replica.
 */
import { type Bytes, CairnError, type Cancel, errorText, type Ms } from "#base";
import { crc32c } from "#bytes";
import type { Clock, Disk, FileHandle, Random } from "#platform/types";
import type { Index, NodeId } from "#raft/types";
import { checksumOf, outPath, readRange, removeFile } from "./snapshot-files.ts";
import type { Applier, SnapshotTransfer } from "./types.ts";

/** A copy that was offered by call and of which nobody has read for so long is dropped. */
const OFFER_MS: Ms = 60_000;

/** A finished copy. */
export interface Copy {
  readonly copy: number;
  readonly index: Index;
  readonly totalBytes: number;
  readonly checksum: number;
}

interface HeldCopy extends Copy {
  readonly file: FileHandle;
  /** Peers, and 0 for whoever fetches it by calls. */
  readonly users: Set<NodeId>;
  readonly sent: Map<NodeId, number>;
  cancelOffer: Cancel;
}

interface Waiter {
  readonly to: NodeId;
  readonly atLeast: Index;
  readonly done: (copy: Copy | undefined) => void;
}

/** See the file's header. */
export interface SnapshotSender {
  /**
   * Finds or makes a copy at an index from `atLeast` on, for one user; undefined when none could be
   * made. 0 as user: for calls.
   */
  obtain(to: NodeId, atLeast: Index, done: (copy: Copy | undefined) => void): void;
  /** A user needs its copy no more. */
  drop(to: NodeId, copy: number): void;
  /** Bytes of a copy, with their checksum. @throws `REPLICA_SNAPSHOT_MISSING`, `DISK_IO` */
  read(to: NodeId, copy: number, offset: number, bytes: number): { bytes: Bytes; copy: Copy };
  /**
   * The log must reach back to it: whoever installs a copy goes on with the entry behind it. Copies
   * that only `away` wait for do not count.
   */
  indexMin(away: ReadonlySet<NodeId>): Index;
  transfers(): SnapshotTransfer[];
  stop(): void;
}

export interface SnapshotSenderParts {
  readonly disk: Disk;
  readonly dir: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly applier: Applier;
  readonly onNotice: (text: string) => void;
}

class CopySender implements SnapshotSender {
  readonly #parts: SnapshotSenderParts;
  readonly #copies = new Map<number, HeldCopy>();
  #waiters: Waiter[] = [];
  #isMaking = false;
  /** What the copy that is being made will have at least. */
  #makingFrom: Index = Number.POSITIVE_INFINITY;
  #isStopped = false;

  constructor(parts: SnapshotSenderParts) {
    this.#parts = parts;
  }

  obtain(to: NodeId, atLeast: Index, done: (copy: Copy | undefined) => void): void {
    const present = [...this.#copies.values()].find((copy) => copy.index >= atLeast);
    if (present !== undefined) {
      this.#use(present, to);
      done(present);
      return;
    }
    // The core asks again while a copy takes long; the last one is answered.
    this.#waiters = this.#waiters.filter((waiter) => to === 0 || waiter.to !== to);
    this.#waiters.push({ to, atLeast, done });
    if (!this.#isMaking) void this.#make();
  }

  drop(to: NodeId, copy: number): void {
    const held = this.#copies.get(copy);
    if (held === undefined) return;
    held.users.delete(to);
    held.sent.delete(to);
    if (held.users.size === 0) this.#remove(held);
  }

  read(to: NodeId, copy: number, offset: number, bytes: number): { bytes: Bytes; copy: Copy } {
    const held = this.#copies.get(copy);
    if (held === undefined) {
      throw new CairnError("REPLICA_SNAPSHOT_MISSING", `replica: no snapshot copy ${copy} here`);
    }
    this.#use(held, to);
    held.sent.set(to, offset + bytes);
    return { bytes: readRange(held.file, offset, bytes), copy: held };
  }

  indexMin(away: ReadonlySet<NodeId>): Index {
    let least = this.#makingFrom;
    for (const { index, users } of this.#copies.values()) {
      if ([...users].some((user) => !away.has(user))) least = Math.min(least, index);
    }
    return least;
  }

  transfers(): SnapshotTransfer[] {
    return [...this.#copies.values()].flatMap(({ index, copy, totalBytes, sent }) =>
      [...sent].map(([peer, storedBytes]) => ({
        ...{ peer, direction: "sending" as const, index, copy, storedBytes, totalBytes },
      })),
    );
  }

  stop(): void {
    this.#isStopped = true;
    this.#waiters = [];
    for (const held of [...this.#copies.values()]) this.#remove(held);
  }

  #use(held: HeldCopy, user: NodeId): void {
    held.users.add(user);
    if (user !== 0) return;
    held.cancelOffer();
    held.cancelOffer = this.#parts.clock.after(OFFER_MS, () => this.drop(0, held.copy));
  }

  #remove(held: HeldCopy): void {
    held.cancelOffer();
    this.#copies.delete(held.copy);
    held.file.close();
    try {
      removeFile(this.#parts.disk, outPath(this.#parts.dir, held.copy));
    } catch (error) {
      this.#parts.onNotice(`snapshot copy ${held.copy} stays: ${errorText(error)}`);
    }
  }

  /** Makes one copy for all who wait; whoever needs a later one waits for the next. */
  async #make(): Promise<void> {
    this.#isMaking = true;
    const atLeast = Math.max(...this.#waiters.map((waiter) => waiter.atLeast));
    // Never 0, and never the same on two leaders: it names these very bytes.
    const copy =
      1 + this.#parts.random.below(2 ** 32) + this.#parts.random.below(2 ** 20) * 2 ** 32;
    this.#makingFrom = atLeast;
    const held = await this.#write(copy, atLeast);
    this.#isMaking = false;
    this.#makingFrom = Number.POSITIVE_INFINITY;
    if (this.#isStopped) {
      if (held !== undefined) this.#remove(held);
      return;
    }
    const served = this.#waiters.filter(
      (waiter) => held === undefined || held.index >= waiter.atLeast,
    );
    this.#waiters = this.#waiters.filter((waiter) => !served.includes(waiter));
    if (held !== undefined) {
      this.#copies.set(copy, held);
      for (const { to } of served) this.#use(held, to);
    }
    for (const { done } of served) done(held);
    if (held !== undefined && held.users.size === 0) this.#remove(held);
    if (this.#waiters.length > 0) void this.#make();
  }

  async #write(copy: number, atLeast: Index): Promise<HeldCopy | undefined> {
    const { disk, dir, clock, applier, onNotice } = this.#parts;
    const path = outPath(dir, copy);
    try {
      const { index } = await applier.makeSnapshot(path, atLeast);
      const file = disk.open(path, "read");
      const checksum = await checksumOf(file, clock);
      const rest = { users: new Set<NodeId>(), sent: new Map(), cancelOffer: () => undefined };
      return { copy, index, totalBytes: file.size(), checksum, file, ...rest };
    } catch (error) {
      onNotice(`no snapshot at entry ${atLeast} or behind: ${errorText(error)}`);
      try {
        removeFile(disk, path);
      } catch {
        // A disk that is broken says so elsewhere; what is left here goes at the next start.
      }
      return undefined;
    }
  }
}

/** Makes the sender of one replica. */
export function createSnapshotSender(parts: SnapshotSenderParts): SnapshotSender {
  return new CopySender(parts);
}

/** The checksum that travels with a chunk. */
export const chunkChecksum = (bytes: Bytes): number => crc32c(bytes);
