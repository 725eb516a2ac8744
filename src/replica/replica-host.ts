/**
 * One node's part in consensus over its whole life: before it knows a cluster, while it is a
 * member, and when its state has to be fetched anew.
 *
 * Everything outside comes in as an argument, so a test can run hosts on simulated disks, clocks
 * and sockets. Invariants: a replica runs only once log, membership and state machine are all
 * there and agree; there is one at a time. Chapter: 08-replica.
 */
import { assert, type Bytes, CairnError, errorText, isCairnError, type Ms } from "#base";
import { replaceFile } from "#bytes";
import type { Clock, Disk, Random, Sockets } from "#platform/types";
import type { Index } from "#raft/types";
import { createConfiguration, encodeConfiguration, sameConfiguration } from "./configuration.ts";
import type { ConsensusSettings } from "./consensus-protocol.ts";
import { createReplica } from "./driver.ts";
import { encodeEntry } from "./entry.ts";
import { openIdentity } from "./identity.ts";
import { membershipOf, readMembership, writeMembership } from "./membership-file.ts";
import { openPeerPort, type PeerPort } from "./peer-port.ts";
import { openRaftLog } from "./raft-log.ts";
import { carryOutRecovery, describeRecovery, finishRecovery, previewRecovery } from "./recovery.ts";
import { answerSnapshotCall, createReinstall, type Reinstall } from "./reinstall.ts";
import { createRpcClient, type RpcClient } from "./rpc.ts";
import { finishInstall } from "./snapshot-files.ts";
import { createTcpNet, type TcpNet } from "./tcp-net.ts";
import type {
  Applier,
  Configuration,
  DigestReport,
  Identity,
  Membership,
  ProposalFailure,
  RaftLog,
  ReadOutcome,
  Replica,
  ReplicaStatus,
} from "./types.ts";

/** A segment of the log is a part of what is kept, so that whole segments can go. */
const SEGMENTS_PER_LOG_MIN = 4;
const SEGMENT_BYTES_MAX = 16 * 1024 * 1024;

/** What a host tells whoever runs it. */
export interface HostEvents {
  /** A line for the log. */
  readonly onNotice: (text: string) => void;
  /** The node cannot go on. */
  readonly onFatal: (error: Error) => void;
  /** A proposal ended without a result. */
  readonly onFailure: (proposalId: number, failure: ProposalFailure) => void;
  /** A read got its index, or none. */
  readonly onRead: (readId: number, outcome: ReadOutcome) => void;
  /** Role, term or leader changed. */
  readonly onRole: (status: ReplicaStatus) => void;
  /** The configuration in force changed, or was committed. */
  readonly onConfiguration: (configuration: Configuration, isCommitted: boolean) => void;
  /** Whether the state may be served; with the comparison that says no, if one just has. */
  readonly onSound: (isSound: boolean, report: DigestReport | undefined) => void;
}

/** What a host is made of. */
export interface HostParts {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly sockets: Sockets;
  readonly random: Random;
  readonly settings: ConsensusSettings;
  readonly events: HostEvents;
}

interface Opened {
  readonly identity: Identity;
  readonly log: RaftLog;
  readonly port: PeerPort;
  readonly told: Membership | undefined;
}

