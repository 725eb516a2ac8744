/**
 * The machine on which one node runs: its clock, its disk's pace, its pauses and its crashes.
 *
 * Everything that happens to the node comes through here, so that a node that is down hears
 * nothing, and one that is paused hears it later.
 * Invariant: an event of an earlier life changes nothing. Chapter: 11-simulation.
 */
import type { Ms } from "#base";
import type { Index, NodeId } from "#raft/types";
import type { ModelNode, ModelNodeOptions, Packet } from "../process/index.ts";
import { createModelNode } from "../process/index.ts";
import { type Draws, Stream } from "./draws.ts";
import type { EventQueue } from "./event-queue.ts";
import type { RunOptions } from "./types.ts";

/** Microseconds of a millisecond. */
export const MS = 1000;
/** What arrives for a paused process waits in buffers of this size; more is lost. */
const WAITING_MAX = 2000;
/** Copies take so long to make: this at least, and up to so much more. */
const COPY_MIN_MS = 5;
const COPY_MORE_MS = 60;
/** So many of a hundred copies cannot be made. */
const COPY_FAILS_PERCENT = 5;

/** What a host needs from the world. */
export interface HostWorld {
  readonly queue: EventQueue;
  readonly draws: Draws;
  readonly options: RunOptions;
  /** Nothing goes wrong any more. */
  readonly isCalm: boolean;
  /** The node's process has ended or begun: its connections are gone. */
  connectionsLost(node: NodeId): void;
}

/** A request that waits for the entry at an index to be applied here. */
export interface Waiting {
  /** The entry there carries this command; or it is another, and this one is lost. */
  readonly commandId: number;
  ended(outcome: "applied" | "lost" | "crashed", index: Index, result: unknown): void;
}

/** See the file's header. */
export class Host {
  readonly id: NodeId;
  readonly node: ModelNode;
  /** Requests by the index that they got. */
  readonly waiting = new Map<Index, Waiting>();
  /** The data directory is gone, or the node stays dead after healing. */
  isGone = false;
  /** Until when no sync ends, in microseconds; 0: they do. */
  diskHangsUntil = 0;
  /** Until when syncs take `slowSyncMs`. */
  diskSlowUntil = 0;
  slowSyncMs: Ms = 0;
  /** Until when the machine stands still. */
  machineStandsUntil = 0;
  /** The next sync ends the process; called instead. */
  failNextSync: (() => void) | undefined;
  /** Since when the sync under way has not ended, in microseconds; undefined: none is. */
  syncingSince: number | undefined;
  /** When the process last began, or woke from a pause. */
  awakeSince = 0;
  readonly #world: HostWorld;
  readonly #offset: Ms;
  readonly #rate: number;
  #life = 0;
  #paused: (() => void)[] | undefined;
  #losesMail = false;
  #timerAt = 0;
  #isWorking = false;
  #syncs = 0;
  #works = 0;
  #copies = 0;
  /** Peers for whom a copy is being made. */
  readonly #copying = new Set<NodeId>();

  constructor(world: HostWorld, options: ModelNodeOptions) {
    const { draws } = world;
    this.#world = world;
    this.id = options.raft.self;
    this.node = createModelNode(options);
    const { driftMax } = world.options;
    this.#rate = 1 + driftMax * (2 * draws.fraction(Stream.clock, this.id, 0, 1) - 1);
    this.#offset = 1000 * draws.fraction(Stream.clock, this.id, 0, 2);
  }

  get isUp(): boolean {
    return this.node.core !== undefined;
  }

  get isPaused(): boolean {
    return this.#paused !== undefined;
  }

