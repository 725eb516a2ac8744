/**
 * An applier whose state machine lives on another thread, at the far end of a port.
 *
 * Invariant: what the far end receives, put end to end, is what was submitted, in order.
 * Chapter: 08-replica.
 */
import type { MessagePort } from "node:worker_threads";
import { type Port, wrapPort } from "#platform";
import type { Index } from "#raft/types";
import { packEntries } from "./packed-batch.ts";
import type { Applier, CommittedEntry } from "./types.ts";

/** From the consensus thread to the state machine's: entries as `packEntries` wrote them. */
export type ApplierBatch = Uint8Array<ArrayBuffer>;

/** The way back: what readers see now, and what a power cut leaves. One message a batch. */
export interface AppliedNotice {
  readonly appliedIndex: Index;
  readonly durableIndex: Index;
}

/** The applier's end of `port`. Entries are copied once, into a buffer that is then moved. */
export function createPortApplier(port: MessagePort): Applier {
  return new PortApplier(wrapPort(port));
}

class PortApplier implements Applier {
  readonly #port: Port<ApplierBatch, AppliedNotice>;

  constructor(port: Port<ApplierBatch, AppliedNotice>) {
    this.#port = port;
  }

  submit(entries: readonly CommittedEntry[]): void {
    if (entries.length === 0) return;
    const batch = packEntries(entries);
    this.#port.post(batch, [batch.buffer]);
  }

  onApplied(f: (appliedIndex: Index, durableIndex: Index) => void): void {
    this.#port.onMessage(({ appliedIndex, durableIndex }) => f(appliedIndex, durableIndex));
  }
}
