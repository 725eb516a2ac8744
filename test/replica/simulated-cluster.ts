/**
 * A cluster of real replicas on simulated disks, net and clock, all in one thread and from one
 * seed.
 *
 * What a crash takes is what the simulated disk says: memory, unsynced sectors, unsynced names. The
 * state machine loses what it had not made durable, as SQLite does.
 */
import {
  createSimulatedClock,
  createSimulatedDisk,
  createSimulatedNetwork,
  seededRandom,
} from "#platform";
import type { Disk, SimulatedClock, SimulatedDisk, SimulatedNetwork } from "#platform/types";
import * as reference from "#replica";
import { createConfiguration, encodeConfiguration, encodeEntry } from "#replica";
import type {
  Configuration,
  ProposalFailure,
  ReadOutcome,
  Replica,
  ReplicaOptions,
} from "#replica/types";
import { type AppliedCommand, RememberingApplier } from "./remembering-applier.ts";

/** What a cluster is built from: the reference, or a copy with a mistake in it. */
export type ReplicaParts = Pick<
  typeof reference,
  "createReplica" | "finishInstall" | "openRaftLog"
>;

/** How a proposal ended, if it did. */
export type Fate = "open" | "acknowledged" | ProposalFailure;

/** One node: a disk that outlives its processes. */
export class SimulatedNode {
  readonly number: number;
  disk: SimulatedDisk;
  applier: RememberingApplier;
  replica: Replica | undefined;
  fatal: Error | undefined;
  readonly reads = new Map<number, ReadOutcome>();
  readonly notices: string[] = [];

  constructor(number: number, disk: SimulatedDisk, applier: RememberingApplier) {
    this.number = number;
    this.disk = disk;
    this.applier = applier;
  }

  get isUp(): boolean {
    return this.replica !== undefined;
  }
}

/** See the file's header. */
export class SimulatedCluster {
  readonly clock: SimulatedClock = createSimulatedClock();
  readonly network: SimulatedNetwork;
  readonly configuration: Configuration;
  readonly nodes: SimulatedNode[] = [];
  readonly fates = new Map<number, Fate>();
  /** The place in the log of the last write that a client was told of. */
  highestAcknowledged = 0;
  readonly #seed: number;
  readonly #syncDelayMs: number;
  readonly #applyDelayMs: number;
  readonly #syncMode: "adaptive" | "async";
  readonly #parts: ReplicaParts;
  readonly #options: Partial<ReplicaOptions>;
  #nextProposal = 1;
  #crashes = 0;

  constructor(options: {
    size: number;
    seed: number;
    syncDelayMs?: number;
    applyDelayMs?: number;
    syncMode?: "adaptive" | "async";
    parts?: ReplicaParts;
    options?: Partial<ReplicaOptions>;
  }) {
    this.#options = options.options ?? {};
    this.#seed = options.seed;
    this.#syncMode = options.syncMode ?? "async";
    this.#parts = options.parts ?? reference;
    this.#syncDelayMs = options.syncDelayMs ?? 0;
    this.#applyDelayMs = options.applyDelayMs ?? 0;
    this.network = createSimulatedNetwork({ clock: this.clock, seed: options.seed });
    const members = Array.from({ length: options.size }, (_, n) => ({
      id: `n${n + 1}`,
      address: `h:${n + 1}`,
      incarnation: `${n + 1}`,
    }));
    this.configuration = createConfiguration(members);
    for (const { number } of this.configuration.members) this.#addNode(number);
  }

  #addNode(number: number): SimulatedNode {
    const disk = createSimulatedDisk({ seed: this.#seed * 31 + number, clock: this.clock });
    const applier = this.#applier(disk, { commands: [], appliedIndex: 0 });
    const node = new SimulatedNode(number, disk, applier);
    this.nodes.push(node);
    return node;
  }

  /** Starts a node that a leader has just added: it has nothing, and waits. */
  async join(number: number): Promise<SimulatedNode> {
    const node = this.#addNode(number);
    await this.start(node);
    return node;
  }

  node(number: number): SimulatedNode {
    const found = this.nodes.find((node) => node.number === number);
    if (found === undefined) throw new Error(`no node ${number}`);
    return found;
  }

  /** What comes of it while time goes on. */
  async settled<T>(promise: Promise<T>, limitMs = 20_000): Promise<T> {
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    promise.then(settle, settle);
    await this.runUntil(() => isSettled, limitMs, "what was promised");
    return promise;
  }

  #applier(
    disk: Disk,
    start: { commands: readonly AppliedCommand[]; appliedIndex: number },
  ): RememberingApplier {
    return new RememberingApplier(
      disk,
      start,
      (f) => void this.clock.after(this.#applyDelayMs, f),
      (proposalId, index) => {
        this.#end(proposalId, "acknowledged");
        this.highestAcknowledged = Math.max(this.highestAcknowledged, index);
      },
    );
  }

  /** A client is told once; what comes after must not contradict it. */
  #end(id: number, fate: Fate): void {
    const told = this.fates.get(id);
    if (told !== "open") throw new Error(`proposal ${id} was ${told}, and is now ${fate}`);
    this.fates.set(id, fate);
  }