  /** This node's clock, in milliseconds. */
  get localNow(): Ms {
    return this.localAt(this.#world.queue.now);
  }

  localAt(micros: number): Ms {
    return this.#offset + (this.#rate * micros) / MS;
  }

  start(): void {
    if (this.isUp || this.isGone) return;
    this.#life += 1;
    this.syncingSince = undefined;
    this.#isWorking = false;
    this.#timerAt = 0;
    this.#copying.clear();
    this.awakeSince = this.#world.queue.now;
    this.node.start(this.localNow);
    this.#follow();
  }

  /** The process ends. @param kept - the part, 0 to 1, of what was not synced that survives. */
  crash(kept: number): void {
    if (!this.isUp && this.node.haltedBy === undefined) return;
    const { node } = this;
    const other = this.#world.draws.fraction(Stream.crash, this.id, 0, this.#life);
    this.#life += 1;
    this.#paused = undefined;
    this.failNextSync = undefined;
    node.crash({
      writesKept: Math.floor(kept * (node.disk.pending.length + 1)),
      appliedKept: Math.floor(other * (node.machine.unsynced + 1)),
    });
    this.#world.connectionsLost(this.id);
    for (const [index, waiting] of this.waiting) waiting.ended("crashed", index, undefined);
    this.waiting.clear();
  }

  /**
   * The node is lost for good, with its disk. The checks still count what was on it: with its
   * number never given again, it is the same as a node that is down for ever.
   */
  lose(): void {
    this.crash(1);
    this.isGone = true;
  }

  /** From now until then no sync ends. */
  hangDisk(until: number): void {
    this.diskHangsUntil = until;
  }

  /** The disk, the machine and the process are as good as new. */
  repair(): void {
    this.diskHangsUntil = 0;
    this.diskSlowUntil = 0;
    this.machineStandsUntil = 0;
    this.failNextSync = undefined;
  }

  /** Stands still. @param losesMail - packets that arrive meanwhile are lost; requests are not. */
  pause(losesMail = false): void {
    if (!this.isUp || this.#paused !== undefined) return;
    this.#paused = [];
    this.#losesMail = losesMail;
  }

  /** Goes on: first its timers or first what has arrived, with or without noticing the time. */
  resume(order: { readonly timersFirst: boolean; readonly noticed: boolean }): void {
    const waiting = this.#paused;
    if (waiting === undefined) return;
    this.#paused = undefined;
    this.awakeSince = this.#world.queue.now;
    if (order.noticed) this.act(() => this.node.step(this.localNow, { kind: "stalled" }));
    if (order.timersFirst) this.act(() => this.#tickIfDue());
    for (const act of waiting) act();
  }

  /** A packet arrives. */
  receive(packet: Packet): void {
    const isLost = this.#losesMail || (this.#paused?.length ?? 0) >= WAITING_MAX;
    if (this.#paused !== undefined && isLost) return;
    this.act(() => this.node.receive(this.localNow, packet));
  }

  /**
   * Does something at the node now, or when its pause ends, or never if it crashes before that.
   *
   * @returns false if the node is down.
   */
  act(act: () => void): boolean {
    if (!this.isUp) return false;
    if (this.#paused === undefined) {
      act();
      this.#follow();
      return true;
    }
    const life = this.#life;
    this.#paused.push(() => {
      if (this.#life === life) this.act(act);
    });
    return true;
  }

  /** The machine makes all durable. */
  checkpoint(): void {
    if (this.isUp) this.node.machine.checkpoint();
  }

  /** The driver forgets all but the last `keep` entries that the machine holds durably. */
  compact(keep: number): void {
    this.act(() => {
      const upTo = this.node.machine.durableIndex - keep;
      if (upTo > this.node.log.base.index) this.node.compact(this.localNow, upTo);
    });
  }

  /** A connection to this peer broke. */
  unreachable(peer: NodeId): void {
    this.act(() => this.node.step(this.localNow, { kind: "unreachable", peer }));
  }

  /** After a step: machine, disk, copies and timer get what they need. */
  #follow(): void {
    const { node } = this;
    if (node.core === undefined) return;
    if (node.hasWork && !this.#isWorking) this.#work();
    if (node.core === undefined) return;
    if (node.disk.pending.length > 0 && this.syncingSince === undefined) this.#sync();
    if (node.copies.requests.length > 0) this.#makeCopies();
    this.#arm();
  }

  #later(micros: number, act: () => void): void {
    const life = this.#life;
    this.#world.queue.after(micros, () => {
      if (this.#life === life) this.act(act);
    });
  }

  #sync(): void {
    const { options, draws } = this.#world;
    this.syncingSince = this.#world.queue.now;
    this.#syncs += 1;
    const draw = draws.fraction(Stream.disk, this.id, 0, this.#syncs);
    const isSlow = this.#world.queue.now < this.diskSlowUntil;
    // A square of a draw, times three, has the mean 1 and a tail: most are quick, some are slow.
    const normal = options.syncMinMs + options.syncMeanMs * 3 * draw * draw;
    const syncMs = isSlow ? this.slowSyncMs * (0.5 + draw) : normal;
    const count = this.node.disk.pending.length;
    this.#later(syncMs * MS, () => this.#synced(count));
  }

  #synced(count: number): void {
    const { now } = this.#world.queue;
    if (now < this.diskHangsUntil) {
      this.#later(this.diskHangsUntil - now, () => this.#synced(count));
      return;
    }
    if (this.failNextSync !== undefined) {
      this.failNextSync();
      return;
    }
    this.syncingSince = undefined;
    this.node.sync(this.localNow, count);
  }

