/**
 * An applier whose state machine is on the same thread: for tests and simulations.
 *
 * Invariant: nothing is applied inside `submit`; whoever hands out entries is never called back by
 * what it has handed out.
 * Chapter: 08-replica.
 */
import type { Bytes } from "#base";
import type { Index } from "#raft/types";
import { createMachineHost, type HostedMachine, type MachineHost } from "./machine-host.ts";
import type { Applier, CommittedEntry } from "./types.ts";

/** What a local applier is made of. */
export interface LocalApplierParts {
  readonly machine: HostedMachine;
  /** Runs work in a turn of its own: a clock's `after(0, work)`, for instance. */
  readonly schedule: (work: () => void) => void;
  /** Results of wanted entries, in order. */
  readonly onResult: (proposalId: number, index: Index, result: Bytes) => void;
  /** The machine cannot go on. */
  readonly onFatal: (error: unknown) => void;
}

/** An applier that can be ended. */
export interface StoppableApplier extends Applier {
  /** Nothing is applied any more. */
  stop(): void;
}

/** Makes the applier. */
export function createLocalApplier(parts: LocalApplierParts): StoppableApplier {
  return new LocalApplier(parts);
}

class LocalApplier implements Applier {
  readonly #parts: LocalApplierParts;
  readonly #host: MachineHost;
  #applied: (appliedIndex: Index, durableIndex: Index) => void = () => undefined;

  constructor(parts: LocalApplierParts) {
    const { machine, onResult, onFatal } = parts;
    this.#parts = parts;
    const notice = (): void => this.#applied(machine.appliedIndex(), machine.durableIndex());
    this.#host = createMachineHost({
      machine,
      onFatal,
      onInstalled: notice,
      onResults: (entries, results) => {
        for (const [at, { proposalId, index }] of entries.entries()) {
          const result = results[at] ?? null;
          if (proposalId !== 0 && result !== null) onResult(proposalId, index, result);
        }
        notice();
      },
    });
  }

  submit(entries: readonly CommittedEntry[]): void {
    this.#host.queue(entries);
    this.#parts.schedule(() => this.#host.pump());
  }

  onApplied(f: (appliedIndex: Index, durableIndex: Index) => void): void {
    this.#applied = f;
  }

  makeSnapshot(path: string, atLeast: Index): Promise<{ readonly index: Index }> {
    return this.#later(() => this.#host.makeSnapshot(path, atLeast));
  }

  install(path: string, index: Index): Promise<void> {
    return this.#later(() => this.#host.install(path, index));
  }

  digestAt(index: Index): Promise<Bytes | undefined> {
    return this.#host.digestAt(index);
  }

  /** Hands out nothing more. */
  stop(): void {
    this.#host.stop();
  }

  #later<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#parts.schedule(() => void work().then(resolve, reject));
    });
  }
}
