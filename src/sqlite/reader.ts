/**
 * A connection that only reads, for one thread.
 *
 * Every request sees the database at one moment, inside one read transaction. Invariant: whatever a
 * client sends, the connection is afterwards as it was (Q4), and a statement that fails is an
 * answer like any other; only a failing engine throws.
 * Chapter: 09-sqlite. Source: compat reference 3.3, 4.1, 4.4 and 4.8.
 */
import Database from "better-sqlite3";
import { assert, type Bytes, CairnError, errorText, isCairnError, type Ms } from "#base";
import { createNodeClock } from "#platform";
import { writeBackup } from "./backup.ts";
import { digestConnection } from "./digest.ts";
import { loadExtensions } from "./extensions.ts";
import { bindParameters, ParameterError, parametersOf } from "./prepare.ts";
import {
  isOurs,
  isWrite,
  mayWrite,
  type PreparedStep,
  prepareScript,
  QUERY_TIMEOUT_TEXT,
  type ReadScript,
  WRITE_REFUSED_TEXT,
} from "./read-script.ts";
import { renderError, renderRows, statementErrorText } from "./render.ts";
import { isEngineFailure, sqliteCode } from "./sqlite-errors.ts";
import { readState } from "./state-table.ts";
import { ClientTransaction, ControlError } from "./transaction-control.ts";
import type {
  BackupRequest,
  ReadRequest,
  ReadResponse,
  SqliteReader,
  SqlValue,
  Statement,
} from "./types.ts";
import { refuseUnsafeFunctions } from "./unsafe-functions.ts";

/** A reader, with what only our own threads ask of it. */
export interface InnerReader extends SqliteReader {
  /** @param onStatement - told the results of each statement as soon as it is done. */
  read(request: ReadRequest, onStatement?: (text: string) => void): ReadResponse;
  /** Digest and applied index of one moment. */
  digest(): { readonly appliedIndex: number; readonly digest: string };
}

/** How long to wait for a lock; readers of a WAL wait only while another recovers it. */
const BUSY_TIMEOUT_MS = 5000;
/** Texts kept prepared; a prepared statement takes some kilobytes. */
const SCRIPTS_MAX = 256;
/** Longer texts are loads and generated SQL, and seldom come twice. */
const SCRIPT_CHARACTERS_MAX = 10_000;
const MS_PER_SECOND = 1000;

const utf8 = new TextEncoder();
const clock = createNodeClock();

/**
 * Opens a database for reading. The file must exist.
 *
 * @throws `SQLITE_FILE_INVALID`, `SQLITE_ENGINE_FAILED`.
 */
export function openSqliteReader(path: string, extensions: readonly string[] = []): InnerReader {
  try {
    return new Reader(path, extensions);
  } catch (error) {
    const code = sqliteCode(error);
    if (code === undefined) throw error;
    const isFile = code === "SQLITE_NOTADB" || code.startsWith("SQLITE_CORRUPT");
    throw new CairnError(
      isFile ? "SQLITE_FILE_INVALID" : "SQLITE_ENGINE_FAILED",
      `sqlite: reader: ${path}: ${errorText(error)}`,
      { cause: error },
    );
  }
}

class Reader implements InnerReader {
  readonly #path: string;
  readonly #database: Database.Database;
  readonly #begin: Database.Statement;
  readonly #commit: Database.Statement;
  readonly #schemaVersion: Database.Statement;
  readonly #schemaProbe: Database.Statement;
  readonly #scripts = new Map<string, ReadScript>();
  #version: unknown;

  constructor(path: string, extensions: readonly string[]) {
    this.#path = path;
    this.#database = openReadOnly(path);
    loadExtensions(this.#database, extensions);
    this.#begin = this.#database.prepare("BEGIN");
    this.#commit = this.#database.prepare("COMMIT");
    this.#schemaVersion = this.#database.prepare("PRAGMA schema_version").pluck();
    this.#schemaProbe = this.#database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").pluck();
  }

  read(request: ReadRequest, onStatement?: (text: string) => void): ReadResponse {
    return this.#atOneMoment(() => {
      if (request.mode === "request" && this.#needsWrite(request.statements)) {
        return { needsWrite: true };
      }
      return { needsWrite: false, results: this.#query(request, onStatement) };
    });
  }

