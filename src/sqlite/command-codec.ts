/**
 * A command as the log keeps it.
 *
 * | offset | bytes | field   | type   | meaning                                                   |
 * | -----: | ----: | ------- | ------ | --------------------------------------------------------- |
 * |      0 |     1 | version | u8     | {@link VERSION}                                           |
 * |      1 |     1 | kind    | u8     | see {@link CommandKind}                                   |
 * |      2 |     1 | flags   | u8     | see {@link CommandFlag}; 0 for file loads and barrier     |
 * |      3 |     n | body    | bytes  | by kind, see below                                        |
 *
 * Body of execute and request: statement count (u32 LE), then each statement: SQL (text), count of
 * positional values (u32 LE), values, count of named values (u32 LE), each a name (text) and a
 * value. Body of loadText: SQL (text). Body of loadFile: the file, to the end. Body of loadPiece:
 * load (u64 LE), offset (u64 LE), bytes, to the end. Body of loadFinish: load (u64 LE), size of the
 * file (u64 LE). Body of loadAbort: load (u64 LE). Body of barrier: empty. A text is its length in
 * bytes (u32 LE) and UTF-8. A value is a {@link ValueKind} (u8) and then: null nothing, integer i64
 * LE, real f64 LE, text a text, blob its length (u32 LE) and its bytes.
 *
 * Invariant: decoding gives what was encoded, or `BYTES_MALFORMED`; never a part of it.
 * Chapter: 09-sqlite.
 */
import { type Bytes, CairnError } from "#base";
import type { Command, Rendering, SqlValue, Statement } from "./types.ts";

/** Raised when an old node could no longer apply what a new one proposes. */
const VERSION = 1;

/** Stored in the log: never renumber. 0 is reserved so that zeroed bytes are never valid. */
const CommandKind = {
  execute: 1,
  request: 2,
  loadText: 3,
  loadFile: 4,
  barrier: 5,
  loadPiece: 6,
  loadFinish: 7,
  loadAbort: 8,
} as const;

const CommandFlag = {
  transaction: 1,
  associative: 2,
  blobArray: 4,
  qualifyColumns: 8,
  timings: 16,
} as const;

/** Stored in the log: never renumber. */
const ValueKind = { null: 1, integer: 2, real: 3, text: 4, blob: 5 } as const;

const FLAGS_OFFSET = 2;
const BODY_OFFSET: number = FLAGS_OFFSET + 1;
const COUNT_BYTES = 4;
const NUMBER_BYTES = 8;
/** A UTF-16 code unit takes at most three bytes in UTF-8. */
const UTF8_BYTES_MAX_PER_UNIT = 3;

/** Encodes a command once, into the bytes that go to the log and over the wire. */
export function encodeCommand(command: Command): Bytes {
  const writer = new CommandWriter(sizeBound(command));
  writer.u8(VERSION);
  writer.u8(CommandKind[command.kind]);
  switch (command.kind) {
    case "execute":
    case "request":
      writer.u8(flagsOf(command.rendering, command.transaction));
      writer.u32(command.statements.length);
      for (const statement of command.statements) writer.statement(statement);
      break;
    case "loadText":
      writer.u8(flagsOf(command.rendering, false));
      writer.text(command.sql);
      break;
    case "loadFile":
      writer.u8(0);
      writer.raw(command.file);
      break;
    case "loadPiece":
      writer.u8(0);
      writer.u64(command.loadId);
      writer.u64(BigInt(command.offset));
      writer.raw(command.bytes);
      break;
    case "loadFinish":
      writer.u8(0);
      writer.u64(command.loadId);
      writer.u64(BigInt(command.fileBytes));
      break;
    case "loadAbort":
      writer.u8(0);
      writer.u64(command.loadId);
      break;
    case "barrier":
      writer.u8(0);
  }
  return writer.finish();
}

/**
 * Decodes a command. The file of a loadFile and blobs are views into `bytes`.
 *
 * @throws `BYTES_MALFORMED`, with the offset.
 */
