/**
 * The only doors to the outside: disk, clock, network, chance.
 *
 * Everything above this layer takes these as arguments, so that a test can hand in a disk that
 * tears writes, a clock that stands still and a network that loses frames, all from one seed.
 * Chapter: 00-bytes.
 */
import type { Bytes, Cancel, Ms } from "#base";

/**
 * How a file is opened.
 *
 * `create-new` fails if the name exists; `read-write` creates it when missing; `read` never writes.
 */
export type OpenMode = "create-new" | "read-write" | "read";

/**
 * A disk. Calls are synchronous because a read from the page cache is faster than a hop to a
 * thread pool, and because a synchronous disk makes crash enumeration exact.
 *
 * Paths use `/`. A crash keeps any subset of what was not synced: 512-byte sectors of file content
 * (rule D0), names made, renamed or removed in a directory (rule D1).
 *
 * Every method throws `CairnError` with `DISK_FULL`, `DISK_IO`, `DISK_NOT_FOUND`, `DISK_EXISTS` or
 * `DISK_READ_ONLY`.
 */
export interface Disk {
  /**
   * Opens a file. A file that this call creates is durable by name only after `syncDir` of its
   * directory.
   */
  open(path: string, mode: OpenMode): FileHandle;
  /**
   * Gives a file a new name, replacing what had it. Atomic for observers; durable after `syncDir`
   * of both directories.
   */
  rename(from: string, to: string): void;
  /** Removes a name. Durable after `syncDir`. */
  unlink(path: string): void;
  /** The names in a directory, sorted by code unit; without `.` and `..`. */
  list(dir: string): string[];
  /** Tells whether a name exists. */
  exists(path: string): boolean;
  /**
   * Makes a directory and its parents; does nothing if it exists. Syncs the parents of what it
   * made.
   */
  makeDir(path: string): void;
  /**
   * Removes an empty directory. Durable after `syncDir` of its parent.
   *
   * @throws `DISK_IO` also when something is in it.
   */
  removeDir(path: string): void;
  /** Makes the names in a directory durable. */
  syncDir(dir: string): void;
  /**
   * Takes a lock that dies with the process, so that two processes never write one directory.
   *
   * @throws `DISK_LOCKED`, naming the owner's process id, while another live process holds it.
   */
  lock(path: string): Cancel;
}

/** An open file. Writes are visible to reads at once and durable after `sync` (rule D0). */
export interface FileHandle {
  /** Bytes in the file, as readers see it. */
  size(): number;
  /**
   * Reads from `offset` into `target`.
   *
   * @returns bytes read: fewer than `target.length` only at the end of the file.
   */
  read(offset: number, target: Uint8Array): number;
  /**
   * Writes all of `bytes` at `offset`, extending the file with zeros where needed. `bytes` is not
   * kept. After an error any part may have been written.
   */
  write(offset: number, bytes: Uint8Array): void;
  /** Cuts the file, or extends it with zeros. Durable after `sync`. */
  truncate(bytes: number): void;
  /**
   * Makes content and size durable. After a failure the unsynced content is unknown and must not be
   * trusted (rule D4).
   */
  sync(): void;
  /** As `sync`, without blocking the thread. Covers every write made before the call. */
  syncAsync(): Promise<void>;
  /** Releases the handle. Does not sync. */
  close(): void;
}

/** Time. `now` never goes back. */
export interface Clock {
  /** Milliseconds since some fixed moment of this process; may have fractions. */
  now(): Ms;
  /**
   * Milliseconds since 1970 UTC, from the wall clock: for timestamps that people read, never for
   * consensus.
   */
  wallTime(): Ms;
  /** Runs `f` once, `ms` milliseconds from now or later. */
  after(ms: Ms, f: () => void): Cancel;
  /**
   * Runs `f` when everything that is already waiting on this thread (sockets, messages) has been
   * handled.
   */
  whenIdle(f: () => void): Cancel;
}

