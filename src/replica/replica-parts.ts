/**
 * The parts of one replica, and how they are wired. What they do together is in `driver.ts`.
 *
 * Invariant: no part knows the driver; what a part wants of it goes through these hooks.
 * Chapter: 08-replica.
 */
import { type Bytes, CairnError, type Ms } from "#base";
import { createRaftCore } from "#raft";
import type { ConfigurationRecord, Input, PersistSeq, RaftBootState, RaftCore } from "#raft/types";
import { type ApplyFeed, createApplyFeed } from "./apply-feed.ts";
import { Changes } from "./changes.ts";
import { type Compaction, createCompaction } from "./compaction.ts";
import { NO_SETS } from "./configuration.ts";
import { DigestCheck } from "./digest-check.ts";
import { createDurability, type Durability } from "./durability.ts";
import { isKind } from "./entry.ts";
import { InputRecorder } from "./input-recorder.ts";
import { Messenger } from "./messenger.ts";
import { createOutbox, type Outbox } from "./outbox.ts";
import { createProposals, type Proposals } from "./proposals.ts";
import { ReadTable } from "./read-table.ts";
import { SnapshotDriver } from "./snapshot-driver.ts";
import { createSnapshotReceiver, type SnapshotReceiver } from "./snapshot-receiver.ts";
import { createSnapshotSender, type SnapshotSender } from "./snapshot-sender.ts";
import type { DigestReport, RaftLog, ReplicaOptions, StoredConfiguration } from "./types.ts";

const DEFAULTS = {
  electionTimeoutMs: 1000,
  heartbeatMs: 100,
  pendingBytesMax: 256 * 1024 * 1024,
  logKeepBytesMax: 256 * 1024 * 1024,
  snapshotChunkBytesMax: 1024 * 1024,
} as const;

/** A member that has been silent for so many election timeouts is away. */
const AWAY_TIMEOUTS = 10;
/** So many chunks a second at least, so that a slow pace is not a silence. */
const PACED_CHUNKS_PER_SECOND = 16;
const PACED_CHUNK_BYTES_MIN = 4096;

/** What the parts want of the driver. */
export interface DriverHooks {
  readonly step: (input: Input) => void;
  /** Runs what a timer or a promise started, and deals with what it throws. */
  readonly guard: (work: () => void) => void;
  readonly fail: (error: unknown) => void;
  readonly onPersisted: (seq: PersistSeq) => void;
  readonly proposeOwn: (entry: Bytes) => void;
  readonly onDiverged: (report: DigestReport) => void;
}

/** See the file's header. */
export interface ReplicaParts {
  readonly heartbeatMs: Ms;
  readonly log: RaftLog;
  readonly core: RaftCore;
  readonly proposals: Proposals;
  readonly feed: ApplyFeed;
  readonly outbox: Outbox;
  readonly durability: Durability;
  readonly compaction: Compaction;
  readonly messenger: Messenger;
  readonly sender: SnapshotSender;
  readonly receiver: SnapshotReceiver;
  readonly snapshots: SnapshotDriver;
  readonly reads: ReadTable;
  readonly changes: Changes;
  readonly digests: DigestCheck;
  readonly recorder: InputRecorder;
  /** Ends all. @returns when the state machine has applied all that it was given. */
  stop(): Promise<void>;
}

const recordOf = ({ index, configuration }: StoredConfiguration): ConfigurationRecord => ({
  index,
  sets: configuration.sets,
});

function bootOf({ log, appliedIndex }: ReplicaOptions): RaftBootState {
  const { hardState, compactedIndex, compactedTerm, runs, sizes, ...state } = log.state;
  const { base, configurations } = state;
  return {
    ...{ hardState, compactedIndex, compactedTerm, runs, sizes, appliedIndex },
    configuration: base === undefined ? { index: 0, sets: NO_SETS } : recordOf(base),
    configurations: configurations.map(recordOf),
  };
}

function createCore(options: ReplicaOptions): { core: RaftCore; recorder: InputRecorder } {
  const { random, clock, snapshotBytesPerSecond = 0 } = options;
  const pacedBytes = Math.max(
    PACED_CHUNK_BYTES_MIN,
    Math.floor(snapshotBytesPerSecond / PACED_CHUNKS_PER_SECOND),
  );
  const chunkBytesMax = options.snapshotChunkBytesMax ?? DEFAULTS.snapshotChunkBytesMax;
  const plain = {
    self: options.self,
    electionTimeoutMs: options.electionTimeoutMs ?? DEFAULTS.electionTimeoutMs,
    heartbeatMs: options.heartbeatMs ?? DEFAULTS.heartbeatMs,
    snapshotChunkBytesMax:
      snapshotBytesPerSecond > 0 ? Math.min(chunkBytesMax, pacedBytes) : chunkBytesMax,
    leaseMs: options.leaseMs ?? 0,
    electionTimeoutScale: options.electionTimeoutScale ?? 1,
  };
  const boot = bootOf(options);
  const startedAt = clock.now();
  const recorder = new InputRecorder({ startedAt, options: plain, boot });
  const draw = (): number => recorder.draw(random.fraction());
  return { core: createRaftCore({ ...plain, random: draw }, boot, startedAt), recorder };
}

