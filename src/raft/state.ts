/**
 * Everything a core knows, as plain data, and what one step has decided so far.
 *
 * The other files are functions over this. Outputs are gathered during a step and handed out at
 * its end, so that one step has at most one `persist` and every message knows what it waits for.
 * Invariant: nothing leaves that depends on a term or a vote that is not yet on disk.
 * Chapter: 07-raft.
 */
import { assert, assertSafeInteger, type Ms } from "#base";
import { createTermLog, type TermLog } from "./log.ts";
import type { Progress } from "./progress.ts";
import { quorumSize } from "./quorum.ts";
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

const MIB = 1024 * 1024;

const DEFAULTS = {
  electionTimeoutMs: 1000,
  heartbeatMs: 100,
  appendBytesMax: MIB,
  appendEntriesMax: 1024,
  inFlightMax: 64,
  inFlightBytesMax: 4 * MIB,
  uncommittedBytesMax: 256 * MIB,
  electionTimeoutScale: 1,
  preVote: true,
  snapshotChunkBytesMax: MIB,
  unappliedBytesMax: 256 * MIB,
  applyAheadBytesMax: 16 * MIB,
  leaseMs: 0,
  clockDriftMax: 0.05,
} as const;

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
  truncateFrom?: Index;
  append?: NonNullable<PersistOutput["append"]>;
}

/** A message of the step in hand. `after` is 0, or a write that may be on disk already. */
export interface DraftedSend {
  readonly to: NodeId;
  readonly message: Message;
  readonly after: PersistSeq;
}

export interface RaftState {
  readonly options: Required<RaftOptions>;
  readonly configuration: ConfigurationRecord;
  /** The other voters. */
  readonly peers: readonly NodeId[];
  readonly quorum: number;
  readonly log: TermLog;
  now: Ms;

  // On disk, or on its way there.
  term: Term;
  vote: NodeId;

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

  // The step in hand.
  draft: PersistDraft | undefined;
  truncatedFrom: Index | undefined;
  readonly answers: Output[];
  readonly sends: DraftedSend[];
  readonly behind: Output[];
}

/** Checks the options and fills in the defaults. */
export function resolveOptions(options: RaftOptions): Required<RaftOptions> {
  const resolved = { ...DEFAULTS, ...options };
  const { self, electionTimeoutMs, heartbeatMs } = resolved;
  if (!Number.isSafeInteger(self) || self < 1) throw new RangeError(`raft: node ${self}`);
  if (!(heartbeatMs > 0)) throw new RangeError(`raft: heartbeat of ${heartbeatMs} ms`);
  if (!(heartbeatMs < electionTimeoutMs && Number.isFinite(electionTimeoutMs))) {
    throw new RangeError(
      `raft: heartbeat of ${heartbeatMs} ms, election timeout of ${electionTimeoutMs} ms`,
    );
  }
  const limits = [
    "appendBytesMax",
    "appendEntriesMax",
    "inFlightMax",
    "inFlightBytesMax",
    "uncommittedBytesMax",
  ] as const;
  for (const name of limits) {
    if (!(resolved[name] >= 1)) throw new RangeError(`raft: ${name} is ${resolved[name]}`);
  }
  return resolved;
}

/** The state after a restart: a follower that knows only what the disk knows. */
export function createState(options: RaftOptions, boot: RaftBootState, now: Ms): RaftState {
  const resolved = resolveOptions(options);
  const log = createTermLog(boot);
  const configuration = boot.configurations.at(-1) ?? boot.configuration;
  const { voters } = configuration.sets;
  const { term, vote } = boot.hardState;
  assertSafeInteger(term, "term");
  assertSafeInteger(vote, "vote");
  assert(log.lastTerm <= term, `raft: boot: entries of term ${log.lastTerm} in term ${term}`);
  const applied = boot.appliedIndex;
  assertSafeInteger(applied, "applied index");
  assert(
    applied <= log.lastIndex,
    `raft: boot: applied ${applied}, but the log ends at ${log.lastIndex}`,
  );
  assert(
    applied >= log.compactedIndex,
    `raft: boot: applied ${applied}, but compacted to ${log.compactedIndex}`,
  );
  return {
    options: resolved,
    configuration,
    peers: voters.filter((voter) => voter !== resolved.self),
    quorum: quorumSize(voters.length),
    log,
    now,
    term,
    vote,
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
    nextSeq: 1,
    persistedSeq: 0,
    hardStateSeq: 0,
    stableIndex: log.lastIndex,
    pending: [],
    diskSilentSince: now,
    commitIndex: applied,
    applyingIndex: applied,
    appliedIndex: applied,
    draft: undefined,
    truncatedFrom: undefined,
    answers: [],
    sends: [],
    behind: [],
  };
}

/** Puts a message into the step. It waits for our term and vote to be on disk, and for `after`. */
export function send(state: RaftState, to: NodeId, message: Message, after: PersistSeq = 0): void {
  // A term that was heard from us must survive a crash, or we could act in it twice.
  state.sends.push({ to, message, after: Math.max(after, state.hardStateSeq) });
}
