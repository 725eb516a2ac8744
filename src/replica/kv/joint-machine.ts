/**
 * Two state machines behind one log: SQL and the key-value store, as one machine.
 *
 * Both see every entry; each does its own and counts the others as applied, in a commit of its own.
 * So after a crash one may be ahead of the other: the log is replayed from the one behind, and the
 * one ahead passes over what it has. Invariants: an index counts as applied, or durable, when it
 * does for both; a copy and a digest are of one index of both.
 * Chapter: 08-replica.
 */
import { createHash } from "node:crypto";
import { type Bytes, CairnError } from "#base";
import { directoryOf } from "#bytes";
import { atTurnEnd } from "#platform";
import type { Disk, FileHandle } from "#platform/types";
import type { Index } from "#raft/types";
import type { HostedMachine, Results } from "../machine-host.ts";
import type { CommittedEntry, StateMachine } from "../types.ts";
import { isKvCommand } from "./command-codec.ts";
import { extractSecond, joinCopies } from "./joint-copy.ts";
import type { KvMachine } from "./types.ts";

/** The first of the two: whatever is no key-value command is for it. */
export interface FirstMachine extends StateMachine {
  /** Whether a file is a copy at this index that `restore` would take. @throws as `restore`. */
  checkCopy(path: string, index: Index): void;
}

/** What a joint machine is made of. */
export interface JointMachineParts {
  readonly first: FirstMachine;
  readonly kv: KvMachine;
  readonly disk: Disk;
  /** A directory for files on their way; emptied here. */
  readonly temporaryDir: string;
}

/** See the file's header. */
export interface JointMachine extends HostedMachine {
  restore(path: string, index: Index): Promise<void>;
  /** What the machine that is ahead has applied: the log beside must reach so far. */
  newestIndex(): Index;
}

/** Makes one machine of two, which stay the caller's to close. */
export function createJointMachine(parts: JointMachineParts): JointMachine {
  return new Joint(parts);
}

class Joint implements JointMachine {
  readonly #parts: JointMachineParts;
  /** Copies and digests that wait until both machines are at one index. */
  #whenEven: (() => void)[] = [];
  #copies = 0;
  /** How far the first machine was durable when the second one was last made so. */
  #followed: Index;

  constructor(parts: JointMachineParts) {
    this.#parts = parts;
    const { disk, temporaryDir, first } = parts;
    this.#followed = first.durableIndex();
    disk.makeDir(temporaryDir);
    for (const name of disk.list(temporaryDir)) disk.unlink(`${temporaryDir}/${name}`);
  }

