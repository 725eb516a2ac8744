/**
 * The consensus thread as the main thread sees it.
 *
 * Proposals of one turn of the event loop travel in one message. Results of proposals do not come
 * back this way: the state machine's thread sends them to the main thread directly.
 * Chapter: 08-replica.
 */
import type { MessagePort, Transferable } from "node:worker_threads";
import { type Bytes, CairnError, type Ms } from "#base";
import { atTurnEnd, type Port, spawnThread } from "#platform";
import {
  type ConsensusSettings,
  type FromConsensus,
  fromWireError,
  type Outcome,
  type ReadGrant,
  type ToConsensus,
  toWireError,
} from "./consensus-protocol.ts";
import type { RpcHandler } from "./rpc.ts";
import type {
  Configuration,
  DigestReport,
  Identity,
  Member,
  Membership,
  MembershipChange,
  ProposalFailure,
  ReplicaStatus,
} from "./types.ts";

/** See the file's header. */
export interface ConsensusThread {
  /** Where other nodes reach this one, with the real port. */
  readonly address: string;
  readonly identity: Identity;
  /** In force here. Undefined until the node belongs to a cluster. */
  readonly configuration: Configuration | undefined;
  /** False while the state here is known to differ from the majority's: nobody may be served. */
  readonly isSound: boolean;
  /** As of the last change of role, term or leader. */
  readonly latest: ReplicaStatus | undefined;
  /**
   * Proposes an entry made by `encodeEntry`; its bytes are given away.
   *
   * @param proposalId - unique in this process, above 0; comes back with the failure or the result.
   */
  propose(proposalId: number, entry: Bytes): void;
  /** Sets who is told of proposals that failed for certain. */
  onFailure(f: (proposalId: number, failure: ProposalFailure) => void): void;
  /** Sets who is told when role, term or leader change; called at once with what is known. */
  onRole(f: (status: ReplicaStatus) => void): void;
  /** Calls a method at another node. Errors as `RpcClient.call`. `payload` is copied. */
  call(address: string, method: string, payload: Bytes, timeoutMs: Ms): Promise<Bytes>;
  /** Sets who answers the calls of other nodes. */
  onCall(handler: RpcHandler): void;
  /**
   * Gives the state machine's end away; a node that knows its cluster takes part from here on.
   * Until then log and port are open, and calls are answered.
   *
   * @param newestIndex - of several state machines, what the one that is ahead has applied.
   * @throws `REPLICA_LOG_BEHIND` when the database is ahead of the log;
   * `REPLICA_IDENTITY_MISMATCH`.
   */
  start(applierPort: MessagePort, appliedIndex: number, newestIndex?: number): Promise<void>;
  /**
   * Makes this node a founding member of a new cluster, durably; not for a cluster that has changed
   * its members since. @throws `REPLICA_IDENTITY_MISMATCH`
   */
  bootstrap(configuration: Configuration): Promise<void>;
  /**
   * Tells this node, durably, that a leader has added it (`changeMembers`), and under which number:
   * it waits for that cluster's leaders from here on. @throws `REPLICA_IDENTITY_MISMATCH`
   */
  join(membership: Membership): Promise<void>;
  /**
   * Resolves when a read here sees every write acknowledged before the call. On any node. A lease
   * that is not there becomes a read by index.
   *
   * @throws `REPLICA_READ_FAILED`, with the reason in the details; `REPLICA_STOPPED`.
   */
  read(via: "index" | "lease"): Promise<ReadGrant>;
  /** As `Replica.change`; resolves when the change is committed. */
  changeMembers(change: MembershipChange): Promise<Configuration>;
  /** Adds a member, as a learner first. The same member again changes its address and part. */
  addMember(
    member: Pick<Member, "id" | "address" | "incarnation">,
    options: { readonly voter: boolean },
  ): Promise<Configuration>;
  /** Removes a member; nothing if there is none. */
  removeMember(id: string): Promise<Configuration>;
  /** As `Replica.transfer`: to a member's number, or 0 for the most advanced voter. */
  transfer(to: number): Promise<void>;
  /** As `Replica.checkDigest`: compares the states of all replicas now. */
  checkDigest(): Promise<DigestReport>;
  /** Sets who is told when the configuration in force changes, or is committed. */
  onConfiguration(f: (configuration: Configuration, isCommitted: boolean) => void): void;
  /**
   * Sets who is told when the state here is found to differ, with the comparison that says so, and
   * when it has been fetched anew.
   */
  onSound(f: (isSound: boolean, report: DigestReport | undefined) => void): void;
  /** Fresh facts; undefined until the node belongs to a cluster. */
  status(): Promise<ReplicaStatus | undefined>;
  /** Sets who gets lines that are worth a place in the log. */
  onNotice(f: (text: string) => void): void;
  /** Sets who is told, once, when the thread cannot go on; called at once if it could not. */
  onFatal(f: (error: Error) => void): void;
  /**
   * Syncs and closes the log, frees the port, ends the thread. A leader hands over first, if
   * somebody takes it within `transferMs` (default 0: no).
   */
  close(options?: { readonly transferMs?: Ms }): Promise<void>;
}

