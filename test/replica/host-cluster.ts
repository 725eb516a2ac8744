/**
 * Whole hosts on simulated disks, sockets and clock: what a process does around its replica, in one
 * thread.
 */
import {
  createSimulatedClock,
  createSimulatedDisk,
  createSimulatedSockets,
  seededRandom,
} from "#platform";
import type { SimulatedClock, SimulatedDisk, SimulatedSockets } from "#platform/types";
import {
  type ConsensusSettings,
  createConfiguration,
  encodeEntry,
  openReplicaHost,
  type ReplicaHost,
  serveRpc,
} from "#replica";
import type { Configuration } from "#replica/types";
import { RememberingApplier } from "./remembering-applier.ts";

/** One process after the other on one disk. */
export class SimulatedHost {
  readonly id: string;
  disk: SimulatedDisk;
  applier: RememberingApplier;
  host: ReplicaHost | undefined;
  isSound = true;
  readonly notices: string[] = [];
  /** How long its state machine takes for a batch. */
  applyMs = 0;
  readonly acknowledged = new Set<number>();

  constructor(id: string, disk: SimulatedDisk, applier: RememberingApplier) {
    this.id = id;
    this.disk = disk;
    this.applier = applier;
  }

  get texts(): string[] {
    return this.applier.commands.map(({ text }) => text);
  }
}

/** See the file's header. */
export class HostCluster {
  readonly clock: SimulatedClock = createSimulatedClock();
  readonly sockets: SimulatedSockets = createSimulatedSockets({ clock: this.clock, seed: 1 });
  readonly hosts: SimulatedHost[] = [];
  readonly #settings: Partial<ConsensusSettings>;
  #nextProposal = 1;
  #starts = 0;

  constructor(settings: Partial<ConsensusSettings> = {}) {
    this.#settings = settings;
  }

  #applierOf(host: SimulatedHost | undefined, disk: SimulatedDisk): RememberingApplier {
    const { commands = [], appliedIndex = 0 } = host?.applier ?? {};
    return new RememberingApplier(
      disk,
      { commands, appliedIndex },
      (f) => void this.clock.after(host?.applyMs ?? 0, f),
      (proposalId) =>
        void this.hosts.find(({ id }) => id === host?.id)?.acknowledged.add(proposalId),
    );
  }

  add(id: string): SimulatedHost {
    const disk = createSimulatedDisk({ clock: this.clock, seed: 1 + this.hosts.length });
    disk.makeDir("/data");
    const host = new SimulatedHost(id, disk, this.#applierOf(undefined, disk));
    this.hosts.push(host);
    host.applier = this.#applierOf(host, disk);
    return host;
  }

  /** Starts a process; `address` may differ from the last one's. */
  async start(node: SimulatedHost, address = `${node.id}:1`): Promise<ReplicaHost> {
    this.#starts += 1;
    const host = await openReplicaHost({
      ...{ disk: node.disk, clock: this.clock, sockets: this.sockets },
      random: seededRandom(this.#starts),
      settings: {
        ...{ dataDir: "/data", nodeId: node.id, address },
        ...{ electionTimeoutMs: 1000, heartbeatMs: 100, ...this.#settings },
      },
      events: {
        onNotice: (text) => void node.notices.push(text),
        onFatal: (error) => {
          throw error;
        },
        onFailure: () => undefined,
        onRead: () => undefined,
        onRole: () => undefined,
        onConfiguration: () => undefined,
        onSound: (isSound) => {
          node.isSound = isSound;
        },
      },
    });
    node.host = host;
    const nobody = (): Promise<Uint8Array> => Promise.reject(new Error("nobody answers that"));
    serveRpc(host.port, (method, payload) => host.answer(method, payload) ?? nobody());
    await this.settled(host.start(node.applier, node.applier.appliedIndex));
    return host;
  }

  /** The process is killed; the machine runs on. */
  async kill(node: SimulatedHost): Promise<void> {
    const { host } = node;
    node.host = undefined;
    await this.settled(host?.close().catch(() => undefined) ?? Promise.resolve());
    node.disk = node.disk.kill();
    node.applier = this.#applierOf(node, node.disk);
  }

  /** Starts nodes and founds a cluster of them. */
  async found(...ids: string[]): Promise<Configuration> {
    const nodes = ids.map((id) => this.add(id));
    for (const node of nodes) await this.start(node);
    const members = nodes.map(({ id, host }) => ({
      ...{ id, address: `${id}:1`, incarnation: host?.identity.incarnation ?? "" },
    }));
    const configuration = createConfiguration(members);
    for (const { host } of nodes) {
      await this.settled(host?.bootstrap(configuration) ?? Promise.reject(new Error("down")));
    }
    await this.runUntil(() => this.leader() !== undefined, 10_000, "a leader");
    return configuration;
  }

  /** Adds a node at the leader, and tells the node. */
  async join(node: SimulatedHost, voter = true, address = `${node.id}:1`): Promise<number> {
    const { host } = node;
    const leader = this.mustLead().host?.replica;
    if (host === undefined || leader === undefined) throw new Error("down");
    const { incarnation } = host.identity;
    const configuration = await this.settled(
      leader.change({ kind: "add", member: { id: node.id, address, incarnation }, voter }),
    );
    const own = configuration.members.find(({ id }) => id === node.id);
    if (own === undefined) throw new Error(`${node.id} was not added`);
    await this.settled(host.join({ number: own.number, configuration }));
    return own.number;
  }

  leader(): SimulatedHost | undefined {
    const term = (node: SimulatedHost): number => node.host?.replica?.status().term ?? 0;
    return this.hosts
      .filter(({ host }) => host?.replica?.status().role === "leader")
      .sort((a, b) => term(b) - term(a))[0];
  }

  mustLead(): SimulatedHost {
    const leader = this.leader();
    if (leader === undefined) throw new Error("no leader");
    return leader;
  }

  /** Writes texts at the leader, until the last is acknowledged. */
  async write(...texts: string[]): Promise<void> {
    const leader = this.mustLead();
    const encoder = new TextEncoder();
    let id = 0;
    for (const text of texts) {
      id = this.#nextProposal;
      this.#nextProposal += 1;
      leader.host?.replica?.propose(id, encodeEntry("command", encoder.encode(text)));
    }
    await this.runUntil(() => leader.acknowledged.has(id), 10_000, "the last write");
  }

  /** Runs until every running node has applied the leader's whole log. */
  async settle(): Promise<void> {
    const isSettled = (): boolean => {
      const target = this.leader()?.host?.replica?.status();
      if (target === undefined || target.commitIndex !== target.lastIndex) return false;
      return this.hosts.every(
        ({ host }) =>
          host === undefined || host.replica?.status().appliedIndex === target.lastIndex,
      );
    };
    await this.runUntil(isSettled, 30_000, "all have applied everything");
  }

  async run(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 5) {
      this.clock.advance(5);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async runUntil(condition: () => boolean, limitMs: number, what: string): Promise<void> {
    for (let passed = 0; passed < limitMs; passed += 5) {
      if (condition()) return;
      await this.run(5);
    }
    const states = this.hosts.map(({ id, host, notices }) =>
      [id, JSON.stringify(host?.replica?.status() ?? "down"), ...notices.slice(-5)].join("\n  "),
    );
    throw new Error(`not within ${limitMs} ms: ${what}\n${states.join("\n")}`);
  }

  async settled<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    promise.then(settle, settle);
    await this.runUntil(() => isSettled, 30_000, "what was promised");
    return promise;
  }
}
