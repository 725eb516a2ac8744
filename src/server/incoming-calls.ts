/**
 * Calls of other nodes, each to the part of this node that answers it.
 *
 * Invariant: a call is looked at only after its sender's right to make it (`auth/peer.ts`).
 */
import { type Bytes, CairnError } from "#base";
import { decodeCommand } from "#sqlite";
import type { Authorizer } from "./auth/authorizer.ts";
import { authorizeCall, credentialsIn } from "./auth/peer.ts";
import type { Backups } from "./backups.ts";
import type { ClusterFormation } from "./cluster.ts";
import { packOutcome, unpackCall, unpackRead, unpackReadOptions } from "./forward.ts";
import type { KvCalls } from "./kv-calls.ts";
import type { ClusterMembership } from "./membership.ts";
import type { NodeOperations } from "./node-operations.ts";
import type { Peers } from "./peers.ts";
import type { Calls } from "./service.ts";

/** Who answers. */
export interface IncomingCallParts {
  readonly authorizer: Authorizer;
  readonly calls: Calls;
  readonly kv: KvCalls;
  readonly peers: Peers;
  readonly backups: Backups;
  readonly operations: NodeOperations;
  readonly formation: ClusterFormation;
  readonly membership: ClusterMembership;
}

/**
 * Answers one call.
 *
 * @throws `SERVER_UNAUTHORIZED`, `SERVER_REQUEST_INVALID`, and what the part throws that answers.
 */
export async function answerCall(
  parts: IncomingCallParts,
  method: string,
  payload: Bytes,
): Promise<Bytes> {
  const { calls, operations, backups } = parts;
  const { atLeader } = calls;
  const head = payload.length === 0 ? {} : unpackCall(payload).head;
  await authorizeCall(parts.authorizer, method, credentialsIn(head));
  switch (method) {
    case "notify":
      return parts.formation.notify(payload);
    case "join":
    case "joinNonVoter":
      return parts.membership.answerJoin(method, payload);
    case "info":
      return parts.peers.describe();
    case "remove":
      return operations.answerRemove(payload);
    case "stepDown":
      return operations.answerStepDown(payload);
    case "compare":
      return operations.answerCompare();
    case "load":
    case "execute": {
      const command = decodeCommand(unpackCall(payload).body);
      checkKind(method, command.kind);
      return packOutcome(await atLeader.execute(command, { timeoutMs: 0 }));
    }
    case "query": {
      const { request, options } = unpackRead(payload);
      return packOutcome(await atLeader.query(request, options));
    }
    case "request": {
      const command = decodeCommand(unpackCall(payload).body);
      return packOutcome(await atLeader.request(command, unpackReadOptions(head)));
    }
    case "kvExecute":
    case "kvQuery":
      return parts.kv.answer(method, payload);
    case "backup":
      return calls.leading(() => backups.answerMake(payload));
    case "backupChunk":
      return backups.answerChunk(payload);
    default:
      throw new CairnError("SERVER_REQUEST_INVALID", `server: unknown call ${method}`);
  }
}

/** What comes as a load needs another permission than what comes as a write. */
function checkKind(method: string, kind: string): void {
  if (kind.startsWith("load") === (method === "load")) return;
  throw new CairnError("SERVER_REQUEST_INVALID", `server: a ${kind} came as ${method}`);
}
