/**
 * What operators do to a node or its cluster: load a file, boot, snapshot, reap, remove a node,
 * hand over (compat reference, 1.8 to 1.11 and 1.14).
 *
 * Invariant: what changes the cluster is decided by the leader alone; other nodes pass it on.
 */
import { type Bytes, CairnError, errorText } from "#base";
import type { Random } from "#platform/types";
import type { ConsensusThread } from "#replica";
import type { Member } from "#replica/types";
import type { SqliteThreads } from "#sqlite/types";
import type { Counters } from "./counters.ts";
import { sendFile } from "./file-load.ts";
import { packCall, unpackCall } from "./forward.ts";
import type { Leadership } from "./leadership.ts";
import type { ClusterMembership } from "./membership.ts";
import type { Calls } from "./service.ts";
import type { BodyPieces, CallOptions, NodeService, Served, StateComparison } from "./types.ts";

type Offered =
  | "loadFile"
  | "boot"
  | "snapshot"
  | "reap"
  | "removeNode"
  | "stepDown"
  | "compareStates";

/** See the file's header. The calls are those of `NodeService`. */
export interface NodeOperations extends Pick<NodeService, Offered> {
  /** Answers `remove` of another node. @throws as `removeNode`; `REPLICA_NOT_LEADER` */
  answerRemove(payload: Bytes): Promise<Bytes>;
  /** Answers `stepDown` of another node. @throws as `stepDown`; `REPLICA_NOT_LEADER` */
  answerStepDown(payload: Bytes): Promise<Bytes>;
  /** Answers `compare` of another node. @throws as `compareStates`; `REPLICA_NOT_LEADER` */
  answerCompare(): Promise<Bytes>;
}

/** What they are made of. */
export interface NodeOperationsParts {
  readonly consensus: ConsensusThread;
  readonly sqlite: SqliteThreads;
  readonly leadership: Leadership;
  readonly calls: Calls;
  readonly counters: Counters;
  readonly membership: ClusterMembership;
  readonly random: Random;
  /** Shown as the server of what this node did itself. */
  readonly httpAddress: () => string;
  readonly onNotice: (text: string) => void;
}

type StepDownRequest = Parameters<NodeService["stepDown"]>[0];

class Operations implements NodeOperations {
  readonly #parts: NodeOperationsParts;

  constructor(parts: NodeOperationsParts) {
    this.#parts = parts;
  }

  async loadFile(file: BodyPieces, options: CallOptions): Promise<Served> {
    const { calls, counters } = this.#parts;
    const { servedBy } = await sendFile(file, this.#loadId(), (command) =>
      calls.execute(command, options),
    );
    counters.add("store", "num_loads");
    return { servedBy };
  }

  async boot(file: BodyPieces): Promise<void> {
    const { consensus, leadership, calls, counters } = this.#parts;
    if (!leadership.isLeader()) throw notLeader();
    if (consensus.configuration?.members.length !== 1) {
      throw new CairnError("SERVER_NOT_SINGLE_NODE", "server: boot: this node is not alone");
    }
    await sendFile(file, this.#loadId(), (command) =>
      calls.atLeader.execute(command, { timeoutMs: 0 }),
    );
    counters.add("store", "num_boots");
    await this.#parts.sqlite.checkpoint();
  }

  async snapshot(): Promise<boolean> {
    const { counters, sqlite } = this.#parts;
    counters.add("store", "num_user_snapshots");
    const isNew = await sqlite.checkpoint();
    if (isNew) counters.add("store", "num_snapshots");
    return isNew;
  }

  async reap(): Promise<{ snapshots: number; wals: number }> {
    // There is no store of snapshots: the database file is one, and its WAL is all that lags.
    const isNew = await this.#parts.sqlite.checkpoint();
    return { snapshots: 0, wals: isNew ? 1 : 0 };
  }