/** See the file's header. */
export class ReplicaHost {
  readonly #parts: HostParts;
  readonly #opened: Opened;
  readonly rpc: RpcClient;
  #told: Membership | undefined;
  #machine: { readonly applier: Applier; appliedIndex: Index } | undefined;
  #net: TcpNet | undefined;
  #replica: Replica | undefined;
  #reinstall: Reinstall | undefined;
  /** Ends when nothing starts or stops a replica any more. */
  #turn: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(parts: HostParts, opened: Opened) {
    this.#parts = parts;
    this.#opened = opened;
    this.#told = opened.told;
    this.rpc = createRpcClient(parts);
  }

  get address(): string {
    return this.#opened.port.address;
  }
  get identity(): Identity {
    return this.#opened.identity;
  }
  get port(): PeerPort {
    return this.#opened.port;
  }
  /** Runs unless the node has no cluster, no state machine yet, or a state that is fetched anew. */
  get replica(): Replica | undefined {
    return this.#replica;
  }
  get configuration(): Configuration | undefined {
    return this.#opened.log.state.configuration ?? this.#told?.configuration;
  }

  /**
   * The state machine is open. Carries out what an operator or a crash has left to do, then runs.
   *
   * @throws `REPLICA_LOG_BEHIND`, `REPLICA_SNAPSHOT_MISSING`, `REPLICA_RECOVERY_INVALID`,
   * `REPLICA_IDENTITY_MISMATCH`
   */
  async start(applier: Applier, appliedIndex: Index, newestIndex = appliedIndex): Promise<void> {
    const { disk, settings } = this.#parts;
    const { log } = this.#opened;
    const { dataDir } = settings;
    // Whoever asks for a copy or an installation needs answers before a replica listens.
    applier.onApplied(() => undefined);
    await this.#recover(appliedIndex);
    this.#machine = { applier, appliedIndex };
    const reinstall = this.#createReinstall(applier);
    if (reinstall.isDue()) {
      this.#parts.events.onSound(false, undefined);
      void this.#fetchAnew(reinstall);
      return;
    }
    const dir = `${dataDir}/snapshots`;
    const indexes = { appliedIndex, newestIndex };
    const applied = await finishInstall({ disk, dir, log, applier, ...indexes });
    this.#machine = { applier, appliedIndex: applied };
    this.#run();
  }

  /**
   * Founds a cluster: writes the first entry, durably, and runs. Twice with the same configuration
   * changes nothing.
   *
   * @throws `REPLICA_IDENTITY_MISMATCH` for another cluster's, or one that has changed since.
   */
  bootstrap(configuration: Configuration): Promise<void> {
    return this.#inTurn(() => this.#bootstrap(configuration));
  }

  async #bootstrap(configuration: Configuration): Promise<void> {
    const { log, identity } = this.#opened;
    const present = this.configuration;
    if (present !== undefined) return this.#checkCluster(present, configuration);
    if (!sameConfiguration(createConfiguration(configuration.members), configuration)) {
      throw new CairnError(
        "REPLICA_IDENTITY_MISMATCH",
        `replica: cluster ${configuration.clusterId} has changed its members since it was founded`,
      );
    }
    const own = configuration.members.find(({ id }) => id === identity.nodeId);
    if (own?.incarnation !== identity.incarnation) {
      throw new CairnError(
        "REPLICA_IDENTITY_MISMATCH",
        `replica: node ${identity.nodeId} is no founding member of ${configuration.clusterId}`,
      );
    }
    const bytes = encodeEntry("configuration", encodeConfiguration(configuration));
    log.write({ hardState: { term: 1, vote: 0 }, entries: [{ index: 1, term: 1, bytes }] });
    await log.sync();
    this.#tell({ number: own.number, configuration });
    this.#run();
  }

  /**
   * A leader has added this node. Durable when it resolves; under another number than before, this
   * node goes on as the new member.
   *
   * @throws `REPLICA_IDENTITY_MISMATCH` for another cluster.
   */
  join(membership: Membership): Promise<void> {
    return this.#inTurn(async () => {
      const present = this.configuration;
      if (present !== undefined) this.#checkCluster(present, membership.configuration);
      if (this.#told?.number === membership.number && this.#replica !== undefined) return;
      this.#tell(membership);
      // Whoever fetches the state anew runs behind that, as the member that it is then.
      if (this.#reinstall?.isDue() === true) return;
      await this.#stopReplica();
      this.#run();
    });
  }

  /** One behind the other: two that run at once would run two replicas on one log. */
  #inTurn<T>(work: () => T | Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /** Answers what one replica asks another one's host; undefined: it is for somebody else. */
  answer(method: string, payload: Bytes): Promise<Bytes> | undefined {
    return answerSnapshotCall(() => this.#replica, method, payload);
  }

  /** Stops for good; with `transferMs` a leader tries to hand over first. */
  async close({ transferMs = 0 }: { readonly transferMs?: Ms } = {}): Promise<void> {
    this.#isClosed = true;
    this.#reinstall?.stop();
    const { log, port } = this.#opened;
    if (this.#replica !== undefined) await this.#replica.close({ transferMs });
    else await log.close();
    this.rpc.close();
    this.#net?.close();
    await port.close();
  }

  #checkCluster(present: Configuration, other: Configuration): void {
    if (present.clusterId === other.clusterId) return;
    throw new CairnError(
      "REPLICA_IDENTITY_MISMATCH",
      `replica: log belongs to cluster ${present.clusterId}, not to ${other.clusterId}`,
    );
  }

  #tell(membership: Membership): void {
    const { disk, settings } = this.#parts;
    writeMembership(disk, settings.dataDir, membership);
    this.#told = membership;
    this.#opened.log.expectEpoch(membership.configuration.epoch);
  }

  async #recover(appliedIndex: Index): Promise<void> {
    const { disk, settings, events } = this.#parts;
    const { identity, log } = this.#opened;
    const place = { disk, dataDir: settings.dataDir, log };
    finishRecovery(place);
    const preview = previewRecovery({ ...place, identity, appliedIndex });
    if (preview === undefined) return;
    for (const line of describeRecovery(preview)) events.onNotice(line);
    await carryOutRecovery(place, preview);
    const own = preview.after.members.find(({ id }) => id === identity.nodeId);
    assert(own !== undefined, "replica: a recovery names this node");
    this.#tell({ number: own.number, configuration: preview.after });
  }

  /** Starts the replica, once log, membership and state machine are all there. */
  #run(): void {
    const { disk, clock, random, settings, events } = this.#parts;
    const { log, identity } = this.#opened;
    const membership = membershipOf(identity, log.state, this.#told);
    if (membership === undefined || this.#machine === undefined || this.#isClosed) return;
    assert(this.#replica === undefined, "replica: one at a time on a log");
    const { number: self, configuration } = membership;
    const { onNotice } = events;
    const net = this.#createNet(self, configuration);
    const replica = createReplica({
      ...settings,
      ...{ self, configuration, log, net, clock, random, disk, ...this.#machine, onNotice },
      snapshotDir: `${settings.dataDir}/snapshots`,
      syncMode: "adaptive",
      onFatal: (error) => this.#onFatal(error),
      onBadFrame: (peer, error) => onNotice(`member ${peer}: ${error.message}`),
    });
    net.onUnreachable((peer, isGone) => replica.unreachable(peer, isGone));
    replica.onFailure(events.onFailure);
    replica.onRead(events.onRead);
    replica.onRole(events.onRole);
    replica.onConfiguration((current, isCommitted) => {
      net.update(current);
      events.onConfiguration(current, isCommitted);
    });
    replica.onDiverged((report) => this.#onDiverged(report));
    this.#net = net;
    this.#replica = replica;
    events.onConfiguration(configuration, false);
  }

  #createNet(self: number, configuration: Configuration): TcpNet {
    const { sockets, clock, random, events } = this.#parts;
    const { identity, port } = this.#opened;
    const { incarnation } = identity;
    const { settings } = this.#parts;
    return createTcpNet({
      ...{ sockets, clock, random, port, self, configuration },
      own: { incarnation, address: settings.advertisedAddress ?? port.address },
      onRefused: (remote, reason) => events.onNotice(`member ${remote} refused: ${reason}`),
    });
  }

  async #stopReplica(): Promise<void> {
    const replica = this.#replica;
    this.#replica = undefined;
    this.#net?.close();
    this.#net = undefined;
    if (replica === undefined) return;
    await replica.close({ keepLog: true });
    const { appliedIndex } = replica.status();
    if (this.#machine !== undefined) this.#machine.appliedIndex = appliedIndex;
  }

  /** Leaves what happened last on disk, for whoever looks into it. */
  #onFatal(error: Error): void {
    const { disk, settings, events } = this.#parts;
    try {
      const inputs = this.#replica?.recordedInputs();
      if (inputs !== undefined) replaceFile(disk, `${settings.dataDir}/postmortem.json`, inputs);
    } catch (failure) {
      events.onNotice(`no post-mortem: ${errorText(failure)}`);
    }
    events.onFatal(error);
  }

  /* ---- a state that differs ---- */

  #createReinstall(applier: Applier): Reinstall {
    const { disk, clock, random, settings, events } = this.#parts;
    const { log, identity } = this.#opened;
    const { onNotice } = events;
    this.#reinstall = createReinstall({
      ...{ disk, clock, random, log, applier, rpc: this.rpc, onNotice },
      dataDir: settings.dataDir,
      peers: () => (this.configuration?.members ?? []).filter(({ id }) => id !== identity.nodeId),
    });
    return this.#reinstall;
  }

  #onDiverged(report: DigestReport): void {
    const { events } = this.#parts;
    events.onSound(false, report);
    const reinstall = this.#reinstall;
    if (reinstall === undefined || this.#isClosed) return;
    try {
      reinstall.demand();
    } catch (error) {
      return events.onFatal(error instanceof Error ? error : new Error(errorText(error)));
    }
    void this.#fetchAnew(reinstall);
  }

  async #fetchAnew(reinstall: Reinstall): Promise<void> {
    const { events } = this.#parts;
    try {
      await this.#inTurn(() => this.#stopReplica());
      const index = await reinstall.run();
      if (index === undefined || this.#machine === undefined) return;
      this.#machine.appliedIndex = index;
      await this.#inTurn(() => {
        if (this.#replica === undefined) this.#run();
      });
      events.onSound(true, undefined);
    } catch (error) {
      if (this.#isClosed && isCairnError(error)) return;
      events.onFatal(error instanceof Error ? error : new Error(errorText(error)));
    }
  }
}

