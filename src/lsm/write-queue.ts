/**
 * Writes on their way: gathered into groups in call order, and carried out together.
 *
 * Whoever writes in one turn shares one record of the log, one write to the file and one promise.
 * Nobody lingers: the group is carried out in the next microtask. Invariant: groups are carried out
 * in the order in which they were begun, each before any member hears of it.
 * Chapter: 04-lsm, "The write path"
 */
import { type Bytes, CairnError, type Cancel, type Ms } from "#base";
import { atTurnEnd } from "#platform";
import type { Clock } from "#platform/types";
import { GROUP_BYTES_MAX, GROUP_OPERATIONS_MAX, WAITING_BYTES_MAX } from "./options.ts";
import { createOperations, type Operations } from "./write-group.ts";

/**
 * A caller that awaits each write in a loop lives in microtasks, and nothing else on its thread
 * would ever run. After so long the next group waits for the event loop to turn once.
 */
const TURN_MS_MAX: Ms = 5;
/** Looking at the clock costs something: once for so many operations. They take about 100 us. */
const OPERATIONS_PER_LOOK = 64;
/** What a group is delayed by while level 0 is long. */
const SLOWDOWN_MS: Ms = 1;
/** One delay for so many bytes, so that many small writes wait no longer than one large one. */
const SLOWDOWN_BYTES = 16 * 1024;

/** What a group meets when its turn comes: an error refuses it. */
export type Admission = "go" | "slow" | "wait" | CairnError;

/** Where groups go. */
export interface GroupSink {
  admit(): Admission;
  /** Writes a group to the log and applies it. @throws what the members are told. */
  carryOut(operations: Operations): void;
  /** Makes what was carried out so far durable. @throws disk errors. */
  makeDurable(): Promise<unknown>;
  /** A group was delayed for so long. */
  slowed(ms: Ms): void;
}

/** How a queue behaves. */
export interface QueueOptions {
  readonly sink: GroupSink;
  readonly clock: Clock;
  /** Whether a group may be delayed, and the loop be given a turn. Not where a test steps. */
  readonly mayDelay: boolean;
}

/** The queue of one engine. */
export type WriteQueue = GroupQueue;

/** Makes an empty queue. */
export function createWriteQueue(options: QueueOptions): WriteQueue {
  return new GroupQueue(options);
}

