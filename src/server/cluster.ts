/**
 * How a node comes to know its cluster: from its log, by bootstrapping alone, by bootstrapping
 * together, by joining one that runs, or through a store that knows who leads (compat reference,
 * 6.2).
 *
 * Together: every node tells every address of its `-join` list who it is, again and again. A node
 * that has heard of N voters, itself included, and has the smallest id among them makes the
 * cluster; the others learn it from the answers. A member that starts again asks to join as well:
 * that is how the others learn its new address. Invariant: a node has at most one cluster in its
 * life.
 */
import { type Bytes, CairnError, errorText, isCairnError, type Ms } from "#base";
import { nodeRandom } from "#platform";
import { type ConsensusThread, createConfiguration } from "#replica";
import type { Configuration } from "#replica/types";
import type { Discovery } from "./discovery/types.ts";
import { packCall, unpackCall } from "./forward.ts";
import { servesHttp } from "./join-probe.ts";
import {
  type Candidate,
  candidateFrom,
  isFounding,
  type JoinAnswer,
  memberAmong,
} from "./membership.ts";
import type { Credentials, NodeConfig } from "./types.ts";

/** How long one question to one address may take. */
const NOTIFY_TIMEOUT_MS = 1000;
/** A join waits until it is committed, perhaps behind another one. */
const JOIN_TIMEOUT_MS = 10_000;
/** Between two looks at a key in a store, as the reference. */
const STORE_ROUND_MS = 3000;
/** Between two rounds; short, because a cluster that starts should not be waited for. */
const ROUND_MS = 200;

/** The node's part in the making of a cluster. */
export interface ClusterFormation {
  /** Answers `notify`: takes note of the caller and tells what is known. */
  notify(payload: Bytes): Promise<Bytes>;
  /**
   * Runs until the node knows its cluster, and its cluster knows where it is. @throws
   * `SERVER_JOIN_FAILED`, `REPLICA_IDENTITY_MISMATCH`
   */
  form(): Promise<void>;
  /** Ends a `form` that is under way. */
  stop(): void;
}

const pause = (ms: Ms): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const joinFailed = (text: string): CairnError => new CairnError("SERVER_JOIN_FAILED", text);

/** What the making of a cluster needs besides the node itself. */
export interface FormationOptions {
  /** What this node advertises to the others. */
  readonly address: string;
  /** Undefined: the others are named by `-join`, or there are none. */
  readonly discovery?: Discovery | undefined;
  /** URL of this node's HTTP API, for a store that lists leaders. */
  readonly apiUrl?: () => string;
  /** As whom this node asks others (`-join-as`). */
  readonly credentials?: Credentials | undefined;
  /** Told what discovery has to complain about. */
  readonly onNotice?: (text: string) => void;
}

class Formation implements ClusterFormation {
  readonly #options: FormationOptions;
  readonly #config: NodeConfig;
  readonly #consensus: ConsensusThread;
  readonly #self: Candidate;
  readonly #random = nodeRandom();
  readonly #heard = new Map<string, Candidate>();
  #stopped = false;
  /** A cluster has told us in this process that we are in it. */
  #isConfirmed = false;
  /** Begun at most once, with those who were there then. */
  #foundation: Promise<unknown> | undefined;

  constructor(config: NodeConfig, consensus: ConsensusThread, options: FormationOptions) {
    this.#options = options;
    const { address } = options;
    this.#config = config;
    this.#consensus = consensus;
    const { nodeId, incarnation } = consensus.identity;
    this.#self = { id: nodeId, address, incarnation };
    this.#heard.set(nodeId, this.#self);
  }

  async notify(payload: Bytes): Promise<Bytes> {
    const candidate = candidateFrom(unpackCall(payload).head);
    if (this.#consensus.configuration === undefined) {
      this.#heard.set(candidate.id, candidate);
      await this.#bootstrapIfComplete();
    }
    const known = this.#consensus.configuration;
    // Whoever is no founder has to join.
    const isTheirs =
      known !== undefined && isFounding(known) && memberAmong(known, candidate) !== undefined;
    return packCall({ configuration: isTheirs ? known : null });
  }

