/**
 * What the core decides about snapshots, carried out: made, sent, taken in, installed.
 *
 * Invariant: a file takes the state machine's place only when the log's reset to it is durable, so
 * that a crash at any moment leaves the old state with the old log, or is finished at the next
 * start. Chapter: 08-replica.
 */
import { assert, CairnError } from "#base";
import type { Input, Output, PersistSeq, RaftCore } from "#raft/types";
import type { Handled } from "./log-writer.ts";
import type { Messenger } from "./messenger.ts";
import type { SnapshotReceiver } from "./snapshot-receiver.ts";
import type { Copy, SnapshotSender } from "./snapshot-sender.ts";
import type { Applier, RaftLog, SnapshotOffer } from "./types.ts";

type Of<Kind extends Output["kind"]> = Extract<Output, { kind: Kind }>;

export interface SnapshotDriverParts {
  readonly core: RaftCore;
  readonly log: RaftLog;
  readonly applier: Applier;
  readonly sender: SnapshotSender;
  readonly receiver: SnapshotReceiver;
  readonly messenger: Messenger;
  readonly step: (input: Input) => void;
  readonly guard: (work: () => void) => void;
  readonly fail: (error: unknown) => void;
}

/** See the file's header. */
export class SnapshotDriver {
  readonly #parts: SnapshotDriverParts;
  /** Installations that wait for their persist. */
  #installs: Of<"install">[] = [];

  constructor(parts: SnapshotDriverParts) {
    this.#parts = parts;
  }

  make({ to, atLeast }: Of<"makeSnapshot">): void {
    this.#parts.sender.obtain(to, atLeast, (made) => {
      // 0 bytes: none could be made; the core asks again later.
      const { index, copy, totalBytes } = made ?? { index: 0, copy: 0, totalBytes: 0 };
      this.#parts.step({ kind: "snapshotReady", to, index, copy, totalBytes });
    });
  }

  drop({ to, copy }: Of<"dropSnapshot">): void {
    this.#parts.messenger.dropped(to, copy);
    this.#parts.sender.drop(to, copy);
  }

  store({ from }: Of<"storeChunk">, { decoded }: Handled): void {
    assert(
      decoded?.message.kind === "snapshot" && decoded.chunk !== undefined,
      "replica: a chunk is stored when it comes",
    );
    this.#parts.receiver.store(from, decoded.message, decoded.chunk);
  }

  install(output: Of<"install">, persistedSeq: PersistSeq): void {
    this.#installs.push(output);
    this.persisted(persistedSeq);
  }

  /** The disk is this far: files whose reset is durable go to the state machine. */
  persisted(seq: PersistSeq): void {
    if (this.#installs.length === 0) return;
    const { applier, receiver, guard, fail } = this.#parts;
    const due = this.#installs.filter(({ after }) => after <= seq);
    this.#installs = this.#installs.filter(({ after }) => after > seq);
    for (const { index, copy } of due) {
      const file = receiver.complete(index, copy);
      assert(file !== undefined, `replica: snapshot ${copy} at ${index} is complete`);
      applier.install(file.path, index).then(
        () => guard(() => receiver.forget(index, copy)),
        (error: unknown) => fail(error),
      );
    }
  }

  /** Makes a copy for whoever fetches it by calls. @throws `REPLICA_SNAPSHOT_MISSING` */
  offer(): Promise<SnapshotOffer> {
    return new Promise((resolve, reject) => {
      const { core, sender, log } = this.#parts;
      sender.obtain(0, core.commitIndex, (copy: Copy | undefined) => {
        const term = copy === undefined ? undefined : core.termAt(copy.index);
        const configuration = copy === undefined ? undefined : log.configurationAt(copy.index);
        if (copy === undefined || term === undefined || configuration === undefined) {
          reject(new CairnError("REPLICA_SNAPSHOT_MISSING", "replica: no snapshot could be made"));
        } else resolve({ ...copy, term, configuration });
      });
    });
  }
}
