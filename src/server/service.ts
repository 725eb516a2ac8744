/**
 * What HTTP asks of a node, answered here or at the leader.
 *
 * Invariants: a write is proposed or forwarded at most once, unless the refusal was definite. What
 * the database returns for a read at level weak is at least as new as every write that was
 * acknowledged when this node became leader; at level linearizable, on whichever node, as every
 * write that was acknowledged when the read came.
 */
import { type Bytes, CairnError, isCairnError, type Ms } from "#base";
import type { Random } from "#platform/types";
import { type ConsensusThread, ENTRY_BYTES_MAX, encodeEntry } from "#replica";
import type { Member, ReplicaStatus } from "#replica/types";
import { encodeCommand } from "#sqlite";
import type { Command, ReadRequest, ReadResponse, SqliteThreads } from "#sqlite/types";
import { confirmRead } from "./confirm-read.ts";
import { packCall, packRead, packRequest, unpackOutcome } from "./forward.ts";
import type { Leadership } from "./leadership.ts";
import type { AppliedResult, PendingProposals } from "./pending.ts";
import { createRouting, type Routing } from "./routing.ts";
import type { CallOptions, CallOutcome, NodeConfig, ReadOptions } from "./types.ts";

/** What the calls are made of. */
export interface CallParts {
  readonly config: NodeConfig;
  readonly consensus: ConsensusThread;
  readonly sqlite: SqliteThreads;
  readonly leadership: Leadership;
  readonly pending: PendingProposals;
  readonly random: Random;
  /** Shown as the server of what this node answers itself. */
  readonly httpAddress: () => string;
}

/** Execute, query and request, wherever the leader is. */
export interface Calls extends Pick<Routing, "route" | "leading" | "checkSound"> {
  execute(command: Command, options: CallOptions): Promise<CallOutcome>;
  query(request: ReadRequest, options: ReadOptions): Promise<CallOutcome>;
  request(command: Command, options: ReadOptions): Promise<CallOutcome>;
  /** The same three, for other nodes: only as the leader. @throws `REPLICA_NOT_LEADER` */
  readonly atLeader: Pick<Calls, "execute" | "query" | "request">;
  /**
   * Proposes a command here. @throws `SERVER_BODY_TOO_LARGE`, `REPLICA_NOT_LEADER` and as
   * `PendingProposals`.
   */
  propose(command: Command): Promise<AppliedResult>;
  /** As `propose`, of a payload that is encoded already, of whichever state machine. */
  proposePayload(payload: Bytes): Promise<AppliedResult>;
  /**
   * Reads by the rules of a level: `here` as soon as this node may, or `there` with the leader.
   *
   * @throws `SERVER_STALE_READ`, `SERVER_NO_LEADER` and as `propose`.
   */
  readAtLevel<T>(options: ReadOptions, read: LeveledRead<T>): Promise<T>;
  /** As `readAtLevel`, for other nodes: only as the leader. @throws `REPLICA_NOT_LEADER` */
  readAsLeader<T>(options: ReadOptions, here: LeveledRead<T>["here"]): Promise<T>;
}

/** How a read is done, once it is known where. */
export interface LeveledRead<T> {
  /** @param index - of the barrier that makes the read strong, or 0. */
  here(index: number): Promise<T>;
  there(leader: Member): Promise<T>;
}

/**
 * A body within its limit may still encode to more: each short number takes nine bytes.
 *
 * @throws `SERVER_BODY_TOO_LARGE`
 */
function checkSize({ length }: Bytes): void {
  if (length <= ENTRY_BYTES_MAX) return;
  const sizes = `${length} bytes in the log, the limit is ${ENTRY_BYTES_MAX}`;
  throw new CairnError("SERVER_BODY_TOO_LARGE", `request takes ${sizes}`);
}

class RoutedCalls implements Calls {
  readonly #parts: CallParts;
  readonly #routing: Routing;
  readonly atLeader: Calls["atLeader"];
  readonly route: Routing["route"];
  readonly leading: Routing["leading"];
  readonly checkSound: Routing["checkSound"];

