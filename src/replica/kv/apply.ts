/**
 * Applies one command of the key-value store inside an open transaction of the store below.
 *
 * Invariants: what an entry does follows from the state, the entry's index and its time, and from
 * nothing else (K5); a refused command leaves the clients' keys as they were.
 * Chapter: 08-replica.
 */
import type { Bytes } from "#base";
import { compareBytes } from "#bytes";
import type { Transaction } from "#mvcc/types";
import type { Index } from "#raft/types";
import { encodeKvAnswer } from "./answer-codec.ts";
import { ANSWER_BYTES_MAX, DELETED_BYTES_MAX } from "./limits.ts";
import type { LogMoment, Sessions } from "./sessions.ts";
import type {
  KvAnswer,
  KvCommand,
  KvCondition,
  KvFound,
  KvOperation,
  KvRange,
  KvRefusal,
  KvRelation,
  KvTransaction,
} from "./types.ts";
import type { KvView } from "./view.ts";

/** What a command is applied to. */
export interface ApplyTarget {
  readonly transaction: Transaction;
  readonly view: KvView;
  readonly sessions: Sessions;
}

/** @returns the encoded answer; of a repeated command, the first one. */
export function applyCommand(target: ApplyTarget, command: KvCommand, moment: LogMoment): Bytes {
  const { sessions } = target;
  sessions.expire(moment.timeMs);
  switch (command.kind) {
    case "openSession":
      sessions.open(moment);
      return encodeKvAnswer({ kind: "session", session: moment.index });
    case "closeSession":
      sessions.close(command.session);
      return encodeKvAnswer({ kind: "session", session: command.session });
    case "transaction":
      return applyOnce(target, command, moment);
  }
}

function applyOnce(
  target: ApplyTarget,
  { once, transaction }: Extract<KvCommand, { readonly kind: "transaction" }>,
  moment: LogMoment,
): Bytes {
  if (once === null) return encodeKvAnswer(run(target, transaction, moment.index));
  const recognition = target.sessions.recognise(once, moment);
  switch (recognition.kind) {
    case "repeated":
      return recognition.answer;
    case "unknown":
      return encodeKvAnswer(refused("session-unknown"));
    case "passed":
      return encodeKvAnswer(refused("serial-passed"));
    case "new": {
      const answer = encodeKvAnswer(run(target, transaction, moment.index));
      target.sessions.answered(once, answer);
      return answer;
    }
  }
}

function run({ transaction, view }: ApplyTarget, body: KvTransaction, revision: Index): KvAnswer {
  const held = body.conditions.every((condition) => holds(view, condition));
  const budget: Budget = { answerBytes: ANSWER_BYTES_MAX, deletedBytes: DELETED_BYTES_MAX };
  const before = transaction.savepoint();
  const found: KvFound[] = [];
  for (const operation of held ? body.success : body.failure) {
    const one = runOperation(view, operation, { revision, budget });
    if (one === undefined) {
      transaction.rollbackTo(before);
      return refused("answer-too-large");
    }
    found.push(one);
  }
  return { kind: "transaction", held, revision, found };
}

function refused(refusal: KvRefusal): KvAnswer {
  return { kind: "refused", refusal };
}

function holds(view: KvView, condition: KvCondition): boolean {
  const entry = view.get(condition.key);
  if (condition.target === "revision") {
    return isIn(condition.is, (entry?.revision ?? 0) - condition.revision);
  }
  if (entry === null) return condition.is === "unequal";
  return isIn(condition.is, compareBytes(entry.value, condition.value));
}

/** @param order - below, at or above 0: how the found value stands to the given one. */
function isIn(relation: KvRelation, order: number): boolean {
  switch (relation) {
    case "equal":
      return order === 0;
    case "unequal":
      return order !== 0;
    case "less":
      return order < 0;
    case "greater":
      return order > 0;
  }
}

/** What is left of the limits of one command. */
interface Budget {
  answerBytes: number;
  deletedBytes: number;
}

/** @returns undefined if the answer would be too large. */
function runOperation(
  view: KvView,
  operation: KvOperation,
  { revision, budget }: { readonly revision: Index; readonly budget: Budget },
): KvFound | undefined {
  switch (operation.kind) {
    case "put": {
      const previousRevision = view.get(operation.key)?.revision ?? 0;
      view.put(operation.key, operation.value, revision);
      return { kind: "put", previousRevision };
    }
    case "delete": {
      const isThere = view.get(operation.key) !== null;
      if (isThere) view.delete(operation.key);
      return { kind: "deleted", count: isThere ? 1 : 0, more: false };
    }
    case "deleteRange":
      return deleteRange(view, operation, budget);
    case "get": {
      const entry = view.get(operation.key);
      budget.answerBytes -= entry === null ? 0 : entry.key.length + entry.value.length;
      return budget.answerBytes < 0 ? undefined : { kind: "got", entry };
    }
    case "range": {
      const { entries, more } = view.range(operation, budget.answerBytes);
      // Left out for its size, not for the limit: half an answer looks like a whole one.
      if (more && entries.length < operation.limit) return undefined;
      for (const { key, value } of entries) budget.answerBytes -= key.length + value.length;
      return { kind: "entries", entries, more };
    }
  }
}

function deleteRange(view: KvView, range: KvRange, budget: Budget): KvFound {
  const { keys, more } = view.keys(range, budget.deletedBytes);
  for (const key of keys) {
    view.delete(key);
    budget.deletedBytes -= key.length;
  }
  return { kind: "deleted", count: keys.length, more };
}
