/**
 * One node: a simulated disk that outlives its processes, and the process of the moment: the real
 * Raft log, the real driver and a real SQLite database in memory, imaged on that disk.
 *
 * Invariant: a process that dies leaves nothing behind but its disk. It may die of a power cut or
 * of a disk that failed; whatever else it dies of is a broken promise (G0).
 * Chapter: 11-simulation.
 */
import { type Bytes, errorText, isCairnError, type Ms } from "#base";
import { createSimulatedDisk, isPowerCut, mixSeeds, seededRandom } from "#platform";
import type { SimulatedClock, SimulatedDisk, SimulatedNetwork } from "#platform/types";
import type {
  Applier,
  CommittedEntry,
  Configuration,
  ProposalFailure,
  RaftLog,
  ReadOutcome,
  Replica,
  ReplicaStatus,
} from "#replica/types";
import type { SqliteMachine } from "#sqlite/types";
import { type BrokenInvariant, brokenInvariant } from "../invariants/index.ts";
import { Gate } from "./gate.ts";
import type { RealOptions, RealParts } from "./types.ts";

/** Names the streams of chance of a node. */
const Stream = { disk: 201, crash: 202, life: 203 } as const;
/** So many segments are in a log of the size that is kept. */
const SEGMENTS = 4;
/** For syncs that are all slow. */
const FOREVER: number = Number.MAX_SAFE_INTEGER;

/** What a node tells the world. */
export interface NodeEvents {
  readonly onFrame: (from: number, to: number, frame: Bytes) => void;
  readonly onApplied: (node: RealNode, entry: CommittedEntry) => void;
  readonly onResult: (node: RealNode, id: number, index: number, result: Bytes) => void;
  readonly onFailure: (node: RealNode, id: number, failure: ProposalFailure) => void;
  readonly onRead: (node: RealNode, id: number, outcome: ReadOutcome) => void;
  readonly onRole: (node: RealNode, status: ReplicaStatus) => void;
  readonly onInstalled: (node: RealNode) => void;
  readonly onDied: (node: RealNode) => void;
  readonly onNote: (text: string) => void;
  readonly onBroken: (broken: BrokenInvariant) => void;
}

/** What a node is made of. */
export interface NodeParts {
  readonly parts: RealParts;
  readonly options: RealOptions;
  readonly clock: SimulatedClock;
  readonly network: SimulatedNetwork;
  readonly events: NodeEvents;
}

/** How a process ends: alone, or with the machine. */
export type Death = "kill" | "power";

/** See the file's header. */
export class RealNode {
  readonly number: number;
  readonly configuration: Configuration;
  readonly isFounder: boolean;
  readonly gate: Gate;
  readonly #parts: NodeParts;
  readonly #diskSeed: number;
  disk: SimulatedDisk;
  replica: Replica | undefined;
  machine: SqliteMachine | undefined;
  state: "down" | "booting" | "up" | "stopping" = "down";
  /** A disk error is planned: the process may die of it. */
  isDoomed = false;
  /** The power is to fail at a disk operation to come. */
  #isCutPlanned = false;
  /** Something is planned for the disk that is not over yet. */
  hasPlans = false;
  #life = 0;

