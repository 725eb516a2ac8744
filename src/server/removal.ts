/**
 * How nodes leave their cluster: this one, when it was removed or removes itself; others, when this
 * node leads and they have been silent for too long (compat reference, 6.5).
 *
 * Invariant: a node that knows that it was removed serves no call that needs a leader.
 */
import { CairnError, errorText, type Ms } from "#base";
import type { ConsensusThread } from "#replica";
import type { Member, ReplicaStatus } from "#replica/types";
import type { Counters } from "./counters.ts";
import { packCall } from "./forward.ts";
import type { Leadership } from "./leadership.ts";
import { type ClusterMembership, memberAmong } from "./membership.ts";
import type { Calls } from "./service.ts";
import type { Credentials, NodeConfig } from "./types.ts";

/** How often the silence of members is looked at. */
const ROUND_MS: Ms = 1000;
/** As the reference: so often, so far apart, so long for each, and no longer in all. */
const LEAVE_ATTEMPTS = 5;
const LEAVE_PAUSE_MS: Ms = 250;
const LEAVE_CALL_MS: Ms = 5000;
const LEAVE_MS: Ms = 10_000;

/** See the file's header. */
export interface Removal {
  /** Was this node taken out of its cluster? */
  isRemoved(): boolean;
  /** Was it, and does it stop its part in consensus because of that (`-raft-remove-shutdown`)? */
  isShutDown(): boolean;
  /**
   * Asks the leader to take this node out, and waits until it has.
   *
   * @throws `SERVER_MEMBERSHIP_REFUSED` when it could not be done in time.
   */
  leave(): Promise<void>;
  stop(): void;
}

/** What it is made of. */
export interface RemovalParts {
  readonly config: NodeConfig;
  readonly consensus: ConsensusThread;
  readonly leadership: Leadership;
  readonly membership: ClusterMembership;
  readonly calls: Pick<Calls, "route">;
  readonly counters: Counters;
  /** As whom this node asks others. */
  readonly credentials: Credentials | undefined;
  readonly onNotice: (text: string) => void;
}

const pause = (ms: Ms): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

class WatchedRemoval implements Removal {
  readonly #parts: RemovalParts;
  readonly #timer: NodeJS.Timeout;
  #isRemoved = false;
  /** Since when this node leads, for members that have not answered it yet. */
  #leadsSince: Ms | undefined;
  #isReaping = false;

  constructor(parts: RemovalParts) {
    this.#parts = parts;
    parts.consensus.onConfiguration((configuration, isCommitted) => {
      if (isCommitted) this.#note(!this.#isMember(configuration));
    });
    this.#timer = setInterval(() => void this.#look(), ROUND_MS);
    this.#timer.unref();
  }

  isRemoved(): boolean {
    return this.#isRemoved;
  }

  isShutDown(): boolean {
    return this.#isRemoved && this.#parts.config.leaving.stopsWhenRemoved;
  }

  async leave(): Promise<void> {
    const { consensus, leadership } = this.#parts;
    const id = consensus.identity.nodeId;
    const deadline = performance.now() + LEAVE_MS;
    let reason = "nobody leads";
    for (let attempt = 0; attempt < LEAVE_ATTEMPTS && this.#isMember(); attempt += 1) {
      try {
        await this.#askToLeave(id);
        // What the leader has committed comes here with its next word, or never.
        await leadership.change(LEAVE_PAUSE_MS);
        return;
      } catch (error) {
        reason = errorText(error);
      }
      if (performance.now() > deadline) break;
      await pause(LEAVE_PAUSE_MS);
    }
    if (!this.#isMember()) return;
    throw new CairnError(
      "SERVER_MEMBERSHIP_REFUSED",
      `server: node ${id} could not be removed from its cluster: ${reason}`,
    );
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #askToLeave(id: string): Promise<void> {
    const { calls, consensus, membership, credentials } = this.#parts;
    return calls.route(
      () => membership.remove(id),
      async ({ address }: Member) => {
        await consensus.call(address, "remove", packCall({ id, credentials }), LEAVE_CALL_MS);
      },
    );
  }

  #isMember(configuration = this.#parts.consensus.configuration): boolean {
    const { identity } = this.#parts.consensus;
    if (configuration === undefined) return true;
    const { nodeId: id, incarnation } = identity;
    return memberAmong(configuration, { id, incarnation }) !== undefined;
  }

  #note(isRemoved: boolean): void {
    if (isRemoved === this.#isRemoved) return;
    this.#isRemoved = isRemoved;
    this.#parts.leadership.setRemoved(isRemoved);
    const { clusterId = "" } = this.#parts.consensus.configuration ?? {};
    this.#parts.onNotice(`this node is ${isRemoved ? "out of" : "in"} cluster ${clusterId}`);
  }

  async #look(): Promise<void> {
    const { consensus, leadership } = this.#parts;
    if (!leadership.isLeader()) {
      this.#leadsSince = undefined;
      // Nobody sends anything to a node that was removed while it was away: voters tell it when
      // it asks for their votes.
      if (leadership.leaderlessMs() > ROUND_MS && (await consensus.status())?.removed) {
        this.#note(true);
      }
      return;
    }
    this.#leadsSince ??= performance.now();
    const { reapVoterMs, reapNonVoterMs } = this.#parts.config.leaving;
    if ((reapVoterMs <= 0 && reapNonVoterMs <= 0) || this.#isReaping) return;
    this.#isReaping = true;
    try {
      const status = await consensus.status();
      for (const id of this.#overdue(status)) await this.#reap(id);
    } finally {
      this.#isReaping = false;
    }
  }

  #overdue(status: ReplicaStatus | undefined): string[] {
    const { config, consensus } = this.#parts;
    const { reapVoterMs, reapNonVoterMs } = config.leaving;
    const leadsMs = performance.now() - (this.#leadsSince ?? performance.now());
    const members = consensus.configuration?.members ?? [];
    const ids: string[] = [];
    for (const { peer, voter, silenceMs } of status?.peers ?? []) {
      const limitMs = voter ? reapVoterMs : reapNonVoterMs;
      const member = members.find(({ number }) => number === peer);
      if (limitMs <= 0 || member === undefined) continue;
      if ((silenceMs < 0 ? leadsMs : silenceMs) > limitMs) ids.push(member.id);
    }
    return ids;
  }

  async #reap(id: string): Promise<void> {
    const { membership, counters, onNotice } = this.#parts;
    try {
      await membership.remove(id);
      counters.add("store", "nodes_reaped_ok");
      onNotice(`member ${id} was silent for too long and is removed`);
    } catch (error) {
      counters.add("store", "nodes_reaped_failed");
      onNotice(`member ${id} was silent for too long, but stays: ${errorText(error)}`);
    }
  }
}

/** Starts to watch. */
export function watchRemoval(parts: RemovalParts): Removal {
  return new WatchedRemoval(parts);
}