/** @throws `REPLICA_LOG_BEHIND` when the state machine is ahead of the log. */
function checkApplied({ appliedIndex, log }: ReplicaOptions): void {
  if (appliedIndex <= log.lastIndex) return;
  throw new CairnError(
    "REPLICA_LOG_BEHIND",
    `replica: database has applied entry ${appliedIndex}, but the log ends at ${log.lastIndex}`,
  );
}

function createSnapshots(
  options: ReplicaOptions,
  { step, guard }: DriverHooks,
): { sender: SnapshotSender; receiver: SnapshotReceiver } {
  const { disk, snapshotDir: dir, clock, random, applier, onNotice = () => undefined } = options;
  // What is stored within a step is told behind it: steps do not nest.
  const onStored = (index: number, copy: number, nextOffset: number): void =>
    guard(() => step({ kind: "chunkStored", index, copy, nextOffset }));
  return {
    sender: createSnapshotSender({ disk, dir, clock, random, applier, onNotice }),
    receiver: createSnapshotReceiver({ disk, dir, clock, onStored, onNotice }),
  };
}

/** Makes the parts. Nothing runs before the driver's first step. */
export function assembleReplica(options: ReplicaOptions, hooks: DriverHooks): ReplicaParts {
  const { log, clock, applier, self, appliedIndex, net, onNotice = () => undefined } = options;
  const { step, guard, fail, onPersisted, proposeOwn, onDiverged } = hooks;
  checkApplied(options);
  const { core, recorder } = createCore(options);
  const { sender, receiver } = createSnapshots(options, hooks);
  const electionTimeoutMs = options.electionTimeoutMs ?? DEFAULTS.electionTimeoutMs;
  const compaction = createCompaction({
    ...{ core, log },
    keepBytesMax: options.logKeepBytesMax ?? DEFAULTS.logKeepBytesMax,
    awayMs: electionTimeoutMs * AWAY_TIMEOUTS,
    snapshotIndexMin: (away) => sender.indexMin(away),
    onForgotten: (upTo) => guard(() => step({ kind: "compacted", upTo })),
  });
  const { snapshotBytesPerSecond = 0, digestEveryMs = 0 } = options;
  const messenger = new Messenger({
    ...{ core, log, net, clock, sender, compaction, snapshotBytesPerSecond, guard },
  });
  const digests = new DigestCheck({
    ...{ self, core, log, clock, applier, onDiverged, onNotice },
    everyMs: digestEveryMs,
    propose: proposeOwn,
    send: (to, note) => messenger.note(to, note),
  });
  const proposals = createProposals(options.pendingBytesMax ?? DEFAULTS.pendingBytesMax);
  const onSubmit: Parameters<typeof createApplyFeed>[0]["onSubmit"] = (entries) =>
    digests.submitting(entries, (entry) => isKind(entry.bytes, "digest"));
  const feedParts = { log, applier, proposals, clock, guard, applied: appliedIndex, onSubmit };
  const durability = createDurability({
    ...{ log, clock, onDurable: (seq) => guard(() => onPersisted(seq)), onError: fail },
    mode: options.syncMode ?? "async",
  });
  const parts = {
    heartbeatMs: options.heartbeatMs ?? DEFAULTS.heartbeatMs,
    ...{ log, core, recorder, sender, receiver, compaction, messenger, digests, proposals },
    durability,
    feed: createApplyFeed(feedParts),
    outbox: createOutbox(clock, ({ to, message }) => guard(() => messenger.send(to, message))),
    snapshots: new SnapshotDriver({
      ...{ core, log, applier, sender, receiver, messenger, step, guard, fail },
    }),
    reads: new ReadTable(),
    changes: new Changes({ self, core, log, clock, step, onNotice }),
  };
  const stop = (): Promise<void> => {
    for (const part of [durability, parts.outbox, messenger]) part.stop();
    for (const part of [parts.reads, parts.changes, digests, sender, receiver]) part.stop();
    return parts.feed.stop();
  };
  return { ...parts, stop };
}