  constructor(
    parts: NodeParts,
    node: {
      readonly number: number;
      readonly configuration: Configuration;
      readonly isFounder: boolean;
    },
  ) {
    this.#parts = parts;
    this.number = node.number;
    this.configuration = node.configuration;
    this.isFounder = node.isFounder;
    this.gate = new Gate(parts.clock);
    this.#diskSeed = mixSeeds(parts.options.seed, Stream.disk, this.number);
    this.disk = createSimulatedDisk({ seed: this.#diskSeed, clock: parts.clock });
  }

  /** The replica's facts while it runs. */
  status(): ReplicaStatus | undefined {
    return this.replica?.status();
  }

  /** Starts a process; it runs once time has gone on. */
  start(): void {
    if (this.state !== "down") return;
    const life = this.gate.nextLife();
    this.#life = life;
    this.state = "booting";
    this.#note("starts");
    this.#boot(life).catch((error: unknown) => this.#onFatal(life, error));
  }

  /** The process dies, and perhaps the machine with it. */
  die(how: Death): void {
    if (this.state === "down") return;
    this.#note(how === "kill" ? "is killed" : "loses power");
    this.#end();
    const seed = mixSeeds(this.#diskSeed, Stream.crash, this.#life);
    this.disk = how === "kill" ? this.disk.kill() : this.disk.crash(seed);
    this.isDoomed = false;
    this.hasPlans = false;
    this.#isCutPlanned = false;
    this.#parts.events.onDied(this);
  }

  /** The process ends in good order, if it gets to that: a hung disk may keep it. */
  async stop(transferMs: Ms): Promise<void> {
    const { replica, machine } = this;
    const life = this.#life;
    if (replica === undefined || machine === undefined || this.state !== "up") return;
    this.state = "stopping";
    this.#note("is to stop");
    try {
      await replica.close({ transferMs });
      if (!this.gate.isAlive(life)) return;
      machine.close();
      this.machine = undefined;
      this.die("kill");
    } catch (error) {
      this.#onFatal(life, error);
    }
  }

  /** Power fails at the disk operation that comes after so many others; Infinity: not any more. */
  cutPowerAfter(operations: number): void {
    this.disk.cutPowerAt(this.disk.operations + operations);
    this.#isCutPlanned = true;
  }

  /** A process may live through the error of a disk, but not through the loss of its power. */
  noticePowerCut(): void {
    if (!this.#isCutPlanned) return;
    try {
      this.disk.exists("/");
    } catch (error) {
      if (!isPowerCut(error)) throw error;
      this.die("power");
    }
  }

  /** Frees the connection at the end of a run. */
  release(): void {
    const { machine } = this;
    this.machine = undefined;
    this.replica = undefined;
    this.gate.nextLife();
    try {
      machine?.close();
    } catch {
      // The image does not matter any more.
    }
  }

  #end(): void {
    this.gate.nextLife();
    // Frames to the old process are lost, and whatever it still sends.
    this.#parts.network.node(this.number);
    const { replica } = this;
    this.replica = undefined;
    this.machine = undefined;
    this.state = "down";
    // Only for the sake of what it waits for: its clock, net and disk are gone.
    replica?.close().catch(() => undefined);
  }

  async #boot(life: number): Promise<void> {
    const { parts, options, clock: worldClock, events } = this.#parts;
    const { syncDelayMs } = options;
    if (syncDelayMs > 0) {
      const slow = { operation: "sync", fault: "slow", delayMs: syncDelayMs } as const;
      this.disk.plan({ ...slow, after: 0, times: FOREVER });
    }
    const segmentBytesMax = Math.max(2048, Math.ceil(options.logKeepBytesMax / SEGMENTS));
    const { log } = parts.replica.openRaftLog({ disk: this.disk, dir: "/log", segmentBytesMax });
    const machine = this.#openMachine(life);
    const applier = this.#applierOf(machine, life);
    if (this.isFounder && log.state.configuration === undefined) await this.#found(log);
    const appliedIndex = await parts.replica.finishInstall({
      ...{ disk: this.disk, dir: "/snapshots", log, applier },
      appliedIndex: machine.appliedIndex(),
    });
    if (!this.gate.isAlive(life)) return;
    this.machine = machine;
    this.state = "up";
    this.#note(`runs, applied ${appliedIndex}, log ${log.compactedIndex + 1}..${log.lastIndex}`);
    events.onNote(`node ${this.number} at ${worldClock.now().toFixed(3)}`);
    this.replica = this.#run(life, { log, applier, appliedIndex });
  }

  async #found(log: RaftLog): Promise<void> {
    const { encodeConfiguration, encodeEntry } = this.#parts.parts.replica;
    const bytes = encodeEntry("configuration", encodeConfiguration(this.configuration));
    log.write({ hardState: { term: 1, vote: 0 }, entries: [{ index: 1, term: 1, bytes }] });
    await log.sync();
  }

  #openMachine(life: number): SqliteMachine {
    const { parts, options, events } = this.#parts;
    const { checkpointBytes } = options;
    const machine = parts.sqlite.openSqliteMachine({
      ...{ path: "/db", checkpointBytes, memory: { disk: this.disk } },
    });
    const applyBatch: SqliteMachine["applyBatch"] = (entries) => {
      const before = machine.appliedIndex();
      if (entries[0] !== undefined && entries[0].index !== before + 1) {
        const text = `applies entry ${entries[0].index} to a state of ${before}`;
        events.onBroken(brokenInvariant("G4", this.number, text));
      }
      const results = machine.applyBatch(entries);
      if (this.gate.isAlive(life)) for (const entry of entries) events.onApplied(this, entry);
      return results;
    };
    const restore: SqliteMachine["restore"] = (path, index) => {
      machine.restore(path, index);
      this.#note(`installs a copy at ${index}`);
      if (this.gate.isAlive(life)) events.onInstalled(this);
    };
    // The rest is the machine's own.
    return new Proxy(machine, {
      get: (target, name) => {
        if (name === "applyBatch") return applyBatch;
        if (name === "restore") return restore;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  #applierOf(machine: SqliteMachine, life: number): Applier {
    const { parts, options, events } = this.#parts;
    const clock = this.gate.clock(life);
    return parts.replica.createLocalApplier({
      machine,
      schedule: (work) => void clock.after(options.applyDelayMs, work),
      onResult: (id, index, result) => {
        if (this.gate.isAlive(life)) events.onResult(this, id, index, result);
      },
      onFatal: (error) => this.#onFatal(life, error),
    });
  }

  #run(
    life: number,
    opened: { readonly log: RaftLog; readonly applier: Applier; readonly appliedIndex: number },
  ): Replica {
    const { parts, options, network, events } = this.#parts;
    const { electionTimeoutMs, heartbeatMs, leaseMs, syncMode } = options;
    const { logKeepBytesMax, snapshotChunkBytesMax } = options;
    const replica = parts.replica.createReplica({
      ...{ self: this.number, configuration: this.configuration, disk: this.disk, ...opened },
      ...{ electionTimeoutMs, heartbeatMs, leaseMs, syncMode },
      ...{ logKeepBytesMax, snapshotChunkBytesMax, snapshotDir: "/snapshots" },
      clock: this.gate.clock(life),
      random: seededRandom(mixSeeds(options.seed, Stream.life, this.number, life)),
      net: this.gate.net(life, network.node(this.number), (from, frame) =>
        events.onFrame(from, this.number, frame),
      ),
      onFatal: (error) => this.#onFatal(life, error),
      onBadFrame: (peer, error) => {
        const text = `does not understand node ${peer}: ${error.message}`;
        events.onBroken(brokenInvariant("G0", this.number, text, error));
      },
      onNotice: (text) => this.#note(`says: ${text}`),
    });
    const ifAlive =
      <T extends unknown[]>(f: (...given: T) => void) =>
      (...given: T): void => {
        if (this.gate.isAlive(life)) f(...given);
      };
    replica.onFailure(ifAlive((id, failure) => events.onFailure(this, id, failure)));
    replica.onRead(ifAlive((id, outcome) => events.onRead(this, id, outcome)));
    replica.onRole(ifAlive((status) => events.onRole(this, status)));
    replica.onDiverged(
      ifAlive(({ index }) => {
        const text = `has a state that differs from the others' at ${index}`;
        events.onBroken(brokenInvariant("G7", this.number, text));
      }),
    );
    return replica;
  }

  /** A process may end itself; the machine goes on, unless it was the power. */
  #onFatal(life: number, error: unknown): void {
    if (!this.gate.isAlive(life)) return;
    this.#note(`dies: ${errorText(error)}`);
    if (!isPowerCut(error) && !(this.isDoomed && isOfTheDisk(error))) {
      const text = `dies of itself: ${errorText(error)}`;
      this.#parts.events.onBroken(brokenInvariant("G0", this.number, text, error));
    }
    this.die(isPowerCut(error) ? "power" : "kill");
  }

  #note(text: string): void {
    this.#parts.events.onNote(`node ${this.number} ${text}`);
  }
}

/** Longest chain of causes looked through. */
const CAUSES_MAX = 8;

function isOfTheDisk(error: unknown): boolean {
  let current = error;
  for (let depth = 0; depth < CAUSES_MAX && current instanceof Error; depth += 1) {
    if (isCairnError(current) && /^(DISK_(IO|FULL)|WAL_POISONED)$/.test(current.code)) return true;
    current = current.cause;
  }
  return false;
}
