/**
 * sqlite: SQLite as a replicated state machine.
 *
 * Reading order: types.ts; tokens.ts, split-statements.ts, requote.ts, prepare.ts; pragmas.ts,
 * transaction-control.ts, script.ts; command-codec.ts; deterministic-functions.ts,
 * unsafe-functions.ts, state-table.ts, sqlite-errors.ts, extensions.ts,
 * writer.ts; stored-strings.ts, run-step.ts,
 * results.ts, run-entry.ts, surroundings.ts, load.ts, load-pieces.ts, apply.ts; digest.ts,
 * snapshot-file.ts, file-storage.ts, memory-storage.ts, machine.ts. Reading: dates.ts,
 * render-text.ts, render.ts; read-script.ts, reader.ts; dump.ts, backup.ts; syntax.ts. Threads:
 * thread-protocol.ts, writer-machine.ts, writer-worker.ts, reader-host.ts, reader-worker.ts,
 * reader-pool.ts, reader-process.ts, killable-readers.ts, threads.ts.
 * Chapter: 09-sqlite.
 */
export { decodeCommand, encodeCommand } from "./command-codec.ts";
export { digestDatabase } from "./digest.ts";
export { looksLikeSqlite } from "./load.ts";
export { openSqliteMachine } from "./machine.ts";
export { findDisallowedPragma } from "./pragmas.ts";
export { preparedColumns, prepareLenient } from "./prepare.ts";
export { openSqliteReader } from "./reader.ts";
export { splitStatements } from "./split-statements.ts";
export { findSyntaxError } from "./syntax.ts";
export { openSqliteThreads } from "./threads.ts";
export type * from "./types.ts";
