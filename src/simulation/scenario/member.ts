/**
 * One node of a scenario: the process model, and what its surroundings do to it. Its disk may be
 * slow, hang or fail, its clock may be wrong, its process may stand still.
 *
 * Invariant: a paused process gets no input; what arrives meanwhile waits in its inbox.
 * Chapter: 11-simulation.
 */
import type { Ms } from "#base";
import type { NodeId } from "#raft/types";
import type { ModelNode, Packet } from "../process/index.ts";

/** `instant`: every write is durable at once. `ready`: when something asks for it. */
export const DISK_STATES = ["ready", "instant", "slow", "hang", "fail"] as const;
export type DiskState = (typeof DISK_STATES)[number];

/** A sync under way on a slow disk. */
interface SyncUnderWay {
  readonly count: number;
  readonly dueAt: Ms;
}

/** What a member does by itself, without being told by the scenario. */
export interface Habits {
  /** Applies what is handed out. */
  apply: boolean;
  /** Makes the copies that peers need. */
  copy: boolean;
}

export class Member {
  readonly node: ModelNode;
  diskState: DiskState = "ready";
  syncMs: Ms = 0;
  underWay: SyncUnderWay | undefined;
  isPaused = false;
  inbox: Packet[] = [];
  readonly habits: Habits = { apply: true, copy: true };
  /** Why it stopped: an assertion of the core, or its disk. */
  haltedWith: string | undefined;
  /** The commit index that was last told. */
  commitSeen = 0;
  /** True time and local time when the clock was last set, and how fast it runs. */
  #clock = { at: 0, local: 0, rate: 1 };

  constructor(node: ModelNode) {
    this.node = node;
  }

  get id(): NodeId {
    return this.node.id;
  }

  get isUp(): boolean {
    return this.node.core !== undefined;
  }

  /** It runs and is not paused. */
  get isAwake(): boolean {
    return this.isUp && !this.isPaused;
  }

  /** What its clock shows at a true time. */
  localTime(now: Ms): Ms {
    const { at, local, rate } = this.#clock;
    return local + (now - at) * rate;
  }

  /** From now on the clock runs so fast, and has gone so far ahead. It never goes back. */
  setClock(now: Ms, rate: number, jump: Ms): void {
    this.#clock = { at: now, local: this.localTime(now) + jump, rate };
  }

  /** The true time at which its core's deadline comes; undefined: never, as it is. */
  get deadlineAt(): Ms | undefined {
    const { core } = this.node;
    if (core === undefined || this.isPaused) return undefined;
    const { at, local, rate } = this.#clock;
    if (rate === 0) return undefined;
    const due = at + (core.deadline - local) / rate;
    // Rounded up, or a fraction that got lost would let the same deadline come for ever.
    return rate === 1 ? due : Math.ceil(due);
  }

  /** May a sync end without time passing? */
  get canSyncAtOnce(): boolean {
    return this.isAwake && (this.diskState === "ready" || this.diskState === "instant");
  }
}