  constructor(parts: CallParts) {
    this.#parts = parts;
    const routing = createRouting(parts);
    this.#routing = routing;
    this.route = routing.route.bind(routing);
    this.leading = routing.leading.bind(routing);
    this.checkSound = routing.checkSound.bind(routing);
    this.atLeader = {
      execute: (command) => this.leading(() => this.#executeHere(command)),
      query: (request, options) =>
        this.readAsLeader(options, async (index) =>
          this.#served(await this.#readLocal(request, options), index),
        ),
      request: (command, options) => this.leading(() => this.#requestAsLeader(command, options)),
    };
  }

  execute(command: Command, options: CallOptions): Promise<CallOutcome> {
    return this.route(
      () => this.#executeHere(command),
      (leader) => {
        const method = command.kind.startsWith("load") ? "load" : "execute";
        const { credentials } = options;
        return this.#forward(
          leader,
          method,
          packCall({ credentials }, encodeCommand(command)),
          options,
        );
      },
      options,
    );
  }

  query(request: ReadRequest, options: ReadOptions): Promise<CallOutcome> {
    return this.readAtLevel(options, {
      here: async (index) => this.#served(await this.#readLocal(request, options), index),
      there: (leader) => this.#forward(leader, "query", packRead(request, options), options),
    });
  }

  async readAtLevel<T>(options: ReadOptions, read: LeveledRead<T>): Promise<T> {
    const level = this.#levelOf(options);
    this.checkSound();
    if (level === "none") {
      await this.#checkFreshness(options);
      return read.here(0);
    }
    if (level === "linearizable") {
      await this.#confirmRead(options);
      return read.here(0);
    }
    return this.route(
      async () => read.here(await this.#prepareRead(options)),
      (leader) => read.there(leader),
      { ...options, isRead: true },
    );
  }

  readAsLeader<T>(options: ReadOptions, here: LeveledRead<T>["here"]): Promise<T> {
    return this.leading(async () => here(await this.#prepareRead(options)));
  }

  async request(command: Command, options: ReadOptions): Promise<CallOutcome> {
    const { level } = options;
    this.checkSound();
    // At level auto this is a local read without a test, as in the reference (3.1).
    if (level === "none" || level === "auto" || level === "linearizable") {
      if (level === "none") await this.#checkFreshness(options);
      if (level === "linearizable") await this.#confirmRead(options);
      const local = await this.#tryRead(command, options);
      if (local !== undefined) return this.#served(local, 0);
      return this.execute(command, options);
    }
    return this.route(
      () => this.#requestAsLeader(command, options),
      (leader) => this.#forward(leader, "request", packRequest(command, options), options),
      options,
    );
  }

  propose(command: Command): Promise<AppliedResult> {
    return this.proposePayload(encodeCommand(command));
  }

  async proposePayload(payload: Bytes): Promise<AppliedResult> {
    const { consensus, pending, config, random } = this.#parts;
    const seed = new DataView(random.bytes(8).buffer).getBigUint64(0, true);
    const entry = encodeEntry("command", payload, { timeMs: Date.now(), seed });
    checkSize(entry);
    const { id, outcome } = pending.open(config.applyTimeoutMs);
    consensus.propose(id, entry);
    return outcome;
  }

  /** What `auto` stands for on this node. */
  #levelOf({ level }: ReadOptions): ReadOptions["level"] {
    if (level !== "auto") return level;
    return this.#parts.leadership.isVoter() ? "weak" : "none";
  }

  #served(results: Bytes, raftIndex: number): CallOutcome {
    return { results, raftIndex, servedBy: this.#parts.httpAddress() };
  }

  async #forward(
    leader: Member,
    method: string,
    payload: Bytes,
    options: CallOptions,
  ): Promise<CallOutcome> {
    checkSize(payload);
    const answer = await this.#parts.consensus.call(
      leader.address,
      method,
      payload,
      options.timeoutMs,
    );
    return unpackOutcome(answer, leader.address);
  }

  async #executeHere(command: Command): Promise<CallOutcome> {
    const { result, index } = await this.propose(command);
    return this.#served(result, index);
  }

  async #readLocal(read: ReadRequest, options: ReadOptions): Promise<Bytes> {
    const request = { ...read, timeoutMs: options.databaseTimeoutMs };
    const response: ReadResponse = await this.#parts.sqlite.read(request);
    if (response.needsWrite) {
      throw new CairnError("SQLITE_STATEMENT_FAILED", "server: a query wants to write");
    }
    return response.results;
  }

  async #checkFreshness({ freshnessMs, freshnessStrict }: ReadOptions): Promise<void> {
    if (freshnessMs <= 0 || this.#parts.leadership.isLeader()) return;
    const status = await this.#parts.consensus.status();
    const silenceMs = status?.leaderSilenceMs ?? -1;
    const isSilent = silenceMs < 0 || silenceMs > freshnessMs;
    if (isSilent || (freshnessStrict && (await this.#lagsBehind(status, freshnessMs)))) {
      throw new CairnError("SERVER_STALE_READ", "stale read");
    }
  }

  /** Whether something is missing here, and what was applied last had been under way too long. */
  async #lagsBehind(status: ReplicaStatus | undefined, freshnessMs: Ms): Promise<boolean> {
    if (status === undefined || status.appliedIndex >= status.commitIndex) return false;
    const { lastEntryTimeMs, lastAppliedAtMs } = await this.#parts.sqlite.status();
    return lastEntryTimeMs > 0 && lastAppliedAtMs - lastEntryTimeMs > freshnessMs;
  }

  /** At the leader. @returns the index of the barrier that makes the read strong, or 0. */
  async #prepareRead(options: ReadOptions): Promise<number> {
    const { level } = options;
    try {
      if (level === "strong") return (await this.propose({ kind: "barrier" })).index;
      if (level === "linearizable") await this.#confirmRead(options);
      else await this.#parts.leadership.ready();
      return 0;
    } catch (error) {
      // A read that lost its leader changed nothing: the next one may answer it.
      const isLost =
        isCairnError(error, "REPLICA_LEADERSHIP_LOST") ||
        (level !== "linearizable" && isCairnError(error, "REPLICA_READ_FAILED"));
      throw isLost ? new CairnError("REPLICA_NOT_LEADER", "not leader") : error;
    }
  }

  #confirmRead({ linearizableTimeoutMs }: ReadOptions): Promise<void> {
    const { leaderlessMsMax } = this.#routing;
    return confirmRead({ ...this.#parts, limitMs: linearizableTimeoutMs, leaderlessMsMax });
  }

  /** @returns the results if nothing among the statements would write. */
  async #tryRead(command: Command, options: ReadOptions): Promise<Bytes | undefined> {
    if (command.kind !== "request") return undefined;
    const { statements, transaction, rendering } = command;
    const timeoutMs = options.databaseTimeoutMs;
    const request = { statements, transaction, rendering, mode: "request", timeoutMs } as const;
    const response = await this.#parts.sqlite.read(request);
    return response.needsWrite ? undefined : response.results;
  }

  async #requestAsLeader(command: Command, options: ReadOptions): Promise<CallOutcome> {
    if (options.level !== "strong") {
      const index = await this.#prepareRead(options);
      const results = await this.#tryRead(command, options);
      if (results !== undefined) return this.#served(results, index);
    }
    return this.#executeHere(command);
  }
}

/** Puts the calls of one node together. */
export function createCalls(parts: CallParts): Calls {
  return new RoutedCalls(parts);
}
