/**
 * The model state machine: a small map with sessions, and a digest over everything that ran.
 *
 * As with SQLite, what is applied is durable only some time later; a crash takes the machine back
 * to some index between the two, never before its last checkpoint.
 * Invariant: the state is a function of the commands up to the applied index, each run once.
 * Chapter: 11-simulation.
 */
import type { Index } from "#raft/types";
import { mixHash } from "./entry.ts";
import type { Command, CommandResult, MachineState, ModelEntry, Value } from "./types.ts";

interface Session {
  readonly serial: number;
  readonly result: CommandResult;
}

const EMPTY: MachineState = { index: 0, digest: 0, values: new Map(), sessions: new Map() };

/** See the file's header. */
export class ModelMachine {
  #index: Index = 0;
  #digest = 0;
  #values = new Map<string, Value>();
  #sessions = new Map<number, Session>();
  #durable: MachineState = EMPTY;
  /** What ran since the durable state, oldest first. */
  #since: ModelEntry[] = [];

  /** The last index that was applied. */
  get index(): Index {
    return this.#index;
  }

  /** What no crash takes back. */
  get durableIndex(): Index {
    return this.#durable.index;
  }

  /** Stands for every command that ran, in order. */
  get digest(): number {
    return this.#digest;
  }

  /** The value of a key. */
  valueOf(key: string): Value {
    return this.#values.get(key) ?? null;
  }

  /** Runs the next entry. */
  apply(entry: ModelEntry): CommandResult | undefined {
    const result = this.#run(entry);
    this.#since.push(entry);
    return result;
  }

  /** Makes all that was applied durable. */
  checkpoint(): void {
    this.#durable = this.state();
    this.#since = [];
  }

  /** The whole state, for a copy. */
  state(): MachineState {
    return {
      index: this.#index,
      digest: this.#digest,
      values: new Map(this.#values),
      sessions: new Map(this.#sessions),
    };
  }

  /** A copy takes this machine's place, durably. */
  restore(state: MachineState): void {
    this.#durable = state;
    this.#since = [];
    this.#load(state);
  }

  /** A crash: back to the durable state, and `kept` entries behind it that reached the disk. */
  crash(kept: number): void {
    const survived = this.#since.slice(0, kept);
    this.#load(this.#durable);
    for (const entry of survived) this.#run(entry);
    this.#since = survived;
  }

  /** How many entries a crash may take. */
  get unsynced(): number {
    return this.#since.length;
  }

  /** Forgets everything. */
  wipe(): void {
    this.restore(EMPTY);
  }

  #load(state: MachineState): void {
    this.#index = state.index;
    this.#digest = state.digest;
    this.#values = new Map(state.values);
    this.#sessions = new Map(state.sessions);
  }

  #run(entry: ModelEntry): CommandResult | undefined {
    this.#index += 1;
    this.#digest = mixHash(this.#digest, entry.chain);
    return entry.command === undefined ? undefined : this.#execute(entry.command);
  }

  #execute(command: Command): CommandResult {
    const session = command.client === 0 ? undefined : this.#sessions.get(command.client);
    if (session !== undefined && session.serial >= command.serial) {
      if (session.serial === command.serial) return { ...session.result, repeated: true };
      // A late copy of an older command: nobody waits for it any more.
      return { written: false, previous: null, repeated: true, ranAt: 0 };
    }
    const previous = this.valueOf(command.key);
    const written = command.kind === "put" || previous === (command.expected ?? null);
    if (written) {
      this.#values.set(command.key, command.value);
      this.#digest = mixHash(this.#digest, command.id);
    }
    const result: CommandResult = { written, previous, repeated: false, ranAt: this.#index };
    if (command.client !== 0) {
      this.#sessions.set(command.client, { serial: command.serial, result });
    }
    return result;
  }
}
