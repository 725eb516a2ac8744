/**
 * What keeps an entry's statements apart from other entries: savepoints, or transactions of their
 * own.
 *
 * Invariant: in the own way every COMMIT holds the effects together with the number of statements
 * done.
 * Chapter: 09-sqlite.
 */
import { NeedsOwnTransactions, type Surroundings } from "./run-entry.ts";
import { statementFailure } from "./run-step.ts";
import type { StatementError } from "./sqlite-errors.ts";
import type { Writer } from "./writer.ts";

/** Inside a transaction that is not this entry's alone, or that encloses the whole entry. */
export function sharedSurroundings(writer: Writer, isShared: boolean): Surroundings {
  const nothing = (): void => {};
  return {
    isShared,
    done: 0,
    enter: nothing,
    leave: nothing,
    fail(error) {
      // Only the end of a transaction would undo what this one may have left behind.
      if (!error.isSettled) throw new NeedsOwnTransactions();
    },
    outside() {
      throw new NeedsOwnTransactions();
    },
    begin: () => writer.run("SAVEPOINT _cairn_client"),
    commit: () => writer.run("RELEASE _cairn_client"),
    rollback() {
      writer.run("ROLLBACK TO _cairn_client");
      writer.run("RELEASE _cairn_client");
      writer.scripts.forgetStatements();
    },
  };
}

/** Each statement, or each transaction of the client, commits alone. */
export function ownSurroundings(writer: Writer): Surroundings {
  const surroundings: Surroundings = {
    isShared: false,
    done: 0,
    enter: () => writer.run("BEGIN IMMEDIATE"),
    leave(done) {
      try {
        commit(writer, done);
      } catch (error) {
        rollback(writer);
        throw error;
      }
    },
    fail(error: StatementError, done) {
      // As SQLite without BEGIN: OR FAIL keeps what it has done, other failures keep nothing.
      if (error.isSettled && !error.atPrepare) surroundings.leave(done);
      else rollback(writer);
    },
    outside(run, done) {
      run();
      writer.run("BEGIN IMMEDIATE");
      commit(writer, done);
      const { foreignKeys } = writer.state;
      if (foreignKeys !== null && foreignKeys !== writer.enforcesForeignKeys) {
        writer.setForeignKeys(foreignKeys);
      }
    },
    begin: () => writer.run("BEGIN IMMEDIATE"),
    commit: () => commit(writer, surroundings.done),
    rollback: () => rollback(writer),
  };
  return surroundings;
}

/**
 * Commits the state with the effects. @throws StatementError for a violated deferred key; still
 * open then.
 */
export function commitState(writer: Writer): void {
  writer.saveState();
  try {
    writer.run("COMMIT");
  } catch (error) {
    throw statementFailure(error, { atPrepare: false, isRead: false });
  }
}

/** Ends the transaction, if SQLite has not done so. */
export function rollback(writer: Writer): void {
  if (writer.database.inTransaction) writer.run("ROLLBACK");
  writer.scripts.forgetStatements();
}

function commit(writer: Writer, done: number): void {
  writer.state.statementsDone = done;
  commitState(writer);
}
