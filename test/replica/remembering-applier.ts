/**
 * A state machine that only remembers, on the thread of the test: for clusters of real replicas.
 *
 * What is behind `durableIndex` is lost at a power cut, as with SQLite. Its copies are JSON, on the
 * node's simulated disk.
 */
import type { Disk } from "#platform/types";
import type { Applier, CommittedEntry } from "#replica/types";

const encoder = new TextEncoder();

/** Entries between two checkpoints of the simulated state machine. */
const CHECKPOINT_ENTRIES = 7;

/** What a state machine has seen: the payload of each command, by index. */
export interface AppliedCommand {
  readonly index: number;
  readonly text: string;
}

/** A state machine that only remembers. What is behind `durableIndex` is lost at a crash. */
export class RememberingApplier implements Applier {
  commands: AppliedCommand[];
  appliedIndex: number;
  durableIndex: number;
  #listener: (applied: number, durable: number) => void = () => undefined;
  readonly #schedule: (f: () => void) => void;
  readonly onResult: (proposalId: number, index: number) => void;
  /** Whoever asked for the digest at an index. */
  readonly #digests = new Map<number, (digest: Uint8Array) => void>();
  readonly #disk: Disk;
  /** Keeps what was copied back for a while: a large copy takes time after its index is fixed. */
  holdCopy: (done: () => void) => void = (done) => done();

  constructor(
    disk: Disk,
    start: { commands: readonly AppliedCommand[]; appliedIndex: number },
    schedule: (f: () => void) => void,
    onResult: (proposalId: number, index: number) => void,
  ) {
    this.#disk = disk;
    this.commands = [...start.commands];
    this.appliedIndex = start.appliedIndex;
    this.durableIndex = start.appliedIndex;
    this.#schedule = schedule;
    this.onResult = onResult;
  }

  submit(entries: readonly CommittedEntry[]): void {
    this.#schedule(() => {
      for (const entry of entries) this.#apply(entry);
      this.#listener(this.appliedIndex, this.durableIndex);
    });
  }

  #apply(entry: CommittedEntry): void {
    if (entry.index !== this.appliedIndex + 1) {
      throw new Error(`entry ${entry.index} applied after ${this.appliedIndex}`);
    }
    this.appliedIndex = entry.index;
    if (entry.kind === "command") {
      this.commands.push({ index: entry.index, text: new TextDecoder().decode(entry.payload) });
    }
    if (entry.index - this.durableIndex >= CHECKPOINT_ENTRIES) this.durableIndex = entry.index;
    if (entry.proposalId !== 0) this.onResult(entry.proposalId, entry.index);
    this.#digests.get(entry.index)?.(encoder.encode(JSON.stringify(this.commands)));
    this.#digests.delete(entry.index);
  }

  makeSnapshot(path: string, atLeast: number): Promise<{ index: number }> {
    return new Promise((resolve, reject) => {
      this.#schedule(() => {
        try {
          if (this.appliedIndex < atLeast) throw new Error(`${atLeast} is not applied yet`);
          const { appliedIndex, commands } = this;
          const file = this.#disk.open(path, "create-new");
          file.write(0, encoder.encode(JSON.stringify({ appliedIndex, commands })));
          file.sync();
          file.close();
          this.holdCopy(() => resolve({ index: appliedIndex }));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  install(path: string, index: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#schedule(() => {
        try {
          const file = this.#disk.open(path, "read");
          const bytes = new Uint8Array(file.size());
          file.read(0, bytes);
          file.close();
          const state = JSON.parse(new TextDecoder().decode(bytes)) as typeof this;
          if (state.appliedIndex !== index) throw new Error(`a copy of ${state.appliedIndex}`);
          this.commands = [...state.commands];
          this.appliedIndex = index;
          this.durableIndex = index;
          this.#listener(index, index);
          resolve();
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  digestAt(index: number): Promise<Uint8Array | undefined> {
    if (index <= this.appliedIndex) return Promise.resolve(undefined);
    return new Promise((resolve) => this.#digests.set(index, resolve));
  }

  onApplied(f: (applied: number, durable: number) => void): void {
    this.#listener = f;
  }

  /** The same state on another disk, after a crash. */
  on(disk: Disk): RememberingApplier {
    return new RememberingApplier(disk, this.remains(), this.#schedule, this.onResult);
  }

  /** What is left after a crash. */
  remains(): { commands: AppliedCommand[]; appliedIndex: number } {
    const appliedIndex = this.durableIndex;
    return { commands: this.commands.filter(({ index }) => index <= appliedIndex), appliedIndex };
  }
}
