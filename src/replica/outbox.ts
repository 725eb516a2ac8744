/**
 * Messages on their way out: those that wait for the disk, and commit notices that wait for
 * company.
 *
 * Invariant: what is tagged `after` a persist leaves when that persist is durable, not before (R9).
 * An append without entries is put off for COMMIT_NOTICE_MS and not sent at all if one with entries
 * goes first, which says the same: under load this halves the messages, and an idle follower hears
 * of a commit two milliseconds later. A newer one takes its place and leaves at its time: a stream
 * of them must not put itself off forever. Chapter: 08-replica.
 */
import type { Cancel, Ms } from "#base";
import type { Clock } from "#platform/types";
import type { NodeId, Output, PersistSeq } from "#raft/types";

/**
 * Below what a person or a heartbeat notices, above the time between two writes of a busy client.
 */
const COMMIT_NOTICE_MS: Ms = 2;

/** A message that the core wants sent. */
export type SendOutput = Extract<Output, { kind: "send" }>;

/** An append without entries that waits for its time. */
interface Notice {
  output: SendOutput;
  readonly cancel: Cancel;
}

/** See the file's header. */
export interface Outbox {
  /** Sends now, later, or when the disk is that far. */
  post(output: SendOutput, persistedSeq: PersistSeq): void;
  /** The disk is this far. */
  release(persistedSeq: PersistSeq): void;
  /** Drops everything. */
  stop(): void;
}

class HoldingOutbox implements Outbox {
  readonly #clock: Clock;
  readonly #send: (output: SendOutput) => void;
  /** Waiting for their persist, in order. */
  #held: SendOutput[] = [];
  readonly #notices = new Map<NodeId, Notice>();

  constructor(clock: Clock, send: (output: SendOutput) => void) {
    this.#clock = clock;
    this.#send = send;
  }

  post(output: SendOutput, persistedSeq: PersistSeq): void {
    if (output.after !== undefined && output.after > persistedSeq) this.#held.push(output);
    else this.#dispatch(output);
  }

  release(persistedSeq: PersistSeq): void {
    if (this.#held.length === 0) return;
    const held = this.#held;
    this.#held = [];
    for (const output of held) this.post(output, persistedSeq);
  }

  stop(): void {
    this.#held = [];
    for (const { cancel } of this.#notices.values()) cancel();
    this.#notices.clear();
  }

  #dispatch(output: SendOutput): void {
    const { to, message } = output;
    if (message.kind !== "append") return this.#send(output);
    const waiting = this.#notices.get(to);
    if (message.sizes.length > 0) {
      waiting?.cancel();
      this.#notices.delete(to);
      this.#send(output);
    } else if (waiting !== undefined) waiting.output = output;
    else this.#putOff(output);
  }

  #putOff(output: SendOutput): void {
    const cancel = this.#clock.after(COMMIT_NOTICE_MS, () => {
      this.#notices.delete(output.to);
      this.#send(notice.output);
    });
    const notice: Notice = { output, cancel };
    this.#notices.set(output.to, notice);
  }
}

/** @param send - encodes and hands to the net; called once for each message that leaves. */
export function createOutbox(clock: Clock, send: (output: SendOutput) => void): Outbox {
  return new HoldingOutbox(clock, send);
}
