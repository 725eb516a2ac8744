/**
 * The consensus thread: core, log, net and calls, and nothing else.
 *
 * HTTP, JSON and SQL run on other threads, so that none of them can delay a heartbeat. The thread
 * opens the log, then waits for a configuration if the log has none; from then on it runs a
 * replica.
 * Chapter: 08-replica.
 */
import { assert, CairnError } from "#base";
import {
  createNodeClock,
  createNodeDisk,
  createNodeSockets,
  nodeRandom,
  openSocketTls,
  type Port,
  threadStart,
} from "#platform";
import type { Sockets } from "#platform/types";
import { encodeConfiguration } from "./configuration.ts";
import {
  type ConsensusSettings,
  type FromConsensus,
  fromWireError,
  type Outcome,
  type ToConsensus,
  toWireError,
} from "./consensus-protocol.ts";
import { createReplica } from "./driver.ts";
import { encodeEntry } from "./entry.ts";
import { openIdentity } from "./identity.ts";
import { openPeerPort, type PeerPort } from "./peer-port.ts";
import { createPortApplier } from "./port-applier.ts";
import { openRaftLog } from "./raft-log.ts";
import { createRpcClient, type RpcClient, serveRpc } from "./rpc.ts";
import { finishInstall } from "./snapshot-files.ts";
import { createTcpNet, type TcpNet } from "./tcp-net.ts";
import type { Applier, Configuration, Identity, RaftLog, Replica } from "./types.ts";

class ConsensusHost {
  readonly #main: Port<FromConsensus, ToConsensus>;
  readonly #settings: ConsensusSettings;
  readonly #clock = createNodeClock();
  readonly #disk = createNodeDisk();
  readonly #sockets: Sockets;
  readonly #random = nodeRandom();
  readonly #rpc: RpcClient;
  readonly #requests = new Map<number, (outcome: Outcome<Uint8Array>) => void>();
  #nextRequest = 1;
  #identity: Identity | undefined;
  #port: PeerPort | undefined;
  #log: RaftLog | undefined;
  #net: TcpNet | undefined;
  #replica: Replica | undefined;
  #machine: { readonly applier: Applier; readonly appliedIndex: number } | undefined;