/** Chance. From a seed in tests, from the operating system in production. */
export interface Random {
  /** A whole number from 0 to `before` - 1; `before` is 1 to 2^32. */
  below(before: number): number;
  /** A number from 0 (included) to 1 (excluded). */
  fraction(): number;
  /** `count` random bytes, in a fresh array. */
  bytes(count: number): Bytes;
}

/**
 * Frames between numbered nodes: whole, checked, in order while a connection lasts, and lost
 * without notice when it does not. Consensus needs no more than this.
 */
export interface Net {
  /**
   * Sends or drops. Never blocks, never throws for an unreachable node. The parts are one frame,
   * and belong to the net until sent.
   */
  send(to: number, parts: readonly Bytes[]): void;
  /** Sets the receiver. The frame belongs to the receiver. */
  onFrame(receive: (from: number, frame: Bytes) => void): void;
}

/** Byte streams: what TCP gives. The production `Net` is built on this in `replica`. */
export interface Sockets {
  /**
   * Accepts streams at `host:port`; port 0 takes a free one.
   *
   * @throws `NET_ADDRESS_IN_USE` or `NET_ADDRESS_INVALID`, naming the address.
   */
  listen(address: string, onSocket: (socket: Socket) => void): Promise<Listener>;
  /**
   * Starts to connect. Failure shows as `onClose` with an error; writes before the connection
   * stands are queued.
   */
  connect(address: string): Socket;
}

/** An accepting end. */
export interface Listener {
  /** The address in use, `host:port`, with the real port. */
  readonly address: string;
  /** Stops accepting and closes every stream that it accepted. */
  close(): Promise<void>;
}

/** One byte stream. Handlers may be set once, before the current turn ends. */
export interface Socket {
  /** The other end, for log lines. */
  readonly remote: string;
  /** Bytes accepted by `write` and not yet taken by the kernel: the back-pressure signal. */
  readonly bufferedBytes: number;
  /** Queues bytes; nothing happens after close. The parts belong to the socket until sent. */
  write(parts: readonly Bytes[]): void;
  /** Called once when a connection that this side asked for stands. */
  onConnect(f: () => void): void;
  /** The chunk belongs to the receiver. */
  onData(f: (chunk: Bytes) => void): void;
  /** Called when everything queued has been taken by the kernel. */
  onDrain(f: () => void): void;
  /** Called once, with the error if there was one. */
  onClose(f: (error?: Error) => void): void;
  /** Stops reading; the other end feels it as back-pressure. */
  pause(): void;
  /** Goes on reading after `pause`. */
  resume(): void;
  /** Closes at once, dropping what is queued. */
  close(): void;
}

/* ---- the simulated disk ---- */

/** A kind of disk operation, as counted and failed by the simulated disk. */
export type DiskOperation =
  | "open"
  | "read"
  | "write"
  | "truncate"
  | "sync"
  | "rename"
  | "unlink"
  | "syncDir";

/** What goes wrong when a planned fault is met. `hang` and `slow` concern `syncAsync` only. */
export type DiskFault = "EIO" | "ENOSPC" | "hang" | "slow";

/** A fault that fires when `matches` counted operations of this kind have passed. */
export interface DiskFaultPlan {
  readonly operation: DiskOperation;
  readonly fault: DiskFault;
  /** 0: the next such operation. */
  readonly after: number;
  /** How many operations in a row fail. Default 1. */
  readonly times?: number;
  /** Only operations on paths that contain this text. */
  readonly path?: string;
  /** For `slow`: how long, on the given clock. */
  readonly delayMs?: Ms;
}

/** One line of the simulated disk's trace. */
export interface DiskTraceLine {
  readonly sequence: number;
  readonly operation: DiskOperation;
  readonly path: string;
  readonly offset: number;
  readonly bytes: number;
  readonly failed: boolean;
}

/** How the simulated disk is made. */
export interface SimulatedDiskOptions {
  /** Every choice at a crash comes from it. Default 1. */
  readonly seed?: number;
  /** Total bytes before `ENOSPC`. Default: no limit. */
  readonly capacityBytes?: number;
  /** Where `slow` waits; needed only for that fault. */
  readonly clock?: Clock;
}