  applyBatch(entries: readonly CommittedEntry[]): Results | Promise<Results> {
    const { first, kv } = this.#parts;
    const ours = behind(entries, first.appliedIndex());
    const theirs = behind(entries, kv.appliedIndex());
    const own = ours.length === 0 ? [] : first.applyBatch(ours);
    const other = theirs.length === 0 ? [] : kv.applyBatch(theirs);
    if (!(other instanceof Promise)) return this.#applied(entries, own, other);
    return other.then((results) => this.#applied(entries, own, results));
  }

  appliedIndex(): Index {
    const { first, kv } = this.#parts;
    return Math.min(first.appliedIndex(), kv.appliedIndex());
  }

  durableIndex(): Index {
    const { first, kv } = this.#parts;
    return Math.min(first.durableIndex(), kv.durableIndex());
  }

  newestIndex(): Index {
    const { first, kv } = this.#parts;
    return Math.max(first.appliedIndex(), kv.appliedIndex());
  }

  digestLater(): Promise<Bytes> {
    const { first, kv } = this.#parts;
    return this.#atOneIndex(async () => {
      const digests = await Promise.all([first.digestLater(), kv.digestLater()]);
      const hash = createHash("sha256");
      for (const digest of digests) hash.update(digest);
      return new Uint8Array(hash.digest());
    });
  }

  snapshot(path: string): Promise<Index> {
    return this.#atOneIndex(() => this.#copy(path));
  }

  /**
   * The first machine's copy is checked before the second one's takes its place, so that a refusal
   * changes neither; and it goes last, so that the file is there until everything is done.
   */
  async restore(path: string, index: Index): Promise<void> {
    const { first, kv, disk } = this.#parts;
    if (!disk.exists(path)) {
      if (first.appliedIndex() === index && kv.appliedIndex() === index) return;
      throw new CairnError("DISK_NOT_FOUND", `replica: no joint copy ${path} at ${index}`);
    }
    first.checkCopy(path, index);
    const second = this.#temporary();
    try {
      await this.#withFiles([path, second], (joint, part) => extractSecond(joint, part, path));
      await kv.restore(second, index);
    } finally {
      removeIfThere(disk, second);
    }
    first.restore(path, index);
  }

  async #copy(path: string): Promise<Index> {
    const { first, kv, disk } = this.#parts;
    const second = this.#temporary();
    const copying = [first.snapshot(path), kv.snapshot(second)] as const;
    // Whoever fails, the other one is waited for: its file is to be removed.
    const outcomes = await Promise.allSettled(copying);
    try {
      for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
      await this.#withFiles([path, second], joinCopies);
      return await copying[0];
    } catch (error) {
      if (outcomes[0].status === "fulfilled") removeIfThere(disk, path);
      throw error;
    } finally {
      removeIfThere(disk, second);
    }
  }

  /** Runs steps over two files, a bit at each turn, and syncs both. */
  async #withFiles(
    paths: readonly [string, string],
    run: (one: FileHandle, other: FileHandle) => Generator<undefined, void>,
  ): Promise<void> {
    const { disk } = this.#parts;
    const files: FileHandle[] = [];
    try {
      for (const path of paths) files.push(disk.open(path, "read-write"));
      const [one, other] = files;
      for (const _ of run(one!, other!)) await new Promise<void>(atTurnEnd);
      for (const file of files) file.sync();
    } finally {
      for (const file of files) file.close();
    }
    for (const path of paths) disk.syncDir(directoryOf(path));
  }

  #temporary(): string {
    this.#copies += 1;
    return `${this.#parts.temporaryDir}/copy-${this.#copies}`;
  }

  /** Now, or as soon as the machine that is behind has caught up. */
  #atOneIndex<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isEven()) return work();
    return new Promise((resolve, reject) => {
      this.#whenEven.push(() => void work().then(resolve, reject));
    });
  }

  #isEven(): boolean {
    const { first, kv } = this.#parts;
    return first.appliedIndex() === kv.appliedIndex();
  }

  /**
   * A log that one machine needs no more is kept for the other: so what makes the first one
   * durable, a checkpoint, makes the second one durable as well.
   */
  #follow(): void {
    const { first, kv } = this.#parts;
    const durable = first.durableIndex();
    if (durable <= this.#followed) return;
    this.#followed = durable;
    // The next batch hears of a failure.
    if (kv.durableIndex() < durable) kv.checkpoint().catch(() => undefined);
  }

  #applied(entries: readonly CommittedEntry[], own: Results, other: Results): Results {
    this.#follow();
    if (this.#whenEven.length > 0 && this.#isEven()) {
      for (const start of this.#whenEven.splice(0)) start();
    }
    const [ownFrom, otherFrom] = [entries.length - own.length, entries.length - other.length];
    return entries.map((entry, at) => {
      const isOther = entry.kind === "command" && isKvCommand(entry.payload);
      return (isOther ? other[at - otherFrom] : own[at - ownFrom]) ?? null;
    });
  }
}

/** What is behind an index. */
function behind(entries: readonly CommittedEntry[], index: Index): readonly CommittedEntry[] {
  return entries[0] === undefined || entries[0].index > index
    ? entries
    : entries.filter((entry) => entry.index > index);
}

function removeIfThere(disk: Disk, path: string): void {
  if (disk.exists(path)) disk.unlink(path);
}
