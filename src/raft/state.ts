/**
 * Everything a core knows, as plain data, and what one step has decided so far.
 *
 * The other files are functions over this. Outputs are gathered during a step and handed out at
 * its end, so that one step has at most one `persist` and every message knows what it waits for.
 * Invariant: nothing leaves that depends on a term or a vote that is not yet on disk.
 * Chapter: 07-raft.
 */
import { assert, assertSafeInteger, type Ms } from "#base";
import { bootConfigurations, refreshConfiguration } from "./config.ts";
import type { LeaseMark } from "./lease.ts";
import { createTermLog, type TermLog } from "./log.ts";
import { resolveOptions } from "./options.ts";
import type { Progress } from "./progress.ts";
import { type AskedReads, FIRST_REQUEST_MAX, type PendingRead } from "./reads.ts";
import type { Transfer } from "./transfer.ts";
import type {
  ConfigurationRecord,
  HardState,
  Index,
  Message,
  NodeId,
  Output,
  PersistSeq,
  RaftBootState,
  RaftOptions,
  Role,
  Term,
} from "./types.ts";

/** Nobody: not voted, no leader known. */
export const NOBODY: NodeId = 0;

/** A write that is under way to the disk. */
export interface PendingPersist {
  readonly seq: PersistSeq;
  /** Entries up to here are on disk once this write is. Lowered when the log is cut. */
  last: Index;
}

type PersistOutput = Extract<Output, { kind: "persist" }>;

/** What the step in hand will write. Turned into a `persist` output at its end. */
export interface PersistDraft {
  readonly seq: PersistSeq;
  hardState?: HardState;
  reset?: NonNullable<PersistOutput["reset"]>;
  truncateFrom?: Index;
  append?: NonNullable<PersistOutput["append"]>;
}

/** A copy of the state machine that comes in. */
export interface CopyReceiving {
  readonly from: NodeId;
  /** Term and session of its newest chunk. */
  term: Term;
  session: Index;
  readonly index: Index;
  readonly indexTerm: Term;
  readonly configuration: ConfigurationRecord;
  readonly copy: number;
  readonly totalBytes: number;
  /** Everything before it is stored. */
  nextOffset: number;
  /** Everything before it was handed to the driver. */
  handedOffset: number;
}

/** A message of the step in hand. `after` is 0, or a write that may be on disk already. */
export interface DraftedSend {
  readonly to: NodeId;
  readonly message: Message;
  readonly after: PersistSeq;
}

export interface RaftState {
  readonly options: Required<RaftOptions>;
  readonly log: TermLog;
  now: Ms;

  // On disk, or on its way there.
  term: Term;
  vote: NodeId;

  /** The one in force at the compacted index, and those in the log. */
  readonly configurations: ConfigurationRecord[];
  // What follows from the last of them.
  configuration: ConfigurationRecord;
  isInVoters: boolean;
  isInOutgoing: boolean;
  /** The other members, ascending, and those among them whose votes count. */
  members: readonly NodeId[];
  voterPeers: readonly NodeId[];
  /** Index of a committed configuration that lacks this node, as a voter has told; 0 if none. */
  removedAt: Index;

  role: Role;
  leader: NodeId;
  leaderHeardAt: Ms;
  /** Drawn anew for each candidacy. */
  electionTimeoutMs: Ms;
  electionAt: Ms;

  // While campaigning.
  attempt: number;
  grants: NodeId[];
  /** The write that holds our vote for ourselves. */
  ownVoteSeq: PersistSeq;

  // While leading.
  progress: Progress[];
  heartbeatAt: Ms;
  round: number;
  /** The entry that opened this leader's term. */
  ownFirstIndex: Index;
  reads: PendingRead[];
  transfer: Transfer | undefined;

  // Leases. Since when the last entry is in this log, whoever wrote it.
  storedAt: Ms;
  /** A leader commits nothing before. */
  commitGateAt: Ms;
  leaseMarks: LeaseMark[];
  leaseSince: Ms | undefined;
  leaseReadAt: Ms | undefined;