class GroupQueue {
  readonly #sink: GroupSink;
  readonly #clock: Clock;
  readonly #mayDelay: boolean;
  readonly #groups: Group[] = [];
  /** A buffer that the last group has left behind. */
  #spare: Operations | null = null;
  #waitingBytes = 0;
  #isScheduled = false;
  #isDraining = false;
  #delay: Cancel | null = null;
  #delayFrom: Ms = 0;
  /** What may still be written before the next delay. */
  #undelayedBytes = 0;
  /** When the present turn of the event loop was first seen; -1: not yet. */
  #turnFrom: Ms = -1;
  #operationsUntilLook = OPERATIONS_PER_LOOK;
  readonly #drainLater = (): void => {
    this.#isScheduled = false;
    this.drain();
  };
  readonly #turnEnded = (): void => {
    this.#turnFrom = -1;
  };

  constructor({ sink, clock, mayDelay }: QueueOptions) {
    this.#sink = sink;
    this.#clock = clock;
    this.#mayDelay = mayDelay;
  }

  get isEmpty(): boolean {
    return this.#groups.length === 0;
  }

  put(key: Bytes, value: Bytes, sync: boolean): Promise<void> {
    const bytes = key.length + value.length;
    if (this.#isOverfull(bytes)) return Promise.reject(overfull(this.#waitingBytes));
    const group = this.#join(bytes);
    group.operations.put(key, value);
    return group.promise(sync);
  }

  delete(key: Bytes, sync: boolean): Promise<void> {
    if (this.#isOverfull(key.length)) return Promise.reject(overfull(this.#waitingBytes));
    const group = this.#join(key.length);
    group.operations.delete(key);
    return group.promise(sync);
  }

  write(operations: Operations, sync: boolean): Promise<void> {
    const bytes = operations.userBytes;
    if (this.#isOverfull(bytes)) return Promise.reject(overfull(this.#waitingBytes));
    const group = this.#join(bytes);
    group.operations.append(operations);
    return group.promise(sync);
  }

  /** Carries out every group that may go now. @param atOnce - without being slowed down. */
  drain(atOnce = false): void {
    if (this.#isDraining || (this.#delay !== null && !atOnce)) return;
    this.#isDraining = true;
    try {
      while (this.#groups.length > 0) {
        const admission = this.#sink.admit();
        if (admission === "wait") return;
        if (admission === "slow" && !atOnce && this.#startDelay()) return;
        const group = this.#take();
        if (typeof admission === "string") this.#carryOut(group);
        else group.reject(admission);
      }
    } finally {
      this.#isDraining = false;
    }
  }

  /** Rejects whatever still waits. */
  rejectAll(error: CairnError): void {
    this.#delay?.();
    this.#delay = null;
    while (this.#groups.length > 0) this.#take().reject(error);
  }

  #isOverfull(bytes: number): boolean {
    return this.#waitingBytes > 0 && this.#waitingBytes + bytes > WAITING_BYTES_MAX;
  }

  /** The group that takes the next operations. */
  #join(bytes: number): Group {
    this.#waitingBytes += bytes;
    const last = this.#groups[this.#groups.length - 1];
    if (last !== undefined && !last.isFull(bytes)) return last;
    const group = new Group(this.#spare ?? createOperations());
    this.#spare = null;
    this.#groups.push(group);
    this.#schedule();
    return group;
  }

  #schedule(): void {
    if (this.#isScheduled || this.#delay !== null) return;
    this.#isScheduled = true;
    if (this.#mayDelay && this.#isLongTurn()) atTurnEnd(this.#drainLater);
    else queueMicrotask(this.#drainLater);
  }

  #isLongTurn(): boolean {
    if (this.#turnFrom < 0) {
      this.#turnFrom = this.#clock.now();
      atTurnEnd(this.#turnEnded);
      return false;
    }
    if (this.#operationsUntilLook > 0) return false;
    this.#operationsUntilLook = OPERATIONS_PER_LOOK;
    return this.#clock.now() - this.#turnFrom > TURN_MS_MAX;
  }

  #take(): Group {
    const group = this.#groups.shift()!;
    this.#operationsUntilLook -= group.operations.count;
    // The last one leaves nothing behind; what varints and kinds took was never counted.
    this.#waitingBytes = this.#groups.length === 0 ? 0 : this.#waitingBytes - group.userBytes;
    return group;
  }

  #carryOut(group: Group): void {
    try {
      this.#sink.carryOut(group.operations);
    } catch (error) {
      group.reject(error);
      return;
    } finally {
      group.operations.clear();
      this.#spare = group.operations;
    }
    group.resolve();
    if (group.hasSync) void group.settleSync(this.#sink.makeDurable());
  }

  /** @returns false if the next group may go at once. */
  #startDelay(): boolean {
    const group = this.#groups[0]!;
    if (this.#undelayedBytes > 0) {
      this.#undelayedBytes -= group.userBytes;
      return false;
    }
    this.#undelayedBytes = SLOWDOWN_BYTES;
    if (!this.#mayDelay) {
      this.#sink.slowed(0);
      return false;
    }
    this.#delayFrom = this.#clock.now();
    this.#delay = this.#clock.after(SLOWDOWN_MS, () => {
      this.#delay = null;
      this.#sink.slowed(this.#clock.now() - this.#delayFrom);
      this.drain();
    });
    return true;
  }
}

/** Writes that are carried out together, and the promises of those who wait for them. */
class Group {
  readonly operations: Operations;
  #written: Deferred | null = null;
  #synced: Deferred | null = null;

  constructor(operations: Operations) {
    this.operations = operations;
  }

  get userBytes(): number {
    return this.operations.userBytes;
  }

  get hasSync(): boolean {
    return this.#synced !== null;
  }

  isFull(bytes: number): boolean {
    return (
      this.operations.count >= GROUP_OPERATIONS_MAX ||
      this.operations.bytes + bytes > GROUP_BYTES_MAX
    );
  }

  promise(sync: boolean): Promise<void> {
    if (sync) {
      this.#synced ??= new Deferred();
      return this.#synced.promise;
    }
    this.#written ??= new Deferred();
    return this.#written.promise;
  }

  resolve(): void {
    this.#written?.resolve();
  }

  reject(error: unknown): void {
    this.#written?.reject(error);
    this.#synced?.reject(error);
  }

  /** Never rejects: the members hear of it. */
  async settleSync(durable: Promise<unknown>): Promise<void> {
    try {
      await durable;
      this.#synced?.resolve();
    } catch (error) {
      this.#synced?.reject(error);
    }
  }
}

class Deferred {
  readonly promise: Promise<void>;
  resolve!: () => void;
  reject!: (error: unknown) => void;

  constructor() {
    this.promise = new Promise<void>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

function overfull(bytes: number): CairnError {
  return new CairnError("LSM_STALLED", `lsm: ${bytes} bytes of writes wait already`, {
    details: { bytes },
  });
}
