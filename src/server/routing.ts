/**
 * Which node answers: this one, or the leader; and how long to look for a leader.
 *
 * A client that comes while the cluster is between two leaders is not sent away at once: nearly
 * always there is one within an election timeout or two. Invariant: a call is made again only after
 * a refusal that says for certain that it was not carried out.
 */
import { CairnError, isCairnError, type Ms } from "#base";
import type { ConsensusThread } from "#replica";
import type { Member } from "#replica/types";
import type { Leadership } from "./leadership.ts";
import type { CallOptions, NodeConfig } from "./types.ts";

/** A node that has had no leader for so many election timeouts does not wait for one any more. */
const LEADERLESS_TIMEOUTS = 3;
/** Between two tries where nothing has changed. */
const RETRY_MS: Ms = 100;
/** A hand-over takes a few round trips. */
const HANDOVER_RETRY_MS: Ms = 20;

/** What it looks at. */
export interface RoutingParts {
  readonly config: NodeConfig;
  readonly consensus: Pick<ConsensusThread, "isSound">;
  readonly leadership: Leadership;
}

/** See the file's header. */
export interface Routing {
  /**
   * Runs `here` if this node leads, else `there` with the leader; again after a definite refusal,
   * while there is hope for another leader. @throws `SERVER_NO_LEADER`, `REPLICA_DIVERGED`
   */
  route<T>(
    here: () => Promise<T>,
    there: (leader: Member) => Promise<T>,
    options?: RouteOptions,
  ): Promise<T>;
  /** Runs `call` if this node leads. @throws `REPLICA_NOT_LEADER`, `REPLICA_DIVERGED` */
  leading<T>(call: () => Promise<T>): Promise<T>;
  /** @throws `REPLICA_DIVERGED` while the state here is not what it should be. */
  checkSound(): void;
  /** Without a leader for so long, there is no hope for one. */
  readonly leaderlessMsMax: Ms;
}

export const noLeader = (): CairnError => new CairnError("SERVER_NO_LEADER", "leader not found");

/** How a call is routed. */
export interface RouteOptions extends Pick<CallOptions, "timeoutMs"> {
  /** It changes nothing: a broken connection is no reason not to make it again. */
  readonly isRead?: boolean;
}

/** Whether the call was certainly not carried out, and may find another leader. */
function mayRepeat(error: unknown, isRead: boolean, wasHere: boolean): boolean {
  const codes = ["NET_UNREACHABLE", "REPLICA_NOT_LEADER", "REPLICA_TRANSFERRING"] as const;
  if (isRead && isCairnError(error, "REPLICA_PEER_FAILED")) return true;
  // A leader that stops takes nothing more; the others will find another one.
  if (!wasHere && isCairnError(error, "REPLICA_STOPPED")) return true;
  return codes.some((code) => isCairnError(error, code));
}

class LeaderRouting implements Routing {
  readonly #parts: RoutingParts;
  readonly leaderlessMsMax: Ms;

  constructor(parts: RoutingParts) {
    this.#parts = parts;
    const { heartbeatTimeoutMs, electionTimeoutMs } = parts.config;
    this.leaderlessMsMax = Math.max(heartbeatTimeoutMs, electionTimeoutMs) * LEADERLESS_TIMEOUTS;
  }

  async route<T>(
    here: () => Promise<T>,
    there: (leader: Member) => Promise<T>,
    { timeoutMs, isRead = false }: RouteOptions = { timeoutMs: Number.POSITIVE_INFINITY },
  ): Promise<T> {
    const { leadership } = this.#parts;
    this.checkSound();
    const startedAt = performance.now();
    for (;;) {
      const leader = leadership.leader();
      const isHere = leadership.isLeader();
      let refusal: unknown;
      try {
        if (leader !== undefined) return await (isHere ? here() : there(leader));
      } catch (error) {
        if (!mayRepeat(error, isRead, isHere)) throw error;
        refusal = error;
      }
      const spentMs = performance.now() - startedAt;
      const isHandover = isCairnError(refusal, "REPLICA_TRANSFERRING");
      const hopeMs = isHandover ? timeoutMs - spentMs : this.#hopeMs(spentMs, timeoutMs);
      if (hopeMs <= 0) throw isHandover ? refusal : noLeader();
      await leadership.change(Math.min(isHandover ? HANDOVER_RETRY_MS : RETRY_MS, hopeMs));
    }
  }

  leading<T>(call: () => Promise<T>): Promise<T> {
    try {
      this.checkSound();
    } catch (error) {
      return Promise.reject(error);
    }
    if (this.#parts.leadership.isLeader()) return call();
    return Promise.reject(new CairnError("REPLICA_NOT_LEADER", "not leader"));
  }

  checkSound(): void {
    if (this.#parts.consensus.isSound) return;
    throw new CairnError(
      "REPLICA_DIVERGED",
      "server: the state of this node differs from the majority's and is being fetched anew",
    );
  }

  #hopeMs(spentMs: Ms, timeoutMs: Ms): Ms {
    const leaderlessMs = this.#parts.leadership.leaderlessMs();
    return Math.min(timeoutMs, this.leaderlessMsMax) - Math.max(spentMs, leaderlessMs);
  }
}

/** Makes the routing of one node. */
export function createRouting(parts: RoutingParts): Routing {
  return new LeaderRouting(parts);
}
