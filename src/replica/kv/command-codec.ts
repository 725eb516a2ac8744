/**
 * A command of the key-value store as the log keeps it.
 *
 * | offset | bytes | field   | type   | meaning                                                 |
 * | -----: | ----: | ------- | ------ | ------------------------------------------------------- |
 * |      0 |     1 | tag     | u8     | 75, "K": whose command it is; one of SQL begins with 1  |
 * |      1 |     1 | version | u8     | 1                                                       |
 * |      2 |     1 | kind    | u8     | 1 transaction, 2 open a session, 3 close one            |
 * |      3 |     8 | session | u64 LE | 0: none                                                 |
 * |     11 |     8 | serial  | u64 LE | 0: none                                                 |
 * |     19 |     n | body    | bytes  | of a transaction, see below; else empty                 |
 *
 * A body is three lists: conditions, `success`, `failure`. A list is its length (varint) and its
 * items, an item its kind (u8) and the fields below; bytes have their length (varint) in front. Of
 * a range, n is 0 where it has no end, else 1.
 *
 * | item                             | kind   | fields                                        |
 * | -------------------------------- | ------ | --------------------------------------------- |
 * | revision =, not =, less, greater | 1 to 4 | key bytes, revision varint                    |
 * | value =, not =, less, greater    | 5 to 8 | key bytes, value bytes                        |
 * | put                              | 1      | key bytes, value bytes                        |
 * | delete, get                      | 2, 4   | key bytes                                     |
 * | deleteRange, range               | 3, 5   | from bytes, limit varint, n u8, n before bytes |
 *
 * Invariant: decoding gives what was encoded, or `BYTES_MALFORMED`; never a part of it.
 * Chapter: 08-replica.
 */
import { type Bytes, CairnError, isCairnError } from "#base";
import { type ByteReader, type ByteWriter, createByteReader, createByteWriter } from "#bytes";
import { checkCommand } from "./limits.ts";
import type {
  KvCommand,
  KvCondition,
  KvOperation,
  KvRange,
  KvRelation,
  KvTransaction,
} from "./types.ts";

const TAG = 75;
const VERSION = 1;

/** Stored in the log: never renumber. 0 is reserved so that zeroed bytes are never valid. */
const CommandKind = { transaction: 1, openSession: 2, closeSession: 3 } as const;
const RELATIONS: readonly KvRelation[] = ["equal", "unequal", "less", "greater"];
const REVISION_KINDS_FROM = 1;
const VALUE_KINDS_FROM = REVISION_KINDS_FROM + RELATIONS.length;
const OperationKind = { put: 1, delete: 2, deleteRange: 3, get: 4, range: 5 } as const;
const OPERATION_KINDS = ["put", "delete", "deleteRange", "get", "range"] as const;

/** Whether the payload of a log entry is a command of the key-value store. */
export function isKvCommand(payload: Bytes): boolean {
  return payload[0] === TAG;
}

/** @throws `REPLICA_COMMAND_INVALID` for one beyond the limits of `limits.ts`. */
export function encodeKvCommand(command: KvCommand): Bytes {
  checkCommand(command);
  const writer = createByteWriter();
  writer.u8(TAG);
  writer.u8(VERSION);
  writer.u8(CommandKind[command.kind]);
  const once = command.kind === "transaction" ? command.once : null;
  writer.u64(command.kind === "closeSession" ? command.session : (once?.session ?? 0));
  writer.u64(once?.serial ?? 0);
  if (command.kind === "transaction") {
    const { conditions, success, failure } = command.transaction;
    writeList(writer, conditions, writeCondition);
    writeList(writer, success, writeOperation);
    writeList(writer, failure, writeOperation);
  }
  return writer.finish();
}

/**
 * Keys and values are views into `bytes`.
 *
 * @throws `BYTES_MALFORMED`, also for what is beyond the limits: nobody may have encoded it.
 */
export function decodeKvCommand(bytes: Bytes): KvCommand {
  const reader = createByteReader(bytes);
  const [tag, version, kind] = [reader.u8(), reader.u8(), reader.u8()];
  if (tag !== TAG || version !== VERSION) throw malformed(`tag ${tag}, version ${version}`);
  const [session, serial] = [reader.u64(), reader.u64()];
  const command = decodeBody(reader, kind, { session, serial });
  reader.end();
  try {
    checkCommand(command);
  } catch (error) {
    throw isCairnError(error, "REPLICA_COMMAND_INVALID") ? malformed(error.message) : error;
  }
  return command;
}

