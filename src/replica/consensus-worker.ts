/**
 * The consensus thread: core, log, net and calls, and nothing else.
 *
 * HTTP, JSON and SQL run on other threads, so that none of them can delay a heartbeat. What the
 * thread does is in `replica-host.ts`; here it is connected to the main thread. Invariant: every
 * question of the main thread gets one answer, as long as the thread lives.
 * Chapter: 08-replica.
 */
import { assert, CairnError } from "#base";
import {
  createNodeClock,
  createNodeDisk,
  createNodeSockets,
  createReclaimer,
  nodeRandom,
  openSocketTls,
  type Port,
  processTime,
  threadStart,
} from "#platform";
import {
  type ConsensusSettings,
  type FromConsensus,
  fromWireError,
  type Outcome,
  type ReadGrant,
  type ToConsensus,
  toWireError,
} from "./consensus-protocol.ts";
import { createPortApplier } from "./port-applier.ts";
import { type HostEvents, openReplicaHost, type ReplicaHost } from "./replica-host.ts";
import { serveRpc } from "./rpc.ts";
import type { ReadOutcome, Replica } from "./types.ts";

type MessageOf<Kind extends ToConsensus["kind"]> = Extract<ToConsensus, { kind: Kind }>;

/** Entries from here on are parts of something large, and leave large buffers behind. */
const BULK_BYTES_MIN = 256 * 1024;

class ConsensusThreadSide {
  readonly #memory = createReclaimer();
  readonly #main: Port<FromConsensus, ToConsensus>;
  readonly #settings: ConsensusSettings;
  readonly #clock = createNodeClock();
  /** Calls of other nodes that the main thread answers. */
  readonly #requests = new Map<number, (outcome: Outcome<Uint8Array>) => void>();
  #nextRequest = 1;
  #host: ReplicaHost | undefined;

  constructor(main: Port<FromConsensus, ToConsensus>, settings: ConsensusSettings) {
    this.#main = main;
    this.#settings = settings;
  }

  async open(): Promise<void> {
    const { tls } = this.#settings;
    const onNotice = (text: string): void => this.#main.post({ kind: "notice", text });
    const host = await openReplicaHost({
      disk: createNodeDisk(),
      clock: this.#clock,
      random: nodeRandom(),
      sockets: createNodeSockets({
        tls: tls === undefined ? undefined : openSocketTls(tls, { onNotice }),
        onRefused: (remote, reason) => onNotice(`connection from ${remote} refused: ${reason}`),
        onUntrusted: (address, reason) => onNotice(`node at ${address} is not trusted: ${reason}`),
      }),
      settings: this.#settings,
      events: this.#events(onNotice),
    });
    this.#host = host;
    serveRpc(
      host.port,
      (method, payload) => host.answer(method, payload) ?? this.#relay(method, payload),
    );
    this.#main.onMessage((message) => this.#onMessage(message));
    const { address, identity, configuration } = host;
    this.#main.post({ kind: "opened", address, identity, configuration });
  }

  fatal(error: unknown): void {
    this.#main.post({ kind: "fatal", error: toWireError(error) });
  }

  #events(onNotice: (text: string) => void): HostEvents {
    const main = this.#main;
    return {
      onNotice,
      onFatal: (error) => this.fatal(error),
      onFailure: (id, failure) => main.post({ kind: "failure", id, failure }),
      onRead: (id, outcome) => main.post({ kind: "done", id, outcome: this.#granted(outcome) }),
      onRole: (status) => main.post({ kind: "role", status }),
      onConfiguration: (configuration, isCommitted) =>
        main.post({ kind: "configuration", configuration, isCommitted }),
      onSound: (isSound, report) => main.post({ kind: "sound", isSound, report }),
    };
  }

  #granted(outcome: ReadOutcome): Outcome<ReadGrant> {
    if (!outcome.ok) {
      const { reason } = outcome;
      const text = `replica: the read could not be confirmed: ${reason}`;
      const error = new CairnError("REPLICA_READ_FAILED", text, { details: { reason } });
      return { ok: false, error: toWireError(error) };
    }
    const { index, leaseUntil } = outcome;
    if (leaseUntil === undefined) return { ok: true, value: { index } };
    // Each thread counts from its own start; the process has one clock for all.
    const until = processTime() + leaseUntil - this.#clock.now();
    return { ok: true, value: { index, leaseUntil: until } };
  }

