/**
 * What the main thread and the consensus thread say to each other. Plain data; entry and call bytes
 * are transferred, not copied.
 *
 * Invariant: each `propose` ends in exactly one of a result from the state machine's thread or a
 * failure from here, or in silence while its fate is open; the main thread has the timeout. What
 * else has a number is answered under it, once.
 * Chapter: 08-replica.
 */
import type { MessagePort } from "node:worker_threads";
import {
  type Bytes,
  CairnError,
  ERROR_CODES,
  type ErrorCode,
  type ErrorDetails,
  errorText,
  type Ms,
} from "#base";
import type { SocketTlsSettings } from "#platform";
import type {
  Configuration,
  DigestReport,
  Identity,
  Membership,
  MembershipChange,
  ProposalFailure,
  ReplicaOptions,
  ReplicaStatus,
} from "./types.ts";

/** How the consensus thread is started. What is left out has the replica's default. */
export interface ConsensusSettings
  extends Pick<
    ReplicaOptions,
    | "pendingBytesMax"
    | "logKeepBytesMax"
    | "snapshotBytesPerSecond"
    | "digestEveryMs"
    | "leaseMs"
    | "electionTimeoutScale"
  > {
  readonly dataDir: string;
  readonly nodeId: string;
  /** Where to listen, `host:port`. */
  readonly address: string;
  /** Where others reach it, if that is not the address in use; a configuration's own wins. */
  readonly advertisedAddress?: string;
  readonly electionTimeoutMs: Ms;
  readonly heartbeatMs: Ms;
  /** TLS between nodes, whose files the thread watches itself; plain TCP by default. */
  readonly tls?: SocketTlsSettings | undefined;
}

/** An error as plain data. */
export interface WireError {
  readonly code: ErrorCode | "INVARIANT";
  readonly message: string;
  readonly details: ErrorDetails;
}

export type ToConsensus =
  /** The state machine is open: its end, and what it had applied. A replica runs from here on. */
  | {
      readonly kind: "start";
      readonly id: number;
      readonly applierPort: MessagePort;
      readonly appliedIndex: number;
      /** Of several state machines, what the one that is ahead had applied. */
      readonly newestIndex: number;
    }
  | { readonly kind: "propose"; readonly entries: readonly { id: number; bytes: Bytes }[] }
  | {
      readonly kind: "call";
      readonly id: number;
      readonly address: string;
      readonly method: string;
      readonly payload: Bytes;
      readonly timeoutMs: Ms;
    }
  /** The main thread's answer to a `request`. */
  | { readonly kind: "answer"; readonly id: number; readonly outcome: Outcome<Bytes> }
  | { readonly kind: "bootstrap"; readonly id: number; readonly configuration: Configuration }
  /** A leader has made this node a member of its cluster. */
  | { readonly kind: "join"; readonly id: number; readonly membership: Membership }
  | { readonly kind: "status"; readonly id: number }
  | { readonly kind: "read"; readonly id: number; readonly via: "index" | "lease" }
  | { readonly kind: "change"; readonly id: number; readonly change: MembershipChange }
  | { readonly kind: "transfer"; readonly id: number; readonly to: number }
  | { readonly kind: "checkDigest"; readonly id: number }
  | { readonly kind: "close"; readonly transferMs: Ms };

/** A read that may run now, on this node's state machine. */
export interface ReadGrant {
  /** What is applied here, at least. */
  readonly index: number;
  /**
   * Lease reads: take the snapshot first, then check that `processTime` of `#platform` is before
   * this.
   */
  readonly leaseUntil?: Ms;
}

export type FromConsensus =
  | {
      readonly kind: "opened";
      readonly address: string;
      readonly identity: Identity;
      readonly configuration: Configuration | undefined;
    }
  | { readonly kind: "failure"; readonly id: number; readonly failure: ProposalFailure }
  | {
      readonly kind: "request";
      readonly id: number;
      readonly method: string;
      readonly payload: Bytes;
    }
  /** The end of whatever was asked for under this number, with what it came to. */
  | { readonly kind: "done"; readonly id: number; readonly outcome: Outcome<unknown> }
  | {
      readonly kind: "configuration";
      readonly configuration: Configuration;
      readonly isCommitted: boolean;
    }
  /** Whether the state here may be served. */
  | {
      readonly kind: "sound";
      readonly isSound: boolean;
      readonly report: DigestReport | undefined;
    }
  | { readonly kind: "role"; readonly status: ReplicaStatus }
  | { readonly kind: "status"; readonly id: number; readonly status: ReplicaStatus | undefined }
  /** Something worth a line in the log. */
  | { readonly kind: "notice"; readonly text: string }
  | { readonly kind: "fatal"; readonly error: WireError }
  | { readonly kind: "closed" };

/** How something asked for came out. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: WireError };

/** Turns anything thrown into plain data. */
export function toWireError(error: unknown): WireError {
  if (error instanceof CairnError) {
    return { code: error.code, message: error.message, details: error.details };
  }
  return { code: "INVARIANT", message: errorText(error), details: {} };
}

/** Turns plain data back into the error. */
export function fromWireError({ code, message, details }: WireError): Error {
  return Object.hasOwn(ERROR_CODES, code)
    ? new CairnError(code as ErrorCode, message, { details })
    : new Error(message);
}