/**
 * Opens identity, log and port of a data directory.
 *
 * @throws `WAL_CORRUPT`, `REPLICA_LOG_CORRUPT`, `REPLICA_IDENTITY_MISMATCH`, `NET_ADDRESS_IN_USE`
 */
export async function openReplicaHost(parts: HostParts): Promise<ReplicaHost> {
  const { disk, clock, sockets, random, settings, events } = parts;
  const { dataDir, nodeId, address, logKeepBytesMax = Number.POSITIVE_INFINITY } = settings;
  const identity = openIdentity({ disk, dir: dataDir, nodeId, random });
  const told = readMembership(disk, dataDir);
  const segmentBytesMax = Math.min(SEGMENT_BYTES_MAX, logKeepBytesMax / SEGMENTS_PER_LOG_MIN);
  const { log } = openRaftLog({
    ...{ disk, dir: `${dataDir}/raft-log`, segmentBytesMax: Math.ceil(segmentBytesMax) },
    epochMin: told?.configuration.epoch ?? 0,
  });
  const onRefused = (remote: string, reason: string): void =>
    events.onNotice(`connection from ${remote} refused: ${reason}`);
  const port = await openPeerPort({ sockets, clock, address, onRefused });
  return new ReplicaHost(parts, { identity, log, port, told });
}
