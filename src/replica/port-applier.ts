/**
 * An applier whose state machine lives on another thread, at the far end of a port; and that end.
 *
 * Invariant: what the far end receives, put end to end, is what was submitted and asked for, in
 * order; so an installation comes behind everything submitted before it.
 * Chapter: 08-replica.
 */
import type { MessagePort } from "node:worker_threads";
import type { Bytes } from "#base";
import { type Port, wrapPort } from "#platform";
import type { Index } from "#raft/types";
import { fromWireError, type Outcome, toWireError } from "./consensus-protocol.ts";
import type { MachineHost } from "./machine-host.ts";
import { packEntries, unpackEntries } from "./packed-batch.ts";
import type { Applier, CommittedEntry } from "./types.ts";

/** From the consensus thread to the state machine's: entries as `packEntries` wrote them. */
export type ApplierBatch = Uint8Array<ArrayBuffer>;

/** What else is asked of a state machine; the answer has the same number. */
export type ApplierRequest = { readonly id: number } & (
  | { readonly kind: "snapshot"; readonly path: string; readonly atLeast: Index }
  | { readonly kind: "install"; readonly path: string; readonly index: Index }
  | { readonly kind: "digest"; readonly index: Index }
);

/** Everything that goes to the state machine's thread. */
export type ToMachine = ApplierBatch | ApplierRequest;

/** The way back: what readers see now, and what a power cut leaves. One message a batch. */
export interface AppliedNotice {
  readonly appliedIndex: Index;
  readonly durableIndex: Index;
}

/** The answer to a request. */
export interface ApplierAnswer {
  readonly id: number;
  readonly outcome: Outcome<unknown>;
}

/** Everything that comes from the state machine's thread. */
export type FromMachine = AppliedNotice | ApplierAnswer;

/** The applier's end of `port`. Entries are copied once, into a buffer that is then moved. */
export function createPortApplier(port: MessagePort): Applier {
  return new PortApplier(wrapPort(port));
}

class PortApplier implements Applier {
  readonly #port: Port<ToMachine, FromMachine>;
  readonly #waiting = new Map<number, (outcome: Outcome<unknown>) => void>();
  #nextId = 1;
  #applied: (appliedIndex: Index, durableIndex: Index) => void = () => undefined;

  constructor(port: Port<ToMachine, FromMachine>) {
    this.#port = port;
  }

  submit(entries: readonly CommittedEntry[]): void {
    if (entries.length === 0) return;
    const batch = packEntries(entries);
    this.#port.post(batch, [batch.buffer]);
  }

  onApplied(f: (appliedIndex: Index, durableIndex: Index) => void): void {
    this.#applied = f;
    this.#port.onMessage((message) => this.#onMessage(message));
  }

  makeSnapshot(path: string, atLeast: Index): Promise<{ readonly index: Index }> {
    return this.#ask((id) => ({ kind: "snapshot", id, path, atLeast }));
  }

  install(path: string, index: Index): Promise<void> {
    return this.#ask((id) => ({ kind: "install", id, path, index }));
  }

  digestAt(index: Index): Promise<Bytes | undefined> {
    return this.#ask((id) => ({ kind: "digest", id, index }));
  }

  #ask<T>(request: (id: number) => ApplierRequest): Promise<T> {
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, (outcome) => {
        // What is answered to this kind of request has this type: see `answerRequest`.
        if (outcome.ok) resolve(outcome.value as T);
        else reject(fromWireError(outcome.error));
      });
      this.#port.post(request(id));
    });
  }

  #onMessage(message: FromMachine): void {
    if ("appliedIndex" in message) {
      this.#applied(message.appliedIndex, message.durableIndex);
      return;
    }
    this.#waiting.get(message.id)?.(message.outcome);
    this.#waiting.delete(message.id);
  }
}

/** The far end: hears all that is there before a batch is begun, so that batches are large. */
export function serveApplier(
  port: Port<FromMachine, ToMachine>,
  host: MachineHost,
  onFatal: (error: unknown) => void,
): void {
  const hear = (message: ToMachine): void => {
    if (message instanceof Uint8Array) host.queue(unpackEntries(message));
    else void answerRequest(port, host, message);
  };
  port.onMessage((first) => {
    try {
      hear(first);
      while (host.queued < QUEUED_MAX) {
        const next = port.take();
        if (next === undefined) break;
        hear(next);
      }
      host.pump();
    } catch (error) {
      onFatal(error);
    }
  });
}

/** What is not taken now waits in the port. */
const QUEUED_MAX = 256;

async function answerRequest(
  port: Port<FromMachine, ToMachine>,
  host: MachineHost,
  request: ApplierRequest,
): Promise<void> {
  let outcome: Outcome<unknown>;
  try {
    outcome = { ok: true, value: await ask(host, request) };
  } catch (error) {
    outcome = { ok: false, error: toWireError(error) };
  }
  port.post({ id: request.id, outcome });
}

function ask(host: MachineHost, request: ApplierRequest): Promise<unknown> {
  switch (request.kind) {
    case "snapshot":
      return host.makeSnapshot(request.path, request.atLeast);
    case "install":
      return host.install(request.path, request.index);
    case "digest":
      return host.digestAt(request.index);
  }
}
