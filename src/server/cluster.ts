/**
 * How a node comes to know its cluster: from its log, by bootstrapping alone, by bootstrapping
 * together, by asking members that already know, or through a store that knows who leads (compat
 * reference, 6.2).
 *
 * Together: every node tells every address of its `-join` list who it is, again and again. A node
 * that has heard of N voters, itself included, and has the smallest id among them makes the
 * cluster; the others learn it from the answers. Invariant: a node has at most one cluster in its
 * life.
 */
import { type Bytes, CairnError, errorText, isCairnError, type Ms } from "#base";
import { nodeRandom } from "#platform";
import { type ConsensusThread, createConfiguration } from "#replica";
import type { Configuration, Member } from "#replica/types";
import type { Discovery } from "./discovery/types.ts";
import { packCall, unpackCall } from "./forward.ts";
import type { Credentials, NodeConfig } from "./types.ts";

/** How long one question to one address may take. */
const CALL_TIMEOUT_MS = 1000;
/** Between two looks at a key in a store, as the reference. */
const STORE_ROUND_MS = 3000;
/** Between two rounds; short, because a cluster that starts should not be waited for. */
const ROUND_MS = 200;

type Candidate = Omit<Member, "number">;

/** The node's part in the making of a cluster. */
export interface ClusterFormation {
  /**
   * Answers `notify`: takes note of the caller and tells what is known. @throws
   * `REPLICA_IDENTITY_MISMATCH`
   */
  notify(payload: Bytes): Promise<Bytes>;
  /**
   * Runs until the node knows its cluster. @throws `SERVER_JOIN_FAILED`,
   * `REPLICA_IDENTITY_MISMATCH`
   */
  form(): Promise<void>;
  /** Ends a `form` that is under way. */
  stop(): void;
}

const pause = (ms: Ms): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function candidateFrom(head: Record<string, unknown>): Candidate {
  const { id, address, incarnation } = head;
  if (typeof id !== "string" || typeof address !== "string" || typeof incarnation !== "string") {
    throw new CairnError("BYTES_MALFORMED", "server: notify without id, address or incarnation");
  }
  return { id, address, incarnation };
}

/**
 * @throws `REPLICA_IDENTITY_MISMATCH` unless the candidate is a member, with the same data
 * directory as then.
 */
function checkMember(configuration: Configuration, candidate: Candidate): void {
  const member = configuration.members.find(({ id }) => id === candidate.id);
  if (member === undefined) {
    throw new CairnError(
      "REPLICA_IDENTITY_MISMATCH",
      `server: node ${candidate.id} is no member of cluster ${configuration.clusterId}, ` +
        "and members cannot be added to a running cluster yet",
    );
  }
  if (member.incarnation !== candidate.incarnation) {
    throw new CairnError(
      "REPLICA_IDENTITY_MISMATCH",
      `server: node ${candidate.id} is a member of cluster ${configuration.clusterId}, ` +
        "but with another data directory: what it had promised is lost",
    );
  }
  if (member.address !== candidate.address) {
    throw new CairnError(
      "REPLICA_IDENTITY_MISMATCH",
      `server: node ${candidate.id} joined as ${member.address} and now advertises ` +
        `${candidate.address}: addresses cannot be changed yet`,
    );
  }
}

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
    const known = this.#consensus.configuration;
    if (known !== undefined) {
      checkMember(known, candidate);
      return packCall({ configuration: known });
    }
    this.#heard.set(candidate.id, candidate);
    await this.#bootstrapIfComplete();
    return packCall({ configuration: this.#consensus.configuration ?? null });
  }

  async form(): Promise<void> {
    const { join, bootstrapExpect } = this.#config;
    const { discovery } = this.#options;
    const known = this.#consensus.configuration;
    if (known !== undefined) return checkMember(known, this.#self);
    if (discovery?.hasFounder) return this.#joinOrFound(discovery);
    if (join.length === 0 && discovery === undefined && bootstrapExpect <= 1) {
      return this.#consensus.bootstrap(createConfiguration([this.#self]));
    }
    const limit =
      bootstrapExpect > 0
        ? { attempts: Number.POSITIVE_INFINITY, ms: this.#config.bootstrapExpectTimeoutMs }
        : { attempts: this.#config.joinAttempts, ms: Number.POSITIVE_INFINITY };
    await this.#ask(limit.attempts, limit.ms);
  }

  stop(): void {
    this.#stopped = true;
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
    return this.#stopped || this.#consensus.configuration !== undefined;
  }

  /** Whom to ask in this round. */
  async #addresses(): Promise<readonly string[]> {
    const { discovery } = this.#options;
    if (discovery === undefined) return this.#config.join;
    return (await this.#discovered(discovery)) ?? [];
  }

  async #ask(attempts: number, limitMs: Ms): Promise<void> {
    const startedAt = performance.now();
    const roundMs = this.#config.bootstrapExpect > 0 ? ROUND_MS : this.#config.joinIntervalMs;
    let reason = "nobody was asked";
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const addresses = await this.#addresses();
      for (const address of addresses) {
        if (this.#isDone()) return;
        if (address === this.#self.address) continue;
        reason = await this.#askOne(address);
      }
      await this.#bootstrapIfComplete();
      if (this.#isDone()) return;
      if (performance.now() - startedAt > limitMs) break;
      if (attempt < attempts) await pause(roundMs * (0.75 + this.#random.fraction() / 2));
    }
    throw new CairnError(
      "SERVER_JOIN_FAILED",
      `server: could not join a cluster through ${this.#others()}: ${reason}`,
    );
  }

  #others(): string {
    const { discovery } = this.#options;
    return discovery === undefined ? this.#config.join.join(", ") : discovery.mode;
  }

  /** @returns why it did not help, or the empty string. */
  async #askOne(address: string): Promise<string> {
    try {
      const answer = await this.#consensus.call(
        address,
        "notify",
        packCall({ ...this.#self, credentials: this.#options.credentials }),
        CALL_TIMEOUT_MS,
      );
      const { configuration } = unpackCall(answer).head;
      if (configuration !== null && this.#consensus.configuration === undefined) {
        // The other node's consensus thread checked it when it took it up itself.
        await this.#consensus.bootstrap(configuration as Configuration);
      }
      return `${address} knows no cluster yet`;
    } catch (error) {
      if (isCairnError(error, "REPLICA_IDENTITY_MISMATCH")) throw error;
      return errorText(error);
    }
  }

  async #bootstrapIfComplete(): Promise<void> {
    const { bootstrapExpect } = this.#config;
    if (bootstrapExpect < 1 || this.#heard.size < bootstrapExpect) return;
    if (this.#consensus.configuration !== undefined) return;
    const members = [...this.#heard.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    // One founder: the others take what it decided, so that two halves cannot found two clusters.
    if (members[0]?.id !== this.#self.id) return;
    await this.#consensus.bootstrap(createConfiguration(members));
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