function decodeBody(
  reader: ByteReader,
  kind: number,
  { session, serial }: { readonly session: number; readonly serial: number },
): KvCommand {
  switch (kind) {
    case CommandKind.transaction:
      if ((session === 0) !== (serial === 0)) throw malformed("half a session");
      return {
        kind: "transaction",
        once: session === 0 ? null : { session, serial },
        transaction: readTransaction(reader),
      };
    case CommandKind.openSession:
      if (session !== 0 || serial !== 0) throw malformed("a session that is not there yet");
      return { kind: "openSession" };
    case CommandKind.closeSession:
      if (serial !== 0) throw malformed("a serial that nobody asks for");
      return { kind: "closeSession", session };
    default:
      throw malformed(`kind ${kind}`);
  }
}

function writeList<T>(
  writer: ByteWriter,
  items: readonly T[],
  write: (writer: ByteWriter, item: T) => void,
): void {
  writer.varint(items.length);
  for (const item of items) write(writer, item);
}

function writeCondition(writer: ByteWriter, condition: KvCondition): void {
  const relation = RELATIONS.indexOf(condition.is);
  if (condition.target === "revision") {
    writer.u8(REVISION_KINDS_FROM + relation);
    writer.bytes(condition.key);
    writer.varint(condition.revision);
  } else {
    writer.u8(VALUE_KINDS_FROM + relation);
    writer.bytes(condition.key);
    writer.bytes(condition.value);
  }
}

function writeOperation(writer: ByteWriter, operation: KvOperation): void {
  writer.u8(OperationKind[operation.kind]);
  switch (operation.kind) {
    case "put":
      writer.bytes(operation.key);
      writer.bytes(operation.value);
      return;
    case "delete":
    case "get":
      writer.bytes(operation.key);
      return;
    case "deleteRange":
    case "range":
      writer.bytes(operation.from);
      writer.varint(operation.limit);
      writer.u8(operation.before === null ? 0 : 1);
      if (operation.before !== null) writer.bytes(operation.before);
  }
}

function readTransaction(reader: ByteReader): KvTransaction {
  return {
    conditions: readList(reader, readCondition),
    success: readList(reader, readOperation),
    failure: readList(reader, readOperation),
  };
}

function readList<T>(reader: ByteReader, read: (reader: ByteReader) => T): T[] {
  const items: T[] = [];
  // Each item takes bytes, so a length that is a lie runs into the end.
  for (let left = reader.varint(); left > 0; left -= 1) items.push(read(reader));
  return items;
}

function readCondition(reader: ByteReader): KvCondition {
  const kind = reader.u8();
  const isValue = kind >= VALUE_KINDS_FROM;
  const is = RELATIONS[kind - (isValue ? VALUE_KINDS_FROM : REVISION_KINDS_FROM)];
  if (is === undefined) throw malformed(`condition of kind ${kind}`);
  const key = reader.bytes();
  return isValue
    ? { key, target: "value", is, value: reader.bytes() }
    : { key, target: "revision", is, revision: reader.varint() };
}

function readOperation(reader: ByteReader): KvOperation {
  const code = reader.u8();
  const kind = OPERATION_KINDS.find((name) => OperationKind[name] === code);
  switch (kind) {
    case "put":
      return { kind, key: reader.bytes(), value: reader.bytes() };
    case "delete":
    case "get":
      return { kind, key: reader.bytes() };
    case "deleteRange":
    case "range":
      return { kind, ...readRange(reader) };
    case undefined:
      throw malformed(`operation of kind ${code}`);
  }
}

function readRange(reader: ByteReader): KvRange {
  const from = reader.bytes();
  const limit = reader.varint();
  const hasEnd = reader.u8();
  if (hasEnd > 1) throw malformed(`end of a range ${hasEnd}`);
  return { from, limit, before: hasEnd === 1 ? reader.bytes() : null };
}

function malformed(problem: string): CairnError {
  return new CairnError("BYTES_MALFORMED", `replica: key-value command: ${problem}`);
}