type Settle = (outcome: Outcome<unknown>) => void;

class MainSide implements ConsensusThread {
  readonly #port: Port<ToConsensus, FromConsensus>;
  readonly address: string;
  readonly identity: Identity;
  #configuration: Configuration | undefined;
  #latest: ReplicaStatus | undefined;
  #queued: { id: number; bytes: Bytes }[] = [];
  #isTurnOpen = false;
  #isSound = true;
  readonly #waiting = new Map<number, Settle>();
  #nextId = 1;
  #handler: RpcHandler | undefined;
  #failed: (id: number, failure: ProposalFailure) => void = () => undefined;
  #roleChanged: (status: ReplicaStatus) => void = () => undefined;
  #noticed: (text: string) => void = () => undefined;
  #configured: (configuration: Configuration, isCommitted: boolean) => void = () => undefined;
  #soundChanged: (isSound: boolean, report: DigestReport | undefined) => void = () => undefined;
  #died: (error: Error) => void = () => undefined;
  #closed: () => void = () => undefined;
  /** Why the thread cannot go on. It may still answer. */
  #failure: Error | undefined;
  /** No thread is there any more: nothing that it is asked will be answered. */
  #isGone = false;

  constructor(
    port: Port<ToConsensus, FromConsensus>,
    opened: Extract<FromConsensus, { kind: "opened" }>,
    early: readonly FromConsensus[],
  ) {
    this.#port = port;
    this.address = opened.address;
    this.identity = opened.identity;
    this.#configuration = opened.configuration;
    port.onMessage((message) => this.#onMessage(message));
    // A thread that dies of an error, or ends unasked, takes consensus with it.
    port.onError((error) => this.#gone(error));
    for (const message of early) this.#onMessage(message);
  }

  get configuration(): Configuration | undefined {
    return this.#configuration;
  }
  get isSound(): boolean {
    return this.#isSound;
  }
  get latest(): ReplicaStatus | undefined {
    return this.#latest;
  }

  /** The first of a turn goes at once; what follows in the same turn travels together. */
  propose(id: number, bytes: Bytes): void {
    this.#queued.push({ id, bytes });
    if (this.#isTurnOpen) return;
    this.#isTurnOpen = true;
    this.#flush();
    atTurnEnd(() => {
      this.#isTurnOpen = false;
      if (this.#queued.length > 0) this.#flush();
    });
  }

  #flush(): void {
    const entries = this.#queued;
    this.#queued = [];
    this.#port.post(
      { kind: "propose", entries },
      entries.map((entry) => entry.bytes.buffer as ArrayBuffer),
    );
  }

  onFailure(f: (proposalId: number, failure: ProposalFailure) => void): void {
    this.#failed = f;
  }
  onRole(f: (status: ReplicaStatus) => void): void {
    this.#roleChanged = f;
    if (this.#latest !== undefined) f(this.#latest);
  }
  onNotice(f: (text: string) => void): void {
    this.#noticed = f;
  }
  onFatal(f: (error: Error) => void): void {
    this.#died = f;
    if (this.#failure !== undefined) f(this.#failure);
  }
  onCall(handler: RpcHandler): void {
    this.#handler = handler;
  }

  call(address: string, method: string, payload: Bytes, timeoutMs: Ms): Promise<Bytes> {
    return this.#ask<Bytes>((id) => ({ kind: "call", id, address, method, payload, timeoutMs }));
  }

  async start(
    applierPort: MessagePort,
    appliedIndex: number,
    newestIndex: number = appliedIndex,
  ): Promise<void> {
    await this.#ask<null>(
      (id) => ({ kind: "start", id, applierPort, appliedIndex, newestIndex }),
      [applierPort],
    );
  }

  async bootstrap(configuration: Configuration): Promise<void> {
    await this.#ask<null>((id) => ({ kind: "bootstrap", id, configuration }));
    this.#configuration ??= configuration;
  }

  async join(membership: Membership): Promise<void> {
    await this.#ask<null>((id) => ({ kind: "join", id, membership }));
    this.#configuration ??= membership.configuration;
  }

  read(via: "index" | "lease"): Promise<ReadGrant> {
    return this.#ask((id) => ({ kind: "read", id, via }));
  }

  changeMembers(change: MembershipChange): Promise<Configuration> {
    return this.#ask((id) => ({ kind: "change", id, change }));
  }

  addMember(
    member: Pick<Member, "id" | "address" | "incarnation">,
    { voter }: { readonly voter: boolean },
  ): Promise<Configuration> {
    return this.changeMembers({ kind: "add", member, voter });
  }

  removeMember(id: string): Promise<Configuration> {
    return this.changeMembers({ kind: "remove", id });
  }

  async transfer(to: number): Promise<void> {
    await this.#ask<null>((id) => ({ kind: "transfer", id, to }));
  }

  checkDigest(): Promise<DigestReport> {
    return this.#ask((id) => ({ kind: "checkDigest", id }));
  }

  onConfiguration(f: (configuration: Configuration, isCommitted: boolean) => void): void {
    this.#configured = f;
  }
  onSound(f: (isSound: boolean, report: DigestReport | undefined) => void): void {
    this.#soundChanged = f;
  }

  status(): Promise<ReplicaStatus | undefined> {
    return this.#ask<ReplicaStatus | undefined>((id) => ({ kind: "status", id }));
  }

  async close({ transferMs = 0 }: { readonly transferMs?: Ms } = {}): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#closed = resolve;
    });
    this.#port.post({ kind: "close", transferMs });
    if (!this.#isGone) await closed;
    this.#port.close();
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#died(error);
  }

  #gone(error: Error): void {
    this.#end(error);
    this.#fail(error);
  }

