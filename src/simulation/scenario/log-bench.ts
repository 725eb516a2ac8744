/**
 * The real Raft log over a simulated disk, for scenarios about what a disk can do to it.
 *
 * Invariant: what is said of a log that was opened is read back from it, entry by entry.
 * Chapter: 11-simulation.
 */
import { CairnError, errorText } from "#base";
import { createSimulatedDisk } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import {
  createConfiguration,
  decodeConfiguration,
  decodeEntry,
  decodeLogRecord,
  encodeConfiguration,
  encodeEntry,
  type LogRecord,
  openRaftLog,
} from "#replica";
import type { LogEntry, RaftLog } from "#replica/types";
import { describeSegment } from "#wal";
import { type NamedEntry, setsText } from "./message-text.ts";

const DIRECTORY = "/raft-log";
const PADDING = ".";

/** How the disk and the log are made. */
export interface LogBenchOptions {
  readonly segmentBytesMax: number;
  readonly capacityBytes: number | undefined;
  readonly seed: number;
}

/** A record of the log and where it lies. */
export interface PlacedRecord {
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
  readonly record: LogRecord;
}

export class LogBench {
  disk: SimulatedDisk;
  log: RaftLog | undefined;
  readonly #options: LogBenchOptions;

  constructor(options: LogBenchOptions) {
    this.#options = options;
    const { seed, capacityBytes } = options;
    this.disk = createSimulatedDisk({
      seed,
      ...(capacityBytes === undefined ? {} : { capacityBytes }),
    });
  }

  /** Opens the log and says what is there, or why it was refused. */
  open(): string {
    this.log = undefined;
    const opened = this.#openOn(this.disk);
    if (typeof opened === "string") return opened;
    this.log = opened;
    return stateText(opened);
  }

  /** A copy of the disk after a power cut. As for `cut`, only copies can be made after it. */
  crashed(seed: number): SimulatedDisk {
    this.log = undefined;
    return this.disk.crash(seed);
  }

  /** The same on a copy of a disk, which is thrown away. */
  tryOn(disk: SimulatedDisk): string {
    const opened = this.#openOn(disk);
    return typeof opened === "string" ? opened : stateText(opened);
  }

  #openOn(disk: SimulatedDisk): RaftLog | string {
    const { segmentBytesMax } = this.#options;
    try {
      return openRaftLog({ disk, dir: DIRECTORY, segmentBytesMax }).log;
    } catch (error) {
      return refusalText(error);
    }
  }

  /** The files of the log, in the order of their numbers. */
  get segments(): string[] {
    return this.disk
      .list(DIRECTORY)
      .filter((name) => name.endsWith(".wal"))
      .map((name) => `${DIRECTORY}/${name}`);
  }

  /** All whole records, in order. */
  records(): PlacedRecord[] {
    const { disk } = this;
    return this.segments.flatMap((path) => {
      const placed: PlacedRecord[] = [];
      describeSegment({ disk, path }, ({ kind, offset, bytes, payload }) => {
        if (kind === "mark") return;
        placed.push({ path, offset, bytes, record: decodeLogRecord(payload.slice()) });
      });
      return placed;
    });
  }

  /**
   * A copy of the disk on which a file ends at `bytes`, as if the rest had never been written. The
   * disk itself, and the log on it, can only be copied from then on.
   */
  cut(path: string, bytes: number): SimulatedDisk {
    this.log = undefined;
    const disk = this.disk.kill();
    const file = disk.open(path, "read-write");
    file.truncate(bytes);
    file.sync();
    file.close();
    return disk;
  }
}

/** An entry whose payload is a name, padded, or a configuration of so many voters. */
export function entryOf(index: number, { name, term, sets }: NamedEntry, bytes: number): LogEntry {
  if (sets !== undefined) {
    const members = sets.voters.map((n) => ({
      id: `n${n}`,
      address: `h:${n}`,
      incarnation: `${n}`,
    }));
    const payload = encodeConfiguration(createConfiguration(members));
    return { index, term, bytes: encodeEntry("configuration", payload) };
  }
  const payload = new TextEncoder().encode(name.padEnd(bytes, PADDING));
  return { index, term, bytes: encodeEntry("command", payload) };
}

/** What an entry is called. */
export function entryName({ bytes }: Pick<LogEntry, "bytes">): string {
  const { kind, payload } = decodeEntry(bytes);
  if (kind === "configuration") return setsText(decodeConfiguration(payload).sets);
  return new TextDecoder().decode(payload).replace(/\.+$/, "");
}

/** Entries as words. */
export function entriesText(entries: readonly LogEntry[]): string {
  return entries.map((entry) => `${entryName(entry)}@${entry.term}`).join(",");
}

/** A log in one line. */
export function stateText(log: RaftLog): string {
  const { hardState, compactedIndex } = log.state;
  const entries =
    log.lastIndex > compactedIndex ? log.read(compactedIndex + 1, log.lastIndex + 1) : [];
  const from = compactedIndex > 0 ? ` from=${compactedIndex + 1}` : "";
  const { term, vote } = hardState;
  return `term=${term} vote=${vote}${from} entries=${entriesText(entries)}`;
}

/** Why a log was not opened. Anything but an error of ours is a fault of the log itself. */
export function refusalText(error: unknown): string {
  if (!(error instanceof CairnError)) throw error;
  return `refused: ${error.code}: ${errorText(error)}`;
}