  // Reads of this node that the leader is asked about.
  readIds: number[];
  asked: AskedReads | undefined;
  readsOf: { readonly leader: NodeId; readonly term: Term };
  lastRequest: number;

  // Durability.
  nextSeq: PersistSeq;
  persistedSeq: PersistSeq;
  /** The write that holds the newest term and vote. */
  hardStateSeq: PersistSeq;
  stableIndex: Index;
  pending: PendingPersist[];
  /** Since when the disk owes us an answer without having given any. */
  diskSilentSince: Ms;

  commitIndex: Index;
  /** Entries up to here were handed out to be applied. */
  applyingIndex: Index;
  appliedIndex: Index;
  receiving: CopyReceiving | undefined;
  /** A copy that takes the state machine's place; nothing is applied until it has. */
  installing: Index | undefined;

  // The step in hand.
  draft: PersistDraft | undefined;
  truncatedFrom: Index | undefined;
  readonly answers: Output[];
  readonly sends: DraftedSend[];
}

function checkBoot({ hardState, appliedIndex }: RaftBootState, log: TermLog): void {
  const { term, vote } = hardState;
  assertSafeInteger(term, "term");
  assertSafeInteger(vote, "vote");
  assert(log.lastTerm <= term, `raft: boot: entries of term ${log.lastTerm} in term ${term}`);
  assertSafeInteger(appliedIndex, "applied index");
  assert(
    appliedIndex <= log.lastIndex,
    `raft: boot: applied ${appliedIndex}, but the log ends at ${log.lastIndex}`,
  );
  assert(
    appliedIndex >= log.compactedIndex,
    `raft: boot: applied ${appliedIndex}, but compacted to ${log.compactedIndex}`,
  );
}

/** The state after a restart: a follower that knows only what the disk knows. */
export function createState(options: RaftOptions, boot: RaftBootState, now: Ms): RaftState {
  const resolved = resolveOptions(options);
  const log = createTermLog(boot);
  checkBoot(boot, log);
  const { term, vote } = boot.hardState;
  const applied = boot.appliedIndex;
  const configurations = bootConfigurations(boot, log.lastIndex);
  const state: RaftState = {
    options: resolved,
    log,
    now,
    term,
    vote,
    configurations,
    configuration: configurations.at(-1)!,
    isInVoters: false,
    isInOutgoing: false,
    members: [],
    voterPeers: [],
    removedAt: 0,
    role: "follower",
    leader: NOBODY,
    leaderHeardAt: -1,
    electionTimeoutMs: resolved.electionTimeoutMs,
    electionAt: now,
    attempt: 0,
    grants: [],
    ownVoteSeq: 0,
    progress: [],
    heartbeatAt: now,
    round: 0,
    ownFirstIndex: 0,
    reads: [],
    transfer: undefined,
    storedAt: now,
    commitGateAt: 0,
    leaseMarks: [],
    leaseSince: undefined,
    leaseReadAt: undefined,
    readIds: [],
    asked: undefined,
    readsOf: { leader: NOBODY, term: 0 },
    lastRequest: Math.floor(resolved.random() * FIRST_REQUEST_MAX),
    nextSeq: 1,
    persistedSeq: 0,
    hardStateSeq: 0,
    stableIndex: log.lastIndex,
    pending: [],
    diskSilentSince: now,
    commitIndex: applied,
    applyingIndex: applied,
    appliedIndex: applied,
    receiving: undefined,
    installing: undefined,
    draft: undefined,
    truncatedFrom: undefined,
    answers: [],
    sends: [],
  };
  refreshConfiguration(state);
  return state;
}

/** Puts a message into the step. It waits for our term and vote to be on disk, and for `after`. */
export function send(state: RaftState, to: NodeId, message: Message, after: PersistSeq = 0): void {
  // A term that was heard from us must survive a crash, or we could act in it twice.
  state.sends.push({ to, message, after: Math.max(after, state.hardStateSeq) });
}
