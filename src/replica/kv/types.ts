/**
 * Contract of the replicated key-value store of chapter 08: keys with revisions, transactions with
 * conditions, and sessions in which a repeated command is recognised.
 *
 * K1 within a session each command takes effect at most once, and every repetition gets the first
 * answer. R8, K4 and K5 of `../types.ts` hold here too: the applied index is in the same commit as
 * the effects, and all decisions come from the log.
 */
import type { Bytes, Ms } from "#base";
import type { EngineOptions } from "#lsm/types";
import type { Clock, Disk, Random } from "#platform/types";
import type { Index } from "#raft/types";
import type { HostedMachine } from "../machine-host.ts";

/** How two values compare, bytes as bytes. */
export type KvRelation = "equal" | "unequal" | "less" | "greater";

/**
 * A condition. The revision of a key is the index of the entry that wrote it last, and 0 where
 * there is none: `equal 0` means that the key must not be there. The value of a key that is not
 * there is unequal to every value, and neither less nor greater.
 */
export type KvCondition =
  | {
      readonly key: Bytes;
      readonly target: "revision";
      readonly is: KvRelation;
      readonly revision: Index;
    }
  | {
      readonly key: Bytes;
      readonly target: "value";
      readonly is: KvRelation;
      readonly value: Bytes;
    };

/** A half-open range of keys; without `before`, to the end. */
export interface KvRange {
  readonly from: Bytes;
  readonly before: Bytes | null;
  /** Keys at most; more stays, and the answer says so. */
  readonly limit: number;
}

/** One step of a transaction. Later ones see what earlier ones did. */
export type KvOperation =
  | { readonly kind: "put"; readonly key: Bytes; readonly value: Bytes }
  | { readonly kind: "delete"; readonly key: Bytes }
  | ({ readonly kind: "deleteRange" } & KvRange)
  | { readonly kind: "get"; readonly key: Bytes }
  | ({ readonly kind: "range" } & KvRange);

/** If all conditions hold, `success`; else `failure`. All at one moment, all or nothing. */
export interface KvTransaction {
  readonly conditions: readonly KvCondition[];
  readonly success: readonly KvOperation[];
  readonly failure: readonly KvOperation[];
}

/** Which command of which client this is; serials begin at 1 and grow. */
export interface KvSerial {
  /** What `openSession` answered. */
  readonly session: Index;
  /** One command at a time: a higher one says that the answer of those below has come. */
  readonly serial: number;
}

/** What a log entry asks of the key-value store. */
export type KvCommand =
  | {
      readonly kind: "transaction";
      /** Null: nobody recognises a repetition. */
      readonly once: KvSerial | null;
      readonly transaction: KvTransaction;
    }
  | { readonly kind: "openSession" }
  | { readonly kind: "closeSession"; readonly session: Index };

/** A key that is there. */
export interface KvEntry {
  readonly key: Bytes;
  readonly value: Bytes;
  readonly revision: Index;
}

/** What one operation found. */
export type KvFound =
  | { readonly kind: "put"; readonly previousRevision: Index }
  | { readonly kind: "deleted"; readonly count: number; readonly more: boolean }
  | { readonly kind: "got"; readonly entry: KvEntry | null }
  | { readonly kind: "entries"; readonly entries: readonly KvEntry[]; readonly more: boolean };

/** Why a command had no effect. The same on every replica. */
export type KvRefusal =
  /** Never opened, closed, or forgotten: whether the command took effect once is not known here. */
  | "session-unknown"
  /** A later one of the session was applied before: the answer to this one is forgotten. */
  | "serial-passed"
  /** Its reads would give more bytes than an answer may have. */
  | "answer-too-large";

/** The answer to a command. */
export type KvAnswer =
  | {
      readonly kind: "transaction";
      /** Whether the conditions held. */
      readonly held: boolean;
      /** Of everything that it wrote. */
      readonly revision: Index;
      readonly found: readonly KvFound[];
    }
  | { readonly kind: "session"; readonly session: Index }
  | { readonly kind: "refused"; readonly refusal: KvRefusal };

/** A read beside the log. */
export type KvRead =
  | { readonly kind: "get"; readonly key: Bytes }
  | ({ readonly kind: "range"; readonly keysOnly: boolean } & KvRange);

/** Facts for `/status`. */
export interface KvStatus {
  readonly appliedIndex: Index;
  readonly durableIndex: Index;
  readonly sessions: number;
  /** Bytes of answers that are kept for repetitions. */
  readonly sessionBytes: number;
}

/** What the machine decides itself. */
type EngineOptionOfOurs = "dir" | "disk" | "background" | "timestampedKeys" | "clock";

/** How the machine is opened. */
export interface KvOptions {
  /** The directory of the engine below. */
  readonly dir: string;
  /** Default: the disk of this machine, with a thread for the engine's background. */
  readonly disk?: Disk;
  /** Options of the engine; tests make its limits small. */
  readonly engine?: Omit<EngineOptions, EngineOptionOfOurs>;
  readonly clock?: Clock;
  readonly random?: Random;
  /** How long an unused session is kept, by the time of the log. Default one hour. */
  readonly sessionIdleMs?: Ms;
  /** Sessions at most; the one unused for longest goes. Default 4096. The same on all replicas. */
  readonly sessionsMax?: number;
  /** Bytes of kept answers at most. Default 16 MiB. The same on all replicas. */
  readonly sessionBytesMax?: number;
  /** Called when the durable index has grown beside the batches. */
  readonly onDurable?: () => void;
}

/**
 * The key-value state machine. Entries of others pass without effect: their index counts as
 * applied.
 */
export interface KvMachine extends HostedMachine {
  /** Equal digests mean equal states, sessions included. */
  digest(): Bytes;
  restore(path: string, index: Index): Promise<void>;
  /** Reads the present state. */
  read(read: KvRead): KvFound;
  /** Facts for `/status`. */
  status(): KvStatus;
  /** Makes everything that is applied durable. */
  checkpoint(): Promise<void>;
  /** Does one unit of the engine's background work, where a disk was given. As `Engine.step`. */
  step(): boolean;
  /** Makes everything durable and releases the directory. */
  close(): Promise<void>;
}
