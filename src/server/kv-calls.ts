/**
 * What HTTP asks of the key-value store, answered here or at the leader.
 *
 * Writes and reads go the ways of their SQL counterparts (`service.ts`): the same log, the same
 * levels. Invariant: a command is proposed or forwarded at most once, unless the refusal was
 * definite; who needs to repeat one whose fate is open does so in a session.
 */
import { type Bytes, CairnError } from "#base";
import {
  type ConsensusThread,
  checkKey,
  checkRange,
  decodeKvAnswer,
  decodeKvCommand,
  decodeKvFound,
  encodeKvCommand,
  type KvAnswer,
  type KvCommand,
  type KvFound,
  type KvOperation,
  type KvRead,
} from "#replica";
import type { Member } from "#replica/types";
import type { SqliteThreads } from "#sqlite/types";
import { packCall, packOutcome, unpackCall, unpackOutcome, unpackReadOptions } from "./forward.ts";
import type { Calls } from "./service.ts";
import type { CallOptions, CallOutcome, KvOutcome, KvService, ReadOptions } from "./types.ts";

/** What the calls are made of. */
export interface KvCallParts {
  readonly calls: Calls;
  readonly sqlite: SqliteThreads;
  readonly consensus: ConsensusThread;
  /** Shown as the server of what this node answers itself. */
  readonly httpAddress: () => string;
}

/** Calls of other nodes. */
export type KvCallName = "kvExecute" | "kvQuery";

/** See the file's header. */
export interface KvCalls extends KvService {
  /** Answers another node: only as the leader. @throws `REPLICA_NOT_LEADER`, `BYTES_MALFORMED` */
  answer(name: KvCallName, payload: Bytes): Promise<Bytes>;
}

/** Puts the calls of one node together. */
export function createKvCalls(parts: KvCallParts): KvCalls {
  return new RoutedKvCalls(parts);
}

class RoutedKvCalls implements KvCalls {
  readonly #parts: KvCallParts;

  constructor(parts: KvCallParts) {
    this.#parts = parts;
  }

  async execute(command: KvCommand, options: CallOptions): Promise<KvOutcome<KvAnswer>> {
    const payload = encodeKvCommand(command);
    const { credentials } = options;
    const outcome = await this.#parts.calls.route(
      () => this.#executeHere(payload),
      (leader) => this.#ask(leader, "kvExecute", packCall({ credentials }, payload), options),
    );
    return { ...outcome, value: decodeKvAnswer(outcome.results) };
  }

  async query(read: KvRead, options: ReadOptions): Promise<KvOutcome<KvFound>> {
    if (read.kind === "get") checkKey(read.key);
    else checkRange(read);
    const outcome = await this.#parts.calls.readAtLevel(options, {
      here: (index) => this.#readHere(read, index),
      there: (leader) => this.#ask(leader, "kvQuery", packKvRead(read, options), options),
    });
    return { ...outcome, value: decodeKvFound(outcome.results) };
  }

  async answer(name: KvCallName, payload: Bytes): Promise<Bytes> {
    const { calls } = this.#parts;
    if (name === "kvExecute") {
      const { body } = unpackCall(payload);
      // Whoever asks may be of another version: what this node cannot read, it does not propose.
      decodeKvCommand(body);
      return packOutcome(await calls.leading(() => this.#executeHere(body)));
    }
    const { read, options } = unpackKvRead(payload);
    return packOutcome(await calls.readAsLeader(options, (index) => this.#readHere(read, index)));
  }

  async #executeHere(payload: Bytes): Promise<CallOutcome> {
    const { result, index } = await this.#parts.calls.proposePayload(payload);
    return { results: result, raftIndex: index, servedBy: this.#parts.httpAddress() };
  }

  async #readHere(read: KvRead, raftIndex: number): Promise<CallOutcome> {
    const results = await this.#parts.sqlite.readKv(read);
    return { results, raftIndex, servedBy: this.#parts.httpAddress() };
  }

  async #ask(
    leader: Member,
    name: KvCallName,
    payload: Bytes,
    { timeoutMs }: CallOptions,
  ): Promise<CallOutcome> {
    const answer = await this.#parts.consensus.call(leader.address, name, payload, timeoutMs);
    return unpackOutcome(answer, leader.address);
  }
}

/** A read travels as the one operation of a transaction. */
function packKvRead(read: KvRead, options: ReadOptions): Bytes {
  const operation: KvOperation =
    read.kind === "get"
      ? read
      : { kind: "range", from: read.from, before: read.before, limit: read.limit };
  const transaction = { conditions: [], success: [operation], failure: [] };
  const keysOnly = read.kind === "range" && read.keysOnly;
  const body = encodeKvCommand({ kind: "transaction", once: null, transaction });
  return packCall({ ...options, keysOnly }, body);
}

/** @throws `BYTES_MALFORMED` */
function unpackKvRead(payload: Bytes): { read: KvRead; options: ReadOptions } {
  const { head, body } = unpackCall(payload);
  const command = decodeKvCommand(body);
  const operation = command.kind === "transaction" ? command.transaction.success[0] : undefined;
  const options = unpackReadOptions(head);
  if (operation?.kind === "get") return { read: operation, options };
  if (operation?.kind === "range") {
    return { read: { ...operation, keysOnly: head["keysOnly"] === true }, options };
  }
  throw new CairnError("BYTES_MALFORMED", "server: a key-value read holds no read");
}