export function decodeCommand(bytes: Bytes): Command {
  const reader = new CommandReader(bytes);
  const version = reader.u8();
  if (version !== VERSION) throw malformed(`version ${version}, want ${VERSION}`, 0);
  const kind = reader.u8();
  const flags = reader.u8();
  const command = decodeBody(reader, kind, flags);
  reader.expectEnd();
  return command;
}

function decodeBody(reader: CommandReader, kind: number, flags: number): Command {
  const rendering = renderingOf(flags);
  switch (kind) {
    case CommandKind.execute:
    case CommandKind.request: {
      const count = reader.u32();
      const statements: Statement[] = [];
      for (let index = 0; index < count; index += 1) statements.push(reader.statement());
      const transaction = (flags & CommandFlag.transaction) !== 0;
      const name = kind === CommandKind.execute ? "execute" : "request";
      return { kind: name, statements, transaction, rendering };
    }
    case CommandKind.loadText:
      return { kind: "loadText", sql: reader.text(), rendering };
    case CommandKind.loadFile:
      return { kind: "loadFile", file: reader.rest() };
    case CommandKind.loadPiece: {
      const loadId = reader.u64();
      return { kind: "loadPiece", loadId, offset: Number(reader.u64()), bytes: reader.rest() };
    }
    case CommandKind.loadFinish:
      return { kind: "loadFinish", loadId: reader.u64(), fileBytes: Number(reader.u64()) };
    case CommandKind.loadAbort:
      return { kind: "loadAbort", loadId: reader.u64() };
    case CommandKind.barrier:
      return { kind: "barrier" };
    default:
      throw malformed(`command kind ${kind}`, 1);
  }
}

function flagsOf(rendering: Rendering, transaction: boolean): number {
  return (
    (transaction ? CommandFlag.transaction : 0) |
    (rendering.associative ? CommandFlag.associative : 0) |
    (rendering.blobArray ? CommandFlag.blobArray : 0) |
    (rendering.qualifyColumns ? CommandFlag.qualifyColumns : 0) |
    (rendering.timings ? CommandFlag.timings : 0)
  );
}

function renderingOf(flags: number): Rendering {
  return {
    associative: (flags & CommandFlag.associative) !== 0,
    blobArray: (flags & CommandFlag.blobArray) !== 0,
    qualifyColumns: (flags & CommandFlag.qualifyColumns) !== 0,
    timings: (flags & CommandFlag.timings) !== 0,
  };
}

/** An upper bound of the encoded size, so that one buffer is enough. */
function sizeBound(command: Command): number {
  let bytes = BODY_OFFSET + COUNT_BYTES;
  if (command.kind === "loadFile") return bytes + command.file.length;
  if (command.kind === "loadText") return bytes + textBound(command.sql);
  if (command.kind === "loadPiece") return bytes + 2 * NUMBER_BYTES + command.bytes.length;
  if (command.kind !== "execute" && command.kind !== "request") return bytes + 2 * NUMBER_BYTES;
  for (const statement of command.statements) {
    bytes += textBound(statement.sql) + 2 * COUNT_BYTES;
    for (const value of statement.positional) bytes += valueBound(value);
    for (const [name, value] of statement.named) bytes += textBound(name) + valueBound(value);
  }
  return bytes;
}

function textBound(text: string): number {
  return COUNT_BYTES + text.length * UTF8_BYTES_MAX_PER_UNIT;
}

function valueBound(value: SqlValue): number {
  if (typeof value === "string") return 1 + textBound(value);
  if (value instanceof Uint8Array) return 1 + COUNT_BYTES + value.length;
  return 1 + NUMBER_BYTES;
}

class CommandWriter {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(sizeMax: number) {
    this.#buffer = Buffer.allocUnsafe(sizeMax);
  }

  u8(value: number): void {
    this.#buffer[this.#at] = value;
    this.#at += 1;
  }

  u32(value: number): void {
    this.#at = this.#buffer.writeUInt32LE(value, this.#at);
  }