  async removeNode(id: string, options: CallOptions): Promise<Served> {
    return this.#decided(
      () => this.#parts.membership.remove(id),
      { method: "remove", head: { id } },
      "remote_remove_node",
      options,
    );
  }

  async answerRemove(payload: Bytes): Promise<Bytes> {
    this.#mustLead();
    this.#parts.counters.add("cluster", "num_remove_node_req");
    await this.#parts.membership.remove(String(unpackCall(payload).head["id"]));
    return packCall({});
  }

  async stepDown(request: StepDownRequest, options: CallOptions): Promise<Served> {
    const { target = "", wait } = request;
    return this.#decided(
      () => this.#handOver(request),
      { method: "stepDown", head: { target, wait } },
      "remote_stepdowns",
      options,
    );
  }

  async answerStepDown(payload: Bytes): Promise<Bytes> {
    this.#mustLead();
    this.#parts.counters.add("cluster", "num_stepdown_req");
    const { head } = unpackCall(payload);
    const target = String(head["target"] ?? "") || undefined;
    await this.#handOver({ target, wait: head["wait"] === true });
    return packCall({});
  }

  async compareStates(options: CallOptions): Promise<StateComparison> {
    const { calls, consensus } = this.#parts;
    const { timeoutMs, credentials } = options;
    return calls.route(
      () => this.#compareHere(),
      async ({ address }) => {
        const payload = packCall({ credentials });
        const { head } = unpackCall(await consensus.call(address, "compare", payload, timeoutMs));
        return head as unknown as StateComparison;
      },
      { timeoutMs, isRead: true },
    );
  }

  async answerCompare(): Promise<Bytes> {
    this.#mustLead();
    return packCall(await this.#compareHere());
  }

  async #compareHere(): Promise<StateComparison> {
    const { consensus, membership } = this.#parts;
    const { index, digest = null, differing, silent } = await membership.compare();
    const members = consensus.configuration?.members ?? [];
    const named = (numbers: readonly number[]): string[] =>
      numbers.map((number) => members.find((one) => one.number === number)?.id ?? `#${number}`);
    return { index, digest, differing: named(differing), silent: named(silent) };
  }

  async #decided(
    here: () => Promise<void>,
    call: { readonly method: string; readonly head: object },
    counter: string,
    { timeoutMs, credentials }: CallOptions,
  ): Promise<Served> {
    const { calls, consensus, counters, httpAddress } = this.#parts;
    const there = async (leader: Member): Promise<Served> => {
      counters.add("proxy", counter);
      const payload = packCall({ ...call.head, credentials });
      await consensus.call(leader.address, call.method, payload, timeoutMs);
      return { servedBy: leader.address };
    };
    return calls.route(async () => {
      await here();
      return { servedBy: httpAddress() };
    }, there);
  }

  async #handOver({ target, wait }: StepDownRequest): Promise<void> {
    const { leadership, membership, onNotice } = this.#parts;
    if (target !== undefined && target === leadership.leader()?.id) {
      const why = "cannot step down to the current Leader";
      throw new CairnError("SERVER_MEMBERSHIP_REFUSED", why);
    }
    const handOver = membership.handOver(target);
    if (wait) return handOver;
    // What is refused at once is told at once; what fails later is not waited for.
    const early = new Promise<void>((resolve) => setImmediate(resolve));
    handOver.catch((error: unknown) => onNotice(`stepdown failed: ${errorText(error)}`));
    await Promise.race([handOver, early]);
  }

  #mustLead(): void {
    if (!this.#parts.leadership.isLeader()) throw notLeader();
  }

  #loadId(): bigint {
    return new DataView(this.#parts.random.bytes(8).buffer).getBigUint64(0, true);
  }
}

const notLeader = (): CairnError => new CairnError("REPLICA_NOT_LEADER", "not leader");

/** Makes the operations of one node. */
export function createNodeOperations(parts: NodeOperationsParts): NodeOperations {
  return new Operations(parts);
}