  constructor(main: Port<FromConsensus, ToConsensus>, settings: ConsensusSettings) {
    this.#main = main;
    this.#settings = settings;
    const onNotice = (text: string): void => this.#notice(text);
    this.#sockets = createNodeSockets({
      tls: settings.tls === undefined ? undefined : openSocketTls(settings.tls, { onNotice }),
      onRefused: (remote, reason) => onNotice(`connection from ${remote} refused: ${reason}`),
    });
    this.#rpc = createRpcClient({ sockets: this.#sockets, clock: this.#clock });
  }

  async open(): Promise<void> {
    const { dataDir, nodeId, address } = this.#settings;
    const disk = this.#disk;
    this.#identity = openIdentity({ disk, dir: dataDir, nodeId, random: this.#random });
    this.#log = openRaftLog({ disk, dir: `${dataDir}/raft-log` }).log;
    this.#port = await openPeerPort({
      sockets: this.#sockets,
      clock: this.#clock,
      address,
      onRefused: (remote, reason) => this.#notice(`connection from ${remote} refused: ${reason}`),
    });
    serveRpc(this.#port, (method, payload) => this.#relay(method, payload));
    this.#main.onMessage((message) => this.#onMessage(message));
    this.#main.post({
      kind: "opened",
      address: this.#port.address,
      identity: this.#identity,
      configuration: this.#log.state.configuration,
    });
  }

  #notice(text: string): void {
    this.#main.post({ kind: "notice", text });
  }

  fatal(error: unknown): void {
    this.#main.post({ kind: "fatal", error: toWireError(error) });
  }

  #onMessage(message: ToConsensus): void {
    switch (message.kind) {
      case "propose":
        for (const { id, bytes } of message.entries) this.#propose(id, bytes);
        return;
      case "call":
        void this.#call(message);
        return;
      case "answer":
        this.#requests.get(message.id)?.(message.outcome);
        this.#requests.delete(message.id);
        return;
      case "start":
        void this.#answer(message.id, () => this.#start(message));
        return;
      case "bootstrap":
        void this.#answer(message.id, () => this.#bootstrap(message.configuration));
        return;
      case "status":
        this.#main.post({ kind: "status", id: message.id, status: this.#replica?.status() });
        return;
      case "close":
        void this.#close();
        return;
    }
  }

  /** Brings the state machine to where the log begins, if a crash came in between. */
  async #start(message: Extract<ToConsensus, { kind: "start" }>): Promise<void> {
    const log = this.#log;
    assert(log !== undefined, "replica: start comes after open");
    const applier = createPortApplier(message.applierPort);
    const appliedIndex = await finishInstall({
      ...{ disk: this.#disk, dir: `${this.#settings.dataDir}/snapshots`, log, applier },
      appliedIndex: message.appliedIndex,
    });
    this.#machine = { applier, appliedIndex };
    this.#run();
  }

  #propose(id: number, bytes: Uint8Array): void {
    if (this.#replica !== undefined) this.#replica.propose(id, bytes);
    else this.#main.post({ kind: "failure", id, failure: "not-leader" });
  }

  async #call(message: Extract<ToConsensus, { kind: "call" }>): Promise<void> {
    const { id, address, method, payload, timeoutMs } = message;
    try {
      const value = await this.#rpc.call(address, method, payload, timeoutMs);
      this.#main.post({ kind: "called", id, outcome: { ok: true, value } });
    } catch (error) {
      this.#main.post({ kind: "called", id, outcome: { ok: false, error: toWireError(error) } });
    }
  }

  /** Calls of other nodes are answered on the main thread. */
  #relay(method: string, payload: Uint8Array): Promise<Uint8Array> {
    const id = this.#nextRequest;
    this.#nextRequest += 1;
    return new Promise((resolve, reject) => {
      this.#requests.set(id, (outcome) => {
        if (outcome.ok) resolve(outcome.value);
        else reject(fromWireError(outcome.error));
      });
      this.#main.post({ kind: "request", id, method, payload });
    });
  }

  async #answer(id: number, work: () => Promise<void>): Promise<void> {
    let outcome: Outcome<null> = { ok: true, value: null };
    try {
      await work();
    } catch (error) {
      outcome = { ok: false, error: toWireError(error) };
    }
    this.#main.post({ kind: "done", id, outcome });
  }

  /**
   * Writes the first entry, durably, and starts. Doing it twice with the same configuration changes
   * nothing.
   */
  async #bootstrap(configuration: Configuration): Promise<void> {
    const log = this.#log;
    assert(log !== undefined, "replica: bootstrap comes after open");
    const present = log.state.configuration;
    if (present !== undefined && present.clusterId !== configuration.clusterId) {
      throw new CairnError(
        "REPLICA_IDENTITY_MISMATCH",
        `replica: log belongs to cluster ${present.clusterId}, not to ${configuration.clusterId}`,
      );
    }
    if (present !== undefined) return;
    const bytes = encodeEntry("configuration", encodeConfiguration(configuration));
    log.write({ hardState: { term: 1, vote: 0 }, entries: [{ index: 1, term: 1, bytes }] });
    await log.sync();
    this.#run();
  }

  /** Starts the replica, once log, configuration and state machine are all there. */
  #run(): void {
    const [identity, port, log, machine] = [this.#identity, this.#port, this.#log, this.#machine];
    assert(identity !== undefined && port !== undefined && log !== undefined, "replica: opened");
    const { configuration } = log.state;
    if (configuration === undefined || machine === undefined) return;
    const own = configuration.members.find((member) => member.id === identity.nodeId);
    if (own === undefined || own.incarnation !== identity.incarnation) {
      throw new CairnError(
        "REPLICA_IDENTITY_MISMATCH",
        `replica: node ${identity.nodeId} with incarnation ${identity.incarnation} is no member ` +
          `of cluster ${configuration.clusterId}`,
      );
    }
    const net = createTcpNet({
      sockets: this.#sockets,
      clock: this.#clock,
      random: this.#random,
      port,
      self: own.number,
      configuration,
      onRefused: (remote, reason) => this.#notice(`member ${remote} refused: ${reason}`),
    });
    const replica = createReplica({
      self: own.number,
      configuration,
      log,
      net,
      clock: this.#clock,
      random: this.#random,
      ...machine,
      disk: this.#disk,
      snapshotDir: `${this.#settings.dataDir}/snapshots`,
      electionTimeoutMs: this.#settings.electionTimeoutMs,
      heartbeatMs: this.#settings.heartbeatMs,
      syncMode: "adaptive",
      onFatal: (error) => this.fatal(error),
      onBadFrame: (peer, error) => this.#notice(`member ${peer}: ${error.message}`),
      onNotice: (text) => this.#notice(text),
    });
    net.onUnreachable((peer) => replica.unreachable(peer));
    replica.onFailure((id, failure) => this.#main.post({ kind: "failure", id, failure }));
    replica.onRole((status) => this.#main.post({ kind: "role", status }));
    this.#net = net;
    this.#replica = replica;
  }

  async #close(): Promise<void> {
    try {
      this.#rpc.close();
      this.#net?.close();
      if (this.#replica !== undefined) await this.#replica.close();
      else await this.#log?.close();
      await this.#port?.close();
    } catch (error) {
      this.#notice(`closing: ${toWireError(error).message}`);
    }
    this.#main.post({ kind: "closed" });
    this.#main.close();
  }
}

const { port, data } = threadStart<FromConsensus, ToConsensus, ConsensusSettings>();
const host = new ConsensusHost(port, data);
host.open().catch((error: unknown) => host.fatal(error));
