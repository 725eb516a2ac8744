/**
 * What a key-value command may hold, and what one may do.
 *
 * All of them decide what an entry of the log does, so they are the same on every replica: a change
 * of one needs a new version of the command's format. Invariant: what `checkCommand` has passed can
 * be encoded, applied and answered.
 * Chapter: 08-replica.
 */
import { type Bytes, CairnError } from "#base";
import type { KvCommand, KvCondition, KvOperation, KvRange, KvTransaction } from "./types.ts";

/** As etcd's advice; a key is part of every version of its value. */
export const KEY_BYTES_MAX: number = 4096;
/** Eight of them fit into what the storage engine takes as one record. */
export const VALUE_BYTES_MAX: number = 8 * 1024 * 1024;
/** Conditions, or operations of one branch. etcd's limit. */
export const OPERATIONS_MAX: number = 128;
/** Keys that one range may give or delete. */
export const RANGE_LIMIT_MAX: number = 10_000;
/** Keys and values of all puts of both branches: below a record of the engine by a factor. */
export const TRANSACTION_BYTES_MAX: number = 16 * 1024 * 1024;
/** Keys that one command may delete by ranges; the rest is left, and the answer says so. */
export const DELETED_BYTES_MAX: number = 8 * 1024 * 1024;
/** An answer is kept for repetitions, so it must not be large. */
export const ANSWER_BYTES_MAX: number = 1024 * 1024;
/** What a read beside the log gives at once: it is kept by nobody. */
export const READ_BYTES_MAX: number = 8 * 1024 * 1024;

/** A session that nobody uses is forgotten after an hour of the log's time. */
export const SESSION_IDLE_MS: number = 60 * 60 * 1000;
export const SESSIONS_MAX: number = 4096;
export const SESSION_BYTES_MAX: number = 16 * 1024 * 1024;

/** @throws `REPLICA_COMMAND_INVALID`, naming the limit that the command is beyond. */
export function checkCommand(command: KvCommand): void {
  if (command.kind === "transaction") {
    if (command.once !== null) {
      checkNumber("session", command.once.session, 1);
      checkNumber("serial", command.once.serial, 1);
    }
    checkTransaction(command.transaction);
  } else if (command.kind === "closeSession") checkNumber("session", command.session, 1);
}

function checkTransaction({ conditions, success, failure }: KvTransaction): void {
  for (const [name, list] of Object.entries({ conditions, success, failure })) {
    if (list.length > OPERATIONS_MAX) {
      throw beyond(`${list.length} ${name}, the limit is ${OPERATIONS_MAX}`);
    }
  }
  let bytes = 0;
  for (const condition of conditions) bytes += checkCondition(condition);
  for (const operation of [...success, ...failure]) bytes += checkOperation(operation);
  if (bytes > TRANSACTION_BYTES_MAX) {
    const limit = `the limit is ${TRANSACTION_BYTES_MAX}`;
    throw beyond(`${bytes} bytes of keys and values, ${limit}`);
  }
}

function checkCondition(condition: KvCondition): number {
  const { key } = condition;
  checkKey(key);
  if (condition.target === "value") {
    checkValue(condition.value);
    return key.length + condition.value.length;
  }
  checkNumber("revision", condition.revision, 0);
  return key.length;
}

function checkOperation(operation: KvOperation): number {
  switch (operation.kind) {
    case "put":
      checkKey(operation.key);
      checkValue(operation.value);
      return operation.key.length + operation.value.length;
    case "delete":
    case "get":
      checkKey(operation.key);
      return operation.key.length;
    case "range":
    case "deleteRange":
      checkRange(operation);
      return operation.from.length + (operation.before?.length ?? 0);
  }
}

/** @throws `REPLICA_COMMAND_INVALID` for no key, or one that is too long. */
export function checkKey(key: Bytes): void {
  if (key.length >= 1 && key.length <= KEY_BYTES_MAX) return;
  throw beyond(`a key of ${key.length} bytes, must be 1 to ${KEY_BYTES_MAX}`);
}

/** @throws `REPLICA_COMMAND_INVALID` for ends that are no keys, or a limit out of its range. */
export function checkRange({ from, before, limit }: KvRange): void {
  for (const end of [from, before ?? from]) {
    if (end.length <= KEY_BYTES_MAX) continue;
    const problem = `an end of a range has ${end.length} bytes`;
    throw beyond(`${problem}, the limit is ${KEY_BYTES_MAX}`);
  }
  checkNumber("limit", limit, 1);
  if (limit > RANGE_LIMIT_MAX) {
    throw beyond(`limit ${limit}, must be at most ${RANGE_LIMIT_MAX}`);
  }
}

function checkValue({ length }: Bytes): void {
  if (length <= VALUE_BYTES_MAX) return;
  throw beyond(`a value of ${length} bytes, the limit is ${VALUE_BYTES_MAX}`);
}

function checkNumber(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw beyond(`${name} ${value} is not a whole number from ${least}`);
}

function beyond(problem: string): CairnError {
  return new CairnError("REPLICA_COMMAND_INVALID", `kv: ${problem}`);
}
