/**
 * Discovery: how a node finds others without a `-join` list (compat reference, 6.2 and 6.3).
 *
 * The making of a cluster knows this interface and nothing of DNS, Consul or etcd. Invariant: of
 * all nodes that ask one store, at most one is ever told that it may found the cluster.
 */
import type { DiscoveryMode } from "../node-config.ts";

/** A node as a store knows it. */
export interface DiscoveredNode {
  readonly id: string;
  /** Full URL of its HTTP API. */
  readonly apiUrl: string;
  /** Raft address. */
  readonly address: string;
}

/** See the file's header. */
export interface Discovery {
  readonly mode: DiscoveryMode;
  /**
   * Whether one node founds the cluster and the others join it (key-value stores), or all found it
   * together with `-bootstrap-expect` (DNS).
   */
  readonly hasFounder: boolean;
  /**
   * Raft addresses of nodes that may know the cluster; with a founder: of its leader. Empty when
   * nobody is known yet.
   *
   * @throws `SERVER_DISCOVERY_FAILED` when the store or the name server does not answer.
   */
  find(): Promise<readonly string[]>;
  /**
   * Writes `self` down as leader if nobody is, in one atomic step. @returns whether it did: then it
   * may found the cluster, alone. @throws `SERVER_DISCOVERY_FAILED`
   */
  claim(self: DiscoveredNode): Promise<boolean>;
  /** Writes the leader down, whoever was there before. @throws `SERVER_DISCOVERY_FAILED` */
  report(leader: DiscoveredNode): Promise<void>;
  /** What `/status` shows under `disco`. */
  status(): Readonly<Record<string, unknown>>;
}

/** What is asked of Consul or etcd. All methods throw `SERVER_DISCOVERY_FAILED`. */
export interface LeaderStore {
  /** The value of the key; undefined if there is none. */
  read(): Promise<string | undefined>;
  /** Sets the key if there is none. @returns whether it was set. */
  create(value: string): Promise<boolean>;
  /** Sets the key. */
  write(value: string): Promise<void>;
}