  u64(value: bigint): void {
    this.#at = this.#buffer.writeBigUInt64LE(value, this.#at);
  }

  text(text: string): void {
    const lengthAt = this.#at;
    const length = this.#buffer.write(text, lengthAt + COUNT_BYTES, "utf8");
    this.#buffer.writeUInt32LE(length, lengthAt);
    this.#at = lengthAt + COUNT_BYTES + length;
  }

  raw(bytes: Bytes): void {
    this.#buffer.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  value(value: SqlValue): void {
    if (value === null) this.u8(ValueKind.null);
    else if (typeof value === "bigint") {
      this.u8(ValueKind.integer);
      this.#at = this.#buffer.writeBigInt64LE(value, this.#at);
    } else if (typeof value === "number") {
      this.u8(ValueKind.real);
      this.#at = this.#buffer.writeDoubleLE(value, this.#at);
    } else if (typeof value === "string") {
      this.u8(ValueKind.text);
      this.text(value);
    } else {
      this.u8(ValueKind.blob);
      this.u32(value.length);
      this.raw(value);
    }
  }

  statement(statement: Statement): void {
    this.text(statement.sql);
    this.u32(statement.positional.length);
    for (const value of statement.positional) this.value(value);
    this.u32(statement.named.length);
    for (const [name, value] of statement.named) {
      this.text(name);
      this.value(value);
    }
  }

  /** The bytes, in an array of their own size. */
  finish(): Bytes {
    return new Uint8Array(this.#buffer.subarray(0, this.#at));
  }
}

class CommandReader {
  readonly #buffer: Buffer;
  #at = 0;

  constructor(bytes: Bytes) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  u8(): number {
    return this.#buffer[this.#take(1)] ?? 0;
  }

  u32(): number {
    return this.#buffer.readUInt32LE(this.#take(COUNT_BYTES));
  }

  u64(): bigint {
    return this.#buffer.readBigUInt64LE(this.#take(NUMBER_BYTES));
  }

  text(): string {
    const length = this.u32();
    const from = this.#take(length);
    return this.#buffer.toString("utf8", from, from + length);
  }

  rest(): Bytes {
    const from = this.#take(this.#buffer.length - this.#at);
    return this.#view(from, this.#buffer.length);
  }

  value(): SqlValue {
    const kind = this.u8();
    switch (kind) {
      case ValueKind.null:
        return null;
      case ValueKind.integer:
        return this.#buffer.readBigInt64LE(this.#take(NUMBER_BYTES));
      case ValueKind.real:
        return this.#buffer.readDoubleLE(this.#take(NUMBER_BYTES));
      case ValueKind.text:
        return this.text();
      case ValueKind.blob: {
        const length = this.u32();
        const from = this.#take(length);
        return this.#view(from, from + length);
      }
      default:
        throw malformed(`value kind ${kind}`, this.#at - 1);
    }
  }

  statement(): Statement {
    const sql = this.text();
    const positional: SqlValue[] = [];
    for (let count = this.u32(); count > 0; count -= 1) positional.push(this.value());
    const named: [string, SqlValue][] = [];
    for (let count = this.u32(); count > 0; count -= 1) named.push([this.text(), this.value()]);
    return { sql, positional, named };
  }

  expectEnd(): void {
    const left = this.#buffer.length - this.#at;
    if (left !== 0) throw malformed(`${left} bytes after the end`, this.#at);
  }

  /** Moves past `count` bytes and gives the offset of the first. */
  #take(count: number): number {
    const from = this.#at;
    if (count > this.#buffer.length - from) throw malformed("bytes are missing", from);
    this.#at = from + count;
    return from;
  }

  #view(from: number, before: number): Bytes {
    const { buffer, byteOffset } = this.#buffer;
    return new Uint8Array(buffer, byteOffset + from, before - from);
  }
}

function malformed(what: string, offset: number): CairnError {
  return new CairnError("BYTES_MALFORMED", `sqlite: command at byte ${offset}: ${what}`, {
    details: { offset },
  });
}