  async startAll(): Promise<void> {
    for (const node of this.nodes) await this.start(node);
  }

  async start(node: SimulatedNode): Promise<void> {
    if (this.#syncDelayMs > 0) {
      // Slower than the net, so that whoever speaks before the disk has answered is found out.
      const fault = { operation: "sync", fault: "slow", delayMs: this.#syncDelayMs } as const;
      node.disk.plan({ ...fault, after: 0, times: Number.MAX_SAFE_INTEGER });
    }
    const { log } = this.#parts.openRaftLog({
      disk: node.disk,
      dir: "/log",
      segmentBytesMax: 4096,
    });
    const isFounder = this.configuration.members.some(({ number }) => number === node.number);
    if (isFounder && log.state.configuration === undefined) {
      const bytes = encodeEntry("configuration", encodeConfiguration(this.configuration));
      log.write({ hardState: { term: 1, vote: 0 }, entries: [{ index: 1, term: 1, bytes }] });
      log.sync().catch(() => undefined);
      await this.run((this.#syncDelayMs || 1) * 2);
    }
    const appliedIndex = this.#parts.finishInstall({
      ...{ disk: node.disk, dir: "/snapshots", log, applier: node.applier },
      appliedIndex: node.applier.appliedIndex,
    });
    const random = seededRandom(this.#seed * 977 + node.number * 13 + this.#crashes);
    node.replica = this.#parts.createReplica({
      self: node.number,
      configuration: this.configuration,
      log,
      net: this.network.node(node.number),
      clock: this.clock,
      random,
      applier: node.applier,
      appliedIndex: await this.#opened(appliedIndex),
      ...{ disk: node.disk, snapshotDir: "/snapshots", ...this.#options },
      onNotice: (text) => void node.notices.push(text),
      syncMode: this.#syncMode,
      onFatal: (error) => {
        node.fatal = error;
      },
    });
    node.replica.onFailure((id, failure) => this.#end(id, failure));
    node.replica.onRead((id, outcome) => node.reads.set(id, outcome));
  }

  /** What a promise comes to before the node runs. */
  async #opened<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    promise.then(settle, settle);
    for (let turn = 0; turn < 100; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (isSettled) break;
      this.clock.advance(1);
    }
    return promise;
  }

  /** The process dies; `power` also takes what the disk had not synced. */
  crash(node: SimulatedNode, how: "kill" | "power"): void {
    this.#crashes += 1;
    void node.replica?.close().catch(() => undefined);
    node.replica = undefined;
    node.disk = how === "kill" ? node.disk.kill() : node.disk.crash(this.#seed + this.#crashes);
    node.applier = this.#applier(
      node.disk,
      how === "kill"
        ? { commands: node.applier.commands, appliedIndex: node.applier.appliedIndex }
        : node.applier.remains(),
    );
  }

  /** Moves time on in small steps, letting promises settle in between. */
  async run(ms: number, stepMs = 5): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.clock.advance(stepMs);
      await new Promise((resolve) => setImmediate(resolve));
      const dead = this.nodes.find((node) => node.fatal !== undefined);
      if (dead?.fatal !== undefined) throw dead.fatal;
    }
  }

  async runUntil(condition: () => boolean, limitMs: number, what: string): Promise<void> {
    for (let passed = 0; passed < limitMs; passed += 5) {
      if (condition()) return;
      await this.run(5);
    }
    const states = this.nodes.map((node) => JSON.stringify(node.replica?.status() ?? "down"));
    throw new Error(`not within ${limitMs} ms: ${what}\n${states.join("\n")}`);
  }

  leader(): SimulatedNode | undefined {
    const leaders = this.nodes.filter((node) => node.replica?.status().role === "leader");
    const term = (node: SimulatedNode): number => node.replica?.status().term ?? 0;
    return leaders.sort((a, b) => term(b) - term(a))[0];
  }

  /** The leader, which must be there. */
  mustLead(): SimulatedNode {
    const leader = this.leader();
    if (leader === undefined) throw new Error("no leader");
    return leader;
  }

  followers(): SimulatedNode[] {
    return this.nodes.filter((node) => node.isUp && node !== this.leader());
  }

  /** Cuts a node off from all others. */
  isolate(node: SimulatedNode): void {
    const others = this.nodes.filter((other) => other !== node).map((other) => other.number);
    this.network.partition([[node.number], others]);
  }

  /** Proposes many texts and waits until the last is acknowledged. */
  async write(count: number, bytes = 200): Promise<void> {
    for (let n = 0; n < count; n += 1) {
      const id = this.propose(this.mustLead(), `${n} ${"x".repeat(bytes)}`);
      if (n % 10 !== 9 && n !== count - 1) continue;
      await this.runUntil(() => this.fates.get(id) === "acknowledged", 5000, `write ${n}`);
    }
  }

  /** Proposes a text at a node. @returns its number, for `fates`. */
  propose(node: SimulatedNode, text: string): number {
    const id = this.#nextProposal;
    this.#nextProposal += 1;
    this.fates.set(id, "open");
    const payload = new TextEncoder().encode(text);
    node.replica?.propose(id, encodeEntry("command", payload, { timeMs: 1, seed: 1n }));
    return id;
  }
}
