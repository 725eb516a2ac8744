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
import type { Calls } from "./service.ts";
import type { BodyPieces, CallOptions, NodeService, Served } from "./types.ts";

type Offered = "loadFile" | "boot" | "snapshot" | "reap" | "removeNode" | "stepDown";

/** See the file's header. The calls are those of `NodeService`. */
export interface NodeOperations extends Pick<NodeService, Offered> {
  /** Answers `remove` of another node. @throws as `removeNode`; `REPLICA_NOT_LEADER` */
  answerRemove(payload: Bytes): Promise<Bytes>;
  /** Answers `stepDown` of another node. @throws as `stepDown`; `REPLICA_NOT_LEADER` */
  answerStepDown(payload: Bytes): Promise<Bytes>;
}

/** What they are made of. */
export interface NodeOperationsParts {
  readonly consensus: ConsensusThread;
  readonly sqlite: SqliteThreads;
  readonly leadership: Leadership;
  readonly calls: Calls;
  readonly counters: Counters;
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
      async () => this.#remove(id),
      { method: "remove", head: { id } },
      "remote_remove_node",
      options,
    );
  }

  async answerRemove(payload: Bytes): Promise<Bytes> {
    this.#mustLead();
    this.#parts.counters.add("cluster", "num_remove_node_req");
    await this.#remove(String(unpackCall(payload).head["id"]));
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

  async #remove(id: string): Promise<void> {
    const members = this.#parts.consensus.configuration?.members ?? [];
    if (!members.some((member) => member.id === id)) return;
    throw new CairnError(
      "SERVER_MEMBERSHIP_REFUSED",
      members.length === 1
        ? "need at least one voter in configuration"
        : "nodes cannot be removed from a running cluster yet",
    );
  }

  async #handOver({ target, wait }: StepDownRequest): Promise<void> {
    const { consensus, leadership, onNotice } = this.#parts;
    const refuse = (why: string): never => {
      throw new CairnError("SERVER_MEMBERSHIP_REFUSED", why);
    };
    if (target === leadership.leader()?.id) refuse("cannot step down to the current Leader");
    const members = consensus.configuration?.members ?? [];
    if (target !== undefined && !members.some(({ id }) => id === target)) {
      refuse("node not found in cluster");
    }
    const transfer = this.#transfer(members.length);
    if (wait) return transfer;
    transfer.catch((error: unknown) => onNotice(`stepdown failed: ${errorText(error)}`));
  }

  async #transfer(memberCount: number): Promise<void> {
    const why = memberCount < 2 ? "cannot find peer" : "leadership cannot be handed over yet";
    throw new CairnError("SERVER_MEMBERSHIP_REFUSED", why);
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