  digest(): { appliedIndex: number; digest: string } {
    return this.#atOneMoment(() => ({
      appliedIndex: readState(this.#database)?.appliedIndex ?? 0,
      digest: Buffer.from(digestConnection(this.#database)).toString("hex"),
    }));
  }

  async backup(request: BackupRequest): Promise<void> {
    // A connection of its own: copying goes on over many turns, and reads come between.
    const source = openReadOnly(this.#path);
    try {
      await writeBackup(source, request);
    } finally {
      source.close();
    }
  }

  close(): void {
    this.#scripts.clear();
    this.#database.close();
  }

  /** Runs `f` in a read transaction, with no statement prepared for another schema. */
  #atOneMoment<T>(f: () => T): T {
    try {
      this.#begin.run();
      try {
        const version = this.#schemaVersion.get();
        if (version !== this.#version) {
          // SQLite notices a changed schema when it runs a statement, not when it prepares one;
          // without this, columns would have the types of the old schema.
          this.#schemaProbe.get();
          this.#version = version;
          this.#scripts.clear();
        }
        return f();
      } finally {
        if (this.#database.inTransaction) this.#commit.run();
      }
    } catch (error) {
      if (sqliteCode(error) === undefined) throw error;
      throw engineFailed(error);
    }
  }

  #needsWrite(statements: readonly Statement[]): boolean {
    return statements.some(({ sql }) => {
      if (sql === "") return false;
      try {
        return this.#script(sql).steps.some(mayWrite);
      } catch (error) {
        // The writer finds out what is wrong with it, with the schema as the log makes it (3.3).
        statementText(error);
        return true;
      }
    });
  }

  #query(request: ReadRequest, onStatement: ((text: string) => void) | undefined): Bytes {
    const { timeoutMs = 0 } = request;
    const deadline = timeoutMs > 0 ? clock.now() + timeoutMs : Number.POSITIVE_INFINITY;
    const transaction = new ClientTransaction(NO_TRANSACTION, () => undefined);
    if (request.transaction) transaction.control({ kind: "begin" });
    let results = "";
    for (const statement of request.statements) {
      if (statement.sql === "") continue;
      const answer = this.#answer(statement, request, transaction, deadline);
      results += (results === "" ? "" : ",") + answer;
      onStatement?.(answer);
    }
    return utf8.encode(`[${results}]`);
  }

  #answer(
    statement: Statement,
    request: ReadRequest,
    transaction: ClientTransaction,
    deadline: Ms,
  ): string {
    const { rendering } = request;
    const from = rendering.timings ? clock.now() : 0;
    try {
      checkTime(deadline);
      const script = this.#script(statement.sql);
      const last = bindAll(script, statement);
      if (last === undefined) return renderRows([], [], rendering, 0);
      const { step, bindings } = last;
      const all = this.#run(step, bindings, transaction);
      const rows = deadline === Number.POSITIVE_INFINITY ? all : untilTime(all, deadline);
      const seconds = (): number => (clock.now() - from) / MS_PER_SECOND;
      return renderRows(step.columns, rows, rendering, seconds);
    } catch (error) {
      return renderError(statementText(error), rendering, "read");
    }
  }

  #run(
    step: PreparedStep,
    bindings: readonly unknown[],
    transaction: ClientTransaction,
  ): Iterable<readonly SqlValue[]> {
    const { action, prepared } = step;
    if (action.kind === "control") transaction.control(action.control);
    if (action.kind !== "run") return [];
    assert(prepared !== undefined, "sqlite: reader: what is run was prepared");
    if (isWrite(step)) throw new RefusedError(WRITE_REFUSED_TEXT);
    if (!prepared.reader) {
      prepared.statement.run(...bindings);
      return [];
    }
    // Row by row: a result need not fit into memory twice, and a thread that is terminated stops
    // here. `prepareLenient` has switched on raw rows and 64-bit integers, so a row is an array of
    // values.
    const rows = prepared.statement.iterate(...bindings) as Iterable<SqlValue[]>;
    return step.schemaColumns.length === 0 ? rows : withoutOurs(rows, step.schemaColumns);
  }

  #script(sql: string): ReadScript {
    const known = this.#scripts.get(sql);
    if (known !== undefined) return known;
    const script = prepareScript(this.#database, sql);
    if (sql.length <= SCRIPT_CHARACTERS_MAX) {
      // A Map keeps the order of insertion: the first is the one that was prepared longest ago.
      const [oldest] = this.#scripts.keys();
      if (this.#scripts.size >= SCRIPTS_MAX && oldest !== undefined) this.#scripts.delete(oldest);
      this.#scripts.set(sql, script);
    }
    return script;
  }
}

