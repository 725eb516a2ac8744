/**
 * A SQLite file that comes in pieces, each an entry of the log, and replaces the whole database.
 *
 * The pieces wait in a table of our own inside the database, so that they share the fate of
 * everything else: a crash, a restart or a copy for another node keeps all of those whose entries
 * are applied and none of the others. The last entry writes them to a file and loads it
 * (`load.ts`). There is one load at a time: a new one ends the one before it, whose sender may be
 * long gone.
 *
 * Invariant: what is installed is every byte of the file in order, or nothing.
 * Chapter: 09-sqlite.
 */
import { assert, type Bytes } from "#base";
import { createReclaimer } from "#platform";
import { type FilePieces, INVALID_FILE_TEXT, loadFile } from "./load.ts";
import { LOAD_TABLE } from "./state-table.ts";
import type { Command } from "./types.ts";
import type { Writer } from "./writer.ts";

/** Commands that bring a file. */
export type LoadCommand = Extract<
  Command,
  { readonly kind: "loadFile" | "loadPiece" | "loadFinish" | "loadAbort" }
>;

/** The answer to a piece whose load is not, or no longer, under way. */
export const NOT_UNDER_WAY_TEXT = "load: another load has begun, or a piece is missing";

/** What became of a command. */
export interface LoadOutcome {
  /** The answer, if it is a refusal: the same on every replica. */
  readonly problem: string | undefined;
  /** The applied index has been committed with it. */
  readonly isComplete: boolean;
}

const REFUSED: LoadOutcome = { problem: NOT_UNDER_WAY_TEXT, isComplete: false };

/**
 * Applies a command, outside of any transaction.
 *
 * @param entry - `complete` commits the entry's index with the transaction under way.
 * @throws `SQLITE_ENGINE_FAILED`
 */
export function applyLoad(
  writer: Writer,
  command: LoadCommand,
  entry: { readonly index: number; complete(): void },
): LoadOutcome {
  switch (command.kind) {
    case "loadFile":
      return install(writer, [command.file], entry.index);
    case "loadPiece": {
      if (!isNext(writer, command)) return REFUSED;
      changeOwn(writer, () => keep(writer, command), entry.complete);
      return { problem: undefined, isComplete: true };
    }
    case "loadFinish": {
      const { loadId, offset } = progress(writer);
      const isWhole = loadId === command.loadId && offset === command.fileBytes;
      if (!isWhole) return REFUSED;
      const outcome = install(writer, keptPieces(writer), entry.index);
      if (outcome.isComplete) return outcome;
      changeOwn(writer, () => drop(writer), entry.complete);
      return { ...outcome, isComplete: true };
    }
    case "loadAbort": {
      if (progress(writer).loadId !== command.loadId) return REFUSED;
      changeOwn(writer, () => drop(writer), entry.complete);
      return { problem: undefined, isComplete: true };
    }
  }
}

function install(writer: Writer, file: FilePieces, index: number): LoadOutcome {
  if (loadFile(writer, file, index)) return { problem: undefined, isComplete: true };
  return { problem: INVALID_FILE_TEXT, isComplete: false };
}

/** Changes our own table; what SQLite counts meanwhile is not the clients' business. */
function changeOwn(writer: Writer, change: () => void, complete: () => void): void {
  writer.run("BEGIN IMMEDIATE");
  change();
  complete();
  writer.scripts.forgetStatements();
  writer.syncCounters();
}

type Piece = Extract<LoadCommand, { readonly kind: "loadPiece" }>;

function isNext(writer: Writer, { loadId, offset }: Piece): boolean {
  if (offset === 0) return true;
  const have = progress(writer);
  return have.loadId === loadId && have.offset === offset;
}

/** Of this thread, through which every piece passes. */
const memory = createReclaimer();

function keep(writer: Writer, { loadId, offset, bytes }: Piece): void {
  memory.used(bytes.length);
  const { database } = writer;
  if (offset === 0) {
    drop(writer);
    database.exec(`CREATE TABLE ${LOAD_TABLE} (
      offset INTEGER PRIMARY KEY,
      load_id INTEGER NOT NULL,
      bytes BLOB NOT NULL
    )`);
  }
  database
    .prepare(`INSERT INTO ${LOAD_TABLE} VALUES (?, ?, ?)`)
    .run(BigInt(offset), BigInt.asIntN(64, loadId), bytes);
}

function drop(writer: Writer): void {
  writer.database.exec(`DROP TABLE IF EXISTS ${LOAD_TABLE}`);
}

/** Which load is under way, and where its next piece begins. */
function progress(writer: Writer): {
  readonly loadId: bigint | undefined;
  readonly offset: number;
} {
  const { database } = writer;
  const find = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?");
  if (find.get(LOAD_TABLE) === undefined) return { loadId: undefined, offset: 0 };
  const row = database
    .prepare(
      `SELECT load_id, offset + length(bytes) FROM ${LOAD_TABLE} ORDER BY offset DESC LIMIT 1`,
    )
    .raw()
    .get();
  assert(Array.isArray(row), "sqlite: a load begins with its first piece");
  return { loadId: BigInt.asUintN(64, BigInt(row[0])), offset: Number(row[1]) };
}

function* keptPieces(writer: Writer): Generator<Bytes> {
  const rows = writer.database
    .prepare(`SELECT bytes FROM ${LOAD_TABLE} ORDER BY offset`)
    .pluck()
    .iterate();
  for (const bytes of rows) {
    assert(bytes instanceof Uint8Array, "sqlite: pieces are blobs");
    yield new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    memory.used(bytes.length);
  }
}
