/**
 * What the writer's thread runs: the SQL machine, and beside it the key-value machine if it is
 * wanted.
 *
 * Both live on this thread, so entries, copies and digests are in one order without a word between
 * threads. The price: a long statement holds up key-value commands and reads too. Invariant: closed
 * in reverse order of opening, whatever fails.
 * Chapter: 09-sqlite.
 */
import { type Bytes, CairnError } from "#base";
import { createNodeDisk } from "#platform";
import {
  createJointMachine,
  encodeKvFound,
  type HostedMachine,
  type KvMachine,
  type KvRead,
  openKvMachine,
} from "#replica";
import { openSqliteMachine } from "./machine.ts";
import type { SqliteMachine, SqliteMachineOptions, SqliteStatus } from "./types.ts";

/** How the machines are opened. */
export interface WriterMachineOptions extends SqliteMachineOptions {
  /** The directory of the key-value machine. Default: there is none. */
  readonly kvDir?: string;
}

/** The machines of the writer's thread. */
export interface WriterMachine {
  /** What the host runs: one machine, or two as one. */
  readonly hosted: HostedMachine;
  /** What the machine that is ahead has applied: the log must reach so far. */
  readonly newestIndex: number;
  status(): SqliteStatus;
  /** @returns false if nothing was new. */
  checkpoint(): Promise<boolean>;
  /** What a read found, encoded. @throws `SERVER_REQUEST_INVALID` where there is no such machine */
  readKv(read: KvRead): Bytes;
  close(): Promise<void>;
}

/** Beside the key-value machine's own directory, so that it may be emptied without a look. */
const TEMPORARY_SUFFIX = "-copies";

/**
 * Opens what the options ask for.
 *
 * @param onDurable - called when the durable index has grown beside the batches.
 * @throws `SQLITE_FILE_INVALID`, `SQLITE_ENGINE_FAILED`; what `openKvMachine` throws.
 */
export async function openWriterMachine(
  { kvDir, ...options }: WriterMachineOptions,
  onDurable: () => void,
): Promise<WriterMachine> {
  const sql = openSqliteMachine(options);
  if (kvDir === undefined) return new OneMachine(sql);
  try {
    const kv = await openKvMachine({ dir: kvDir, onDurable });
    try {
      return new TwoMachines(sql, kv, `${kvDir}${TEMPORARY_SUFFIX}`);
    } catch (error) {
      await kv.close();
      throw error;
    }
  } catch (error) {
    sql.close();
    throw error;
  }
}

class OneMachine implements WriterMachine {
  readonly hosted: HostedMachine;
  readonly newestIndex: number;
  readonly #sql: SqliteMachine;

  constructor(sql: SqliteMachine) {
    this.#sql = sql;
    this.hosted = sql;
    this.newestIndex = sql.appliedIndex();
  }

  status(): SqliteStatus {
    return this.#sql.status();
  }

  async checkpoint(): Promise<boolean> {
    return this.#sql.checkpoint();
  }

  readKv(): Bytes {
    throw new CairnError("SERVER_REQUEST_INVALID", "sqlite: this node has no key-value store");
  }

  async close(): Promise<void> {
    this.#sql.close();
  }
}

class TwoMachines implements WriterMachine {
  readonly hosted: HostedMachine;
  readonly newestIndex: number;
  readonly #sql: SqliteMachine;
  readonly #kv: KvMachine;

  constructor(sql: SqliteMachine, kv: KvMachine, temporaryDir: string) {
    this.#sql = sql;
    this.#kv = kv;
    const joint = createJointMachine({ first: sql, kv, disk: createNodeDisk(), temporaryDir });
    this.hosted = joint;
    this.newestIndex = joint.newestIndex();
  }

  status(): SqliteStatus {
    return {
      ...this.#sql.status(),
      appliedIndex: this.hosted.appliedIndex(),
      durableIndex: this.hosted.durableIndex(),
      kv: this.#kv.status(),
    };
  }

  async checkpoint(): Promise<boolean> {
    const before = this.hosted.durableIndex();
    this.#sql.checkpoint();
    await this.#kv.checkpoint();
    return this.hosted.durableIndex() > before;
  }

  readKv(read: KvRead): Bytes {
    return encodeKvFound(this.#kv.read(read));
  }

  async close(): Promise<void> {
    try {
      await this.#kv.close();
    } finally {
      this.#sql.close();
    }
  }
}