  async form(): Promise<void> {
    const { join, bootstrapExpect, nonVoter } = this.#config;
    const { discovery } = this.#options;
    const known = this.#consensus.configuration;
    if (known !== undefined) return this.#resume(known);
    if (discovery?.hasFounder) return this.#joinOrFound(discovery);
    if (join.length === 0 && discovery === undefined && bootstrapExpect <= 1) {
      if (nonVoter) {
        const what = "cannot create a new non-voting node";
        throw joinFailed(`${what} without joining it to an existing cluster`);
      }
      return this.#consensus.bootstrap(createConfiguration([this.#self]));
    }
    await this.#ask();
  }

  stop(): void {
    this.#stopped = true;
  }

  /** A node that has a cluster already: the others may have to learn where it is now. */
  async #resume(known: Configuration): Promise<void> {
    const { join, bootstrapExpect } = this.#config;
    const { discovery } = this.#options;
    const own = memberAmong(known, this.#self);
    const isHere = own?.address === this.#self.address;
    if (join.length === 0 && discovery === undefined) {
      if (own !== undefined && !isHere) {
        const moved = `${own.address} to ${this.#self.address}`;
        this.#complain(`moved from ${moved}: the others learn that only through -join`);
      }
      return;
    }
    if (own !== undefined && known.members.length === 1) {
      if (discovery !== undefined || bootstrapExpect > 0) return;
      const what = "node is the only node in a single-node cluster";
      throw joinFailed(`${what}, joining other clusters not supported`);
    }
    // Founders that start together again need no leader to find each other.
    if (isHere && (bootstrapExpect > 0 || discovery !== undefined)) return;
    try {
      await this.#ask();
    } catch (error) {
      // A member that nobody answers now is a member nevertheless.
      if (own === undefined || !isCairnError(error, "SERVER_JOIN_FAILED")) throw error;
      this.#complain(`not joined anew: ${error.message}`);
    }
  }

  /** Asks a store who leads, until there is a cluster; founds it if the store has nobody. */
  async #joinOrFound(discovery: Discovery): Promise<void> {
    const { address, apiUrl = () => "" } = this.#options;
    for (;;) {
      const leaders = await this.#discovered(discovery);
      for (const leader of leaders ?? []) {
        if (leader !== address) this.#complain(await this.#askOne(leader));
      }
      if (this.#isDone()) return;
      if (leaders?.length === 0 && !this.#config.nonVoter) {
        const self = { id: this.#self.id, apiUrl: apiUrl(), address };
        if (await this.#attempt(() => discovery.claim(self), false)) {
          return this.#consensus.bootstrap(createConfiguration([this.#self]));
        }
        if (this.#isDone()) return;
      }
      await pause(STORE_ROUND_MS * (0.75 + this.#random.fraction() / 2));
      if (this.#isDone()) return;
    }
  }

  /** Undefined if the store did not answer: then nobody knows who is there. */
  #discovered(discovery: Discovery): Promise<readonly string[] | undefined> {
    return this.#attempt<readonly string[] | undefined>(() => discovery.find(), undefined);
  }

  async #attempt<T>(ask: () => Promise<T>, otherwise: T): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (!isCairnError(error, "SERVER_DISCOVERY_FAILED")) throw error;
      this.#complain(error.message);
      return otherwise;
    }
  }

  #complain(text: string): void {
    if (text !== "") this.#options.onNotice?.(text);
  }

  #isDone(): boolean {
    return this.#stopped || this.#isConfirmed;
  }

  /** Whom to ask in this round. */
  async #addresses(): Promise<readonly string[]> {
    const { discovery } = this.#options;
    if (discovery === undefined) return this.#config.join;
    return (await this.#discovered(discovery)) ?? [];
  }