  /** Whoever still waits, and whoever asks from now on, gets no answer. */
  #end(why: Error): void {
    this.#isGone = true;
    for (const id of [...this.#waiting.keys()]) this.#settle(id, goneOutcome(why));
    this.#closed();
  }

  #ask<T>(
    message: (id: number) => ToConsensus,
    transfer: readonly Transferable[] = [],
  ): Promise<T> {
    const id = this.#nextId;
    this.#nextId += 1;
    return new Promise<T>((resolve, reject) => {
      this.#waiting.set(id, (outcome) => {
        // What the thread answers to this kind of message has this type: see consensus-protocol.ts.
        if (outcome.ok) resolve(outcome.value as T);
        else reject(fromWireError(outcome.error));
      });
      if (this.#isGone) this.#settle(id, goneOutcome(this.#failure));
      else this.#port.post(message(id), transfer);
    });
  }

  #settle(id: number, outcome: Outcome<unknown>): void {
    this.#waiting.get(id)?.(outcome);
    this.#waiting.delete(id);
  }

  #onMessage(message: FromConsensus): void {
    switch (message.kind) {
      case "failure":
        return this.#failed(message.id, message.failure);
      case "done":
        return this.#settle(message.id, message.outcome);
      case "status":
        return this.#settle(message.id, { ok: true, value: message.status });
      case "request":
        void this.#answer(message.id, message.method, message.payload);
        return;
      case "role":
        this.#latest = message.status;
        return this.#roleChanged(message.status);
      case "notice":
        return this.#noticed(message.text);
      case "configuration":
        this.#configuration = message.configuration;
        return this.#configured(message.configuration, message.isCommitted);
      case "sound":
        this.#isSound = message.isSound;
        return this.#soundChanged(message.isSound, message.report);
      case "fatal":
        return this.#fail(fromWireError(message.error));
      case "closed":
        return this.#end(new Error("closed"));
      case "opened":
        return;
    }
  }

  async #answer(id: number, method: string, payload: Bytes): Promise<void> {
    let outcome: Outcome<Bytes>;
    try {
      if (this.#handler === undefined) throw new Error(`no handler for ${method} yet`);
      outcome = { ok: true, value: await this.#handler(method, payload) };
    } catch (error) {
      outcome = { ok: false, error: toWireError(error) };
    }
    this.#port.post({ kind: "answer", id, outcome });
  }
}

/** What was asked of a dead thread may have been done or not: nobody knows. */
function goneOutcome(cause: Error | undefined): Outcome<never> {
  const message = `replica: the consensus thread is gone: ${cause?.message ?? "unknown why"}`;
  return { ok: false, error: toWireError(new CairnError("REPLICA_PEER_FAILED", message)) };
}

/**
 * Starts the thread and opens log and port on it.
 *
 * @throws what opening throws: `WAL_CORRUPT`, `NET_ADDRESS_IN_USE`, `REPLICA_IDENTITY_MISMATCH` and
 * others, by code.
 */
export function openConsensusThread(settings: ConsensusSettings): Promise<ConsensusThread> {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const port = spawnThread<ToConsensus, FromConsensus>(
    new URL(`./consensus-worker.${extension}`, import.meta.url),
    { name: "consensus", data: settings },
  );
  return new Promise((resolve, reject) => {
    const early: FromConsensus[] = [];
    port.onError((error) => reject(error));
    port.onMessage((message) => {
      if (message.kind === "fatal") {
        port.close();
        reject(fromWireError(message.error));
      } else if (message.kind === "opened") {
        const thread: MainSide = new MainSide(port, message, early);
        resolve(thread);
      } else early.push(message);
    });
  });
}
