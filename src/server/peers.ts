/**
 * What nodes tell each other about themselves, and the lists made of it: `/nodes`, `/readyz`, the
 * leader's URL (compat reference, 1.13 to 1.15).
 *
 * A learner that waits for its vote is listed as the non-voter that it is until then.
 * Invariant: a node that does not answer is still listed, with the reason.
 */
import { type Bytes, errorText, type Ms } from "#base";
import type { ConsensusThread } from "#replica";
import type { Member } from "#replica/types";
import { packCall, unpackCall } from "./forward.ts";
import type { Leadership } from "./leadership.ts";
import type { CallOptions, NodeInfo } from "./types.ts";

/** See the file's header. */
export interface Peers {
  /** Answers `info`: this node about itself. */
  describe(): Bytes;
  /** Voters, and with `nonVoters` everybody. */
  nodes(options: CallOptions & { readonly nonVoters: boolean }): Promise<readonly NodeInfo[]>;
  /** Asks the leader for its URL. */
  leaderApiUrl(timeoutMs: Ms): Promise<string | undefined>;
  /** Resolves if the leader's port answers. @throws as a call. */
  contactLeader(timeoutMs: Ms): Promise<void>;
}

export interface PeersOptions {
  readonly consensus: ConsensusThread;
  readonly leadership: Leadership;
  readonly version: string;
  /** This node's URL. */
  readonly apiUrl: () => string;
}

class ClusterPeers implements Peers {
  readonly #options: PeersOptions;

  constructor(options: PeersOptions) {
    this.#options = options;
  }

  describe(): Bytes {
    return packCall({ apiUrl: this.#options.apiUrl(), version: this.#options.version });
  }

  async nodes(
    options: CallOptions & { readonly nonVoters: boolean },
  ): Promise<readonly NodeInfo[]> {
    const { members = [], sets } = this.#options.consensus.configuration ?? {};
    const isVoter = ({ number }: Member): boolean => sets?.voters.includes(number) === true;
    const listed = members.filter((member) => options.nonVoters || isVoter(member));
    const infos = await Promise.all(
      listed.map((member) => this.#inspect(member, isVoter(member), options)),
    );
    return infos.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  async leaderApiUrl(timeoutMs: Ms): Promise<string | undefined> {
    const leader = this.#options.leadership.leader();
    if (leader === undefined) return undefined;
    return (await this.#ask(leader, timeoutMs)).apiUrl;
  }

  async contactLeader(timeoutMs: Ms): Promise<void> {
    const leader = this.#options.leadership.leader();
    if (leader !== undefined) await this.#ask(leader, timeoutMs);
  }

  async #ask(member: Member, timeoutMs: Ms): Promise<{ apiUrl: string; version: string }> {
    const { consensus, apiUrl, version } = this.#options;
    if (member.id === consensus.identity.nodeId) return { apiUrl: apiUrl(), version };
    const empty = new Uint8Array(0);
    const { head } = unpackCall(await consensus.call(member.address, "info", empty, timeoutMs));
    return { apiUrl: String(head["apiUrl"]), version: String(head["version"]) };
  }

  async #inspect(member: Member, voter: boolean, { timeoutMs }: CallOptions): Promise<NodeInfo> {
    const startedAt = performance.now();
    const base = {
      id: member.id,
      address: member.address,
      voter,
      leader: this.#options.leadership.leader()?.number === member.number,
    };
    try {
      const { apiUrl, version } = await this.#ask(member, timeoutMs);
      const timeMs = performance.now() - startedAt;
      return { ...base, apiAddress: apiUrl, version, reachable: true, timeMs, error: undefined };
    } catch (error) {
      return {
        ...base,
        apiAddress: undefined,
        version: "",
        reachable: false,
        timeMs: undefined,
        error: errorText(error),
      };
    }
  }
}

/** Makes the lists of one node. */
export function createPeers(options: PeersOptions): Peers {
  return new ClusterPeers(options);
}