function openReadOnly(path: string): Database.Database {
  const database = new Database(path, {
    readonly: true,
    fileMustExist: true,
    timeout: BUSY_TIMEOUT_MS,
  });
  try {
    database.defaultSafeIntegers(true);
    refuseUnsafeFunctions(database);
    database.pragma("query_only = ON");
    // As the reference shows them; neither has an effect on a connection that cannot write.
    database.pragma("synchronous = OFF");
    database.pragma("foreign_keys = OFF");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** A reader's transaction is ours; a client's has nothing to do. */
const NO_TRANSACTION = {
  begin: () => undefined,
  commit: () => undefined,
  rollback: () => undefined,
};

/** A statement that a reader does not run. */
class RefusedError extends Error {
  override readonly name = "RefusedError";
}

/**
 * Binds every statement of a text; only the last one will be run (4.4).
 *
 * @returns undefined if there is nothing to run.
 */
function bindAll(
  { steps, endsEmpty }: ReadScript,
  statement: Statement,
): { readonly step: PreparedStep; readonly bindings: readonly unknown[] } | undefined {
  const cursor = parametersOf(statement);
  let last: { step: PreparedStep; bindings: readonly unknown[] } | undefined;
  for (const step of steps) {
    if (step.action.kind === "refused") throw new RefusedError(step.action.message);
    last = { step, bindings: bindParameters(step.piece, cursor) };
  }
  return endsEmpty ? undefined : last;
}

/** @throws RefusedError with the reference's text when the time is up. */
function checkTime(deadline: Ms): void {
  if (clock.now() >= deadline) throw new RefusedError(QUERY_TIMEOUT_TEXT);
}

/** Rows as long as there is time. What SQLite does between two of them is ended from outside. */
function* untilTime(
  rows: Iterable<readonly SqlValue[]>,
  deadline: Ms,
): Generator<readonly SqlValue[]> {
  for (const row of rows) {
    checkTime(deadline);
    yield row;
  }
}

/** Rows of the schema, without those about our own table. */
function* withoutOurs(
  rows: Iterable<SqlValue[]>,
  places: readonly number[],
): Generator<readonly SqlValue[]> {
  for (const row of rows) if (!places.some((place) => isOurs(row[place]))) yield row;
}

/** The text of an error that is an answer. @throws the error itself if it is none. */
function statementText(error: unknown): string {
  const code = sqliteCode(error);
  if (code?.startsWith("SQLITE_READONLY")) return WRITE_REFUSED_TEXT;
  if (code !== undefined && isEngineFailure(code)) throw engineFailed(error);
  const isAnswer =
    code !== undefined ||
    error instanceof RefusedError ||
    error instanceof ControlError ||
    error instanceof ParameterError;
  if (isAnswer) return errorText(error);
  const text = statementErrorText(error);
  if (text !== undefined) return text;
  if (isCairnError(error)) throw error;
  // JavaScript refuses strings beyond half a gigabyte, and values that SQLite cannot take.
  if (error instanceof RangeError || error instanceof TypeError) return errorText(error);
  throw error;
}

function engineFailed(error: unknown): CairnError {
  return new CairnError("SQLITE_ENGINE_FAILED", `sqlite: reader: ${errorText(error)}`, {
    cause: error,
  });
}