  async #ask(): Promise<void> {
    const { bootstrapExpect, bootstrapExpectTimeoutMs, joinAttempts, joinIntervalMs } =
      this.#config;
    const isTogether = bootstrapExpect > 0;
    const startedAt = performance.now();
    let reason = "nobody was asked";
    for (let attempt = 1; isTogether || attempt <= joinAttempts; attempt += 1) {
      for (const address of await this.#addresses()) {
        if (this.#isDone()) return;
        if (address === this.#self.address) continue;
        reason = await this.#askOne(address);
      }
      await this.#bootstrapIfComplete();
      if (this.#isDone()) return;
      if (isTogether && performance.now() - startedAt > bootstrapExpectTimeoutMs) break;
      if (!isTogether && attempt === joinAttempts) break;
      const roundMs = isTogether ? ROUND_MS : joinIntervalMs;
      await pause(roundMs * (0.75 + this.#random.fraction() / 2));
    }
    throw joinFailed(`server: could not join a cluster through ${this.#others()}: ${reason}`);
  }

  #others(): string {
    const { discovery } = this.#options;
    return discovery === undefined ? this.#config.join.join(", ") : discovery.mode;
  }

  /** @returns why it did not help, or the empty string. */
  async #askOne(address: string): Promise<string> {
    try {
      if (await this.#joinThrough(address)) return "";
      return `${address} knows no cluster yet`;
    } catch (error) {
      if (isCairnError(error, "REPLICA_IDENTITY_MISMATCH")) throw error;
      await this.#checkPort(address, error);
      return errorText(error);
    }
  }

  async #joinThrough(address: string): Promise<boolean> {
    const { nonVoter, bootstrapExpect } = this.#config;
    const method = nonVoter ? "joinNonVoter" : "join";
    const answer = (await this.#call(address, method, JOIN_TIMEOUT_MS)) as unknown as JoinAnswer;
    switch (answer.kind) {
      case "member": {
        const { number, configuration } = answer;
        await this.#consensus.join({ number, configuration });
        this.#isConfirmed = true;
        return true;
      }
      case "founder":
        return this.#found(answer.configuration);
      case "none": {
        if (nonVoter || bootstrapExpect === 0) return false;
        const { configuration } = await this.#call(address, "notify", NOTIFY_TIMEOUT_MS);
        return configuration !== null && this.#found(configuration as Configuration);
      }
    }
  }

  /** The other node's consensus thread checked it when it took it up itself. */
  async #found(configuration: Configuration): Promise<boolean> {
    await this.#consensus.bootstrap(configuration);
    this.#isConfirmed = true;
    return true;
  }

  async #call(address: string, method: string, limitMs: Ms): Promise<Record<string, unknown>> {
    const { credentials } = this.#options;
    const payload = packCall({ ...this.#self, credentials });
    return unpackCall(await this.#consensus.call(address, method, payload, limitMs)).head;
  }

  /** @throws `SERVER_JOIN_FAILED` for an address that speaks HTTP, which waiting does not help. */
  async #checkPort(address: string, error: unknown): Promise<void> {
    const isBroken =
      isCairnError(error, "REPLICA_PEER_FAILED") || isCairnError(error, "NET_UNREACHABLE");
    if (!isBroken || this.#options.discovery !== undefined) return;
    if (!(await servesHttp(address))) return;
    throw joinFailed(`join address ${address} appears to be serving HTTP when it should be Raft`);
  }

  async #bootstrapIfComplete(): Promise<void> {
    const { bootstrapExpect } = this.#config;
    if (this.#consensus.configuration !== undefined) return;
    if (bootstrapExpect < 1 || this.#heard.size < bootstrapExpect) return;
    const members = [...this.#heard.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    // One founder: the others take what it decided, so that two halves cannot found two clusters.
    if (members[0]?.id !== this.#self.id) return;
    this.#foundation ??= this.#found(createConfiguration(members));
    await this.#foundation;
  }
}

/** Takes part in the making of a cluster. */
export function createClusterFormation(
  config: NodeConfig,
  consensus: ConsensusThread,
  options: FormationOptions,
): ClusterFormation {
  return new Formation(config, consensus, options);
}