/**
 * A disk in memory with a volatile and a durable image of every file and every directory.
 *
 * `write`, `truncate`, `open`, `rename` and `unlink` change the volatile image. `sync` and
 * `syncDir` copy it to the durable one. `crash` keeps any subset of the difference.
 */
export interface SimulatedDisk extends Disk {
  /** Operations that could change or sync something so far: the crash points. */
  readonly operations: number;
  readonly trace: readonly DiskTraceLine[];
  /**
   * Power fails before operation number `operations` (0-based) is carried out: it and every later
   * call throw {@link isPowerCut}.
   */
  cutPowerAt(operation: number): void;
  /** Plans a fault. Plans are independent and fire once each (or `times`). */
  plan(fault: DiskFaultPlan): void;
  /**
   * The disk as the machine finds it after the power returns. This one must not be used any more.
   *
   * Per unsynced 512-byte sector: kept, lost (old content or zeros), or torn in the middle; file
   * growth may survive without data (rule D3); unsynced truncates and names are kept or lost
   * independently (rule D2). What a failed sync covered is unknown (rule D4).
   *
   * @param seed - the choice; same disk and seed give the same result.
   */
  crash(seed: number): SimulatedDisk;
  /**
   * The disk as it is after the process was killed but the machine ran on: everything written is
   * there; locks are free.
   */
  kill(): SimulatedDisk;
  /** Flips one bit in both images, as rot does. */
  flipBit(path: string, offset: number, bit: number): void;
  /** The durable content of a file, or undefined if its name is not durable. A copy. */
  durable(path: string): Bytes | undefined;
  /** The content as readers see it. A copy. */
  content(path: string): Bytes;
  /** Ends every hanging `syncAsync`, successfully. */
  releaseHung(): void;
}

/* ---- the simulated clock, net and sockets ---- */

/** A clock that moves when told. */
export interface SimulatedClock extends Clock {
  /** Moves time forward, running what falls due in order of time, then of registration. */
  advance(ms: Ms): void;
  /** Moves to the next due callback, if there is one. */
  advanceToNext(): boolean;
  /** When the next callback is due, or Infinity. */
  nextDue(): Ms;
}

/** How links between simulated nodes behave. Delays in milliseconds, chances from 0 to 1. */
export interface LinkBehaviour {
  readonly delayMsMin: Ms;
  readonly delayMsMax: Ms;
  readonly lossChance: number;
  readonly duplicateChance: number;
  /** In order (as TCP) or each frame with its own delay. */
  readonly ordered: boolean;
}

/** A network of numbered nodes under a simulated clock. */
export interface SimulatedNetwork {
  /**
   * The net as node `self` sees it. Asking again after a restart drops what was on the way to the
   * old one.
   */
  node(self: number): Net;
  /** Cuts or heals the link from one node to another, in that direction only. */
  setLink(from: number, to: number, up: boolean): void;
  /** Only nodes of one group reach each other. Nodes named nowhere are alone. */
  partition(groups: readonly (readonly number[])[]): void;
  /** Every node reaches every other one again. */
  heal(): void;
  /** Changes the named properties for frames sent from now on. */
  setBehaviour(behaviour: Partial<LinkBehaviour>): void;
  /** Frames sent and not dropped, for budgets. */
  readonly delivered: number;
}

/** Simulated byte streams under a simulated clock, with the means to break them. */
export interface SimulatedSockets extends Sockets {
  /** Breaks every open stream between the addresses' listener and its clients. */
  resetAll(): void;
  /** No new connections and no delivery while down. */
  setUp(up: boolean): void;
  /** Changes bytes on the way: called for every chunk; return what arrives. */
  setTamper(tamper: ((chunk: Bytes) => Bytes) | null): void;
  /** The reader takes nothing while true, so that `bufferedBytes` grows. */
  setStalled(stalled: boolean): void;
}