  #onMessage(message: ToConsensus): void {
    const host = this.#host;
    assert(host !== undefined, "replica: the host is open before it is asked");
    switch (message.kind) {
      case "propose":
        for (const { id, bytes } of message.entries) {
          if (bytes.length >= BULK_BYTES_MIN) this.#memory.used(bytes.length);
          this.#propose(id, bytes);
        }
        return;
      case "answer":
        this.#requests.get(message.id)?.(message.outcome);
        this.#requests.delete(message.id);
        return;
      case "read":
        return this.#read(message);
      case "status":
        this.#main.post({ kind: "status", id: message.id, status: host.replica?.status() });
        return;
      case "close":
        void this.#close(message.transferMs);
        return;
      default:
        void this.#settle(message.id, this.#work(host, message));
    }
  }

  /** What is asked and takes its time. */
  #work(
    host: ReplicaHost,
    message: MessageOf<
      "start" | "call" | "bootstrap" | "join" | "change" | "transfer" | "checkDigest"
    >,
  ): Promise<unknown> {
    switch (message.kind) {
      case "start": {
        const { applierPort, appliedIndex, newestIndex } = message;
        return host.start(createPortApplier(applierPort), appliedIndex, newestIndex);
      }
      case "call": {
        const { address, method, payload, timeoutMs } = message;
        return host.rpc.call(address, method, payload, timeoutMs);
      }
      case "bootstrap":
        return host.bootstrap(message.configuration);
      case "join":
        return host.join(message.membership);
      case "change":
        return this.#asked(host, (replica) => replica.change(message.change));
      case "transfer":
        return this.#asked(host, (replica) => replica.transfer(message.to));
      case "checkDigest":
        return this.#asked(host, (replica) => replica.checkDigest());
    }
  }

  #asked<T>({ replica }: ReplicaHost, ask: (replica: Replica) => Promise<T>): Promise<T> {
    if (replica !== undefined) return ask(replica);
    return Promise.reject(new CairnError("REPLICA_NOT_LEADER", "replica: not leader"));
  }

  #propose(id: number, bytes: Uint8Array): void {
    const replica = this.#host?.replica;
    if (replica !== undefined) replica.propose(id, bytes);
    else this.#main.post({ kind: "failure", id, failure: "not-leader" });
  }

  #read({ id, via }: MessageOf<"read">): void {
    const replica = this.#host?.replica;
    if (replica !== undefined) return replica.read(id, via);
    const outcome = this.#granted({ ok: false, reason: "no-leader" });
    this.#main.post({ kind: "done", id, outcome });
  }

  async #settle(id: number, work: Promise<unknown>): Promise<void> {
    let outcome: Outcome<unknown>;
    try {
      outcome = { ok: true, value: await work };
    } catch (error) {
      outcome = { ok: false, error: toWireError(error) };
    }
    this.#main.post({ kind: "done", id, outcome });
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

  async #close(transferMs: number): Promise<void> {
    try {
      await this.#host?.close({ transferMs });
    } catch (error) {
      this.#main.post({ kind: "notice", text: `closing: ${toWireError(error).message}` });
    }
    this.#main.post({ kind: "closed" });
    this.#main.close();
  }
}

const { port, data } = threadStart<FromConsensus, ToConsensus, ConsensusSettings>();
const side = new ConsensusThreadSide(port, data);
side.open().catch((error: unknown) => side.fatal(error));