  #work(): void {
    const { options, draws, queue } = this.#world;
    const stands = this.machineStandsUntil - queue.now;
    if (stands <= 0 && options.applyMeanMs === 0) {
      while (this.node.hasWork && this.isUp) this.#workOnce();
      return;
    }
    this.#isWorking = true;
    this.#works += 1;
    const draw = draws.fraction(Stream.apply, this.id, 0, this.#works);
    const applyMs = options.applyMeanMs * 3 * draw * draw;
    this.#later(Math.max(stands, applyMs * MS), () => {
      this.#isWorking = false;
      this.#workOnce();
    });
  }

  #workOnce(): void {
    const { machine } = this.node;
    this.node.work(this.localNow);
    if (machine.unsynced >= this.#world.options.checkpointEntries) machine.checkpoint();
  }

  #makeCopies(): void {
    const { draws, isCalm } = this.#world;
    for (const { to } of this.node.copies.requests) {
      if (this.#copying.has(to)) continue;
      this.#copying.add(to);
      this.#copies += 1;
      const n = this.#copies;
      const copyMs = COPY_MIN_MS + COPY_MORE_MS * draws.fraction(Stream.copy, this.id, 0, n);
      const draw = 100 * draws.fraction(Stream.copy, this.id, 1, n);
      const fails = !isCalm && draw < COPY_FAILS_PERCENT;
      this.#later(copyMs * MS, () => {
        this.#copying.delete(to);
        this.node.makeCopy(this.localNow, to, fails);
      });
    }
  }

  /** Keeps one timer, at or before the deadline. One that comes too early is set again. */
  #arm(): void {
    const { deadline } = this.node.running;
    const { queue } = this.#world;
    let due = Math.max(Math.ceil(((deadline - this.#offset) * MS) / this.#rate), queue.now);
    // Rounding may leave the clock just before the deadline.
    if (this.localAt(due) < deadline) due += 1;
    if (this.#timerAt > 0 && this.#timerAt <= due) return;
    this.#timerAt = due;
    const life = this.#life;
    queue.at(due, () => {
      if (this.#life !== life || this.#timerAt !== due) return;
      this.#timerAt = 0;
      this.act(() => this.#tickIfDue());
    });
  }

  #tickIfDue(): void {
    const { core } = this.node;
    if (core === undefined) return;
    const now = this.localNow;
    if (now >= core.deadline) this.node.step(now, { kind: "tick" });
  }
}
