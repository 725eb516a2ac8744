/**
 * Copies of the database for `/db/backup`, made here or fetched from the leader in pieces.
 *
 * Invariant: every temporary file lies in the node's own `tmp` directory, which is emptied at
 * start, so that a crash in the middle of a backup costs disk space only until then.
 */
import { type Bytes, CairnError } from "#base";
import type { Disk, FileHandle } from "#platform/types";
import type { ConsensusThread } from "#replica";
import type { Member } from "#replica/types";
import type { BackupFormat, SqliteThreads } from "#sqlite/types";
import { packCall, unpackCall } from "./forward.ts";
import type { CallOptions } from "./types.ts";

/** 4 MiB: large enough that the round trip hardly shows, small enough not to delay a heartbeat. */
const CHUNK_BYTES = 4 * 1024 * 1024;
/** A fetch that pauses this long is given up; its file goes. */
const IDLE_MS = 60_000;

export interface BackupRequestHere {
  readonly format: BackupFormat;
  readonly vacuum: boolean;
  readonly tables: readonly string[];
}

/** A finished copy. */
export interface BackupFile {
  readonly path: string;
  remove(): void;
}

/** See the file's header. */
export interface Backups {
  make(request: BackupRequestHere): Promise<BackupFile>;
  /** Fetches the leader's copy. Errors as calls. */
  fetch(leader: Member, request: BackupRequestHere, options: CallOptions): Promise<BackupFile>;
  /** Answers `backup` (makes one, tells its number and size) and `backupChunk`. */
  answerMake(payload: Bytes): Promise<Bytes>;
  answerChunk(payload: Bytes): Bytes;
}

interface Served {
  readonly file: BackupFile;
  readonly handle: FileHandle;
  idle: NodeJS.Timeout;
}

class DiskBackups implements Backups {
  readonly #disk: Disk;
  readonly #dir: string;
  readonly #sqlite: SqliteThreads;
  readonly #consensus: ConsensusThread;
  readonly #served = new Map<number, Served>();
  #next = 1;

  constructor(disk: Disk, dir: string, sqlite: SqliteThreads, consensus: ConsensusThread) {
    this.#disk = disk;
    this.#dir = dir;
    this.#sqlite = sqlite;
    this.#consensus = consensus;
    disk.makeDir(dir);
    for (const name of disk.list(dir)) disk.unlink(`${dir}/${name}`);
  }

  async make(request: BackupRequestHere): Promise<BackupFile> {
    const file = this.#newFile();
    try {
      await this.#sqlite.backup({ ...request, path: file.path });
    } catch (error) {
      file.remove();
      throw error;
    }
    return file;
  }

  async fetch(
    leader: Member,
    request: BackupRequestHere,
    { timeoutMs, credentials }: CallOptions,
  ): Promise<BackupFile> {
    const call = (method: string, head: object): Promise<Bytes> => {
      const payload = packCall({ ...head, credentials });
      return this.#consensus.call(leader.address, method, payload, timeoutMs);
    };
    const { head } = unpackCall(await call("backup", request));
    const [number, size] = [Number(head["number"]), Number(head["size"])];
    const file = this.#newFile();
    const handle = this.#disk.open(file.path, "create-new");
    try {
      for (let offset = 0; offset < size; ) {
        const { body } = unpackCall(await call("backupChunk", { number, offset }));
        if (body.length === 0) {
          throw new CairnError("REPLICA_PEER_FAILED", `server: backup ends at byte ${offset}`);
        }
        handle.write(offset, body);
        offset += body.length;
      }
      return file;
    } catch (error) {
      file.remove();
      throw error;
    } finally {
      handle.close();
    }
  }

  async answerMake(payload: Bytes): Promise<Bytes> {
    const { head } = unpackCall(payload);
    const format =
      head["format"] === "sql" || head["format"] === "delete" ? head["format"] : "binary";
    const tables = Array.isArray(head["tables"]) ? head["tables"].map(String) : [];
    const file = await this.make({ format, vacuum: head["vacuum"] === true, tables });
    const number = this.#next;
    this.#next += 1;
    const handle = this.#disk.open(file.path, "read");
    this.#served.set(number, { file, handle, idle: this.#idleTimer(number) });
    return packCall({ number, size: handle.size() });
  }

  answerChunk(payload: Bytes): Bytes {
    const { head } = unpackCall(payload);
    const [number, offset] = [Number(head["number"]), Number(head["offset"])];
    const served = this.#served.get(number);
    if (served === undefined) {
      throw new CairnError("REPLICA_PEER_FAILED", `server: backup ${number} was given up`);
    }
    clearTimeout(served.idle);
    served.idle = this.#idleTimer(number);
    const chunk = new Uint8Array(CHUNK_BYTES);
    const bytes = served.handle.read(offset, chunk);
    if (offset + bytes >= served.handle.size()) this.#drop(number);
    return packCall({}, chunk.subarray(0, bytes));
  }

  #idleTimer(number: number): NodeJS.Timeout {
    const timer = setTimeout(() => this.#drop(number), IDLE_MS);
    timer.unref();
    return timer;
  }

  #drop(number: number): void {
    const served = this.#served.get(number);
    if (served === undefined) return;
    this.#served.delete(number);
    clearTimeout(served.idle);
    served.handle.close();
    served.file.remove();
  }

  #newFile(): BackupFile {
    const path = `${this.#dir}/backup-${process.pid}-${this.#next}-${Date.now()}`;
    this.#next += 1;
    return {
      path,
      remove: () => {
        if (this.#disk.exists(path)) this.#disk.unlink(path);
      },
    };
  }
}

/** @param dir - made if missing, emptied. */
export function createBackups(options: {
  disk: Disk;
  dir: string;
  sqlite: SqliteThreads;
  consensus: ConsensusThread;
}): Backups {
  return new DiskBackups(options.disk, options.dir, options.sqlite, options.consensus);
}
