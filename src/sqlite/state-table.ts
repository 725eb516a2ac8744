/**
 * Our own row inside the client's database: how far the log has been applied, and what of the
 * writer connection must survive a restart.
 *
 * | column          | meaning                                                                    |
 * | --------------- | -------------------------------------------------------------------------- |
 * | id              | always 1                                                                   |
 * | format          | {@link FORMAT}                                                             |
 * | applied_index   | the last entry whose effects are complete                                  |
 * | statements_done | of the entry after it, statements that are done (VACUUM splits an entry)   |
 * | last_insert_id  | what `last_insert_rowid()` answers                                         |
 * | changes         | what `changes()` answers                                                   |
 * | total_changes   | what `total_changes()` answers                                             |
 * | foreign_keys    | 0 or 1 once set through the log; NULL before                               |
 *
 * Invariant (K4): the row changes in the same transaction as the effects that it speaks of.
 * Chapter: 09-sqlite.
 */
import type Database from "better-sqlite3";
import { CairnError } from "#base";

/** The table's name; dumps and digests leave it out, and clients cannot write to it. */
export const STATE_TABLE = "_cairn_state";

/** Where the pieces of a file wait that is being loaded; see `load-pieces.ts`. */
export const LOAD_TABLE = "_cairn_load";

/** Raised when an old program could no longer go on from what a new one has written. */
const FORMAT = 1n;

/** The row. */
export interface PersistedState {
  appliedIndex: number;
  statementsDone: number;
  lastInsertId: bigint;
  changes: bigint;
  totalChanges: bigint;
  foreignKeys: boolean | null;
}

/** What a new database has. */
export function initialState(): PersistedState {
  return {
    appliedIndex: 0,
    statementsDone: 0,
    lastInsertId: 0n,
    changes: 0n,
    totalChanges: 0n,
    foreignKeys: null,
  };
}

/** Makes the table with one row. The caller owns the transaction. */
export function createStateTable(database: Database.Database, state: PersistedState): void {
  database.exec(`CREATE TABLE ${STATE_TABLE} (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    format INTEGER NOT NULL,
    applied_index INTEGER NOT NULL,
    statements_done INTEGER NOT NULL,
    last_insert_id INTEGER NOT NULL,
    changes INTEGER NOT NULL,
    total_changes INTEGER NOT NULL,
    foreign_keys INTEGER
  )`);
  database
    .prepare(`INSERT INTO ${STATE_TABLE} VALUES (1, ?, ?, ?, ?, ?, ?, ?)`)
    .run(FORMAT, ...columnsOf(state));
}

/**
 * Reads the row.
 *
 * @returns undefined if the database has no such table.
 * @throws `SQLITE_FILE_INVALID` for a format that this program does not know.
 */
export function readState(database: Database.Database): PersistedState | undefined {
  const exists = database
    .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?")
    .get(STATE_TABLE);
  if (exists === undefined) return undefined;
  const row = database
    .prepare(
      `SELECT format, applied_index, statements_done, last_insert_id, changes, total_changes,
        foreign_keys FROM ${STATE_TABLE} WHERE id = 1`,
    )
    .raw()
    .safeIntegers()
    .get();
  if (!Array.isArray(row) || row[0] !== FORMAT) {
    throw new CairnError("SQLITE_FILE_INVALID", `sqlite: ${STATE_TABLE}: unknown format`);
  }
  return {
    appliedIndex: Number(row[1]),
    statementsDone: Number(row[2]),
    lastInsertId: BigInt(row[3]),
    changes: BigInt(row[4]),
    totalChanges: BigInt(row[5]),
    foreignKeys: row[6] === null ? null : row[6] === 1n,
  };
}

/** Writes the row, many times with one prepared statement. */
export function createStateWriter(database: Database.Database): (state: PersistedState) => void {
  const update = database.prepare(
    `UPDATE ${STATE_TABLE} SET applied_index = ?, statements_done = ?, last_insert_id = ?,
      changes = ?, total_changes = ?, foreign_keys = ? WHERE id = 1`,
  );
  return (state) => {
    const { changes } = update.run(...columnsOf(state));
    if (changes !== 1) {
      throw new CairnError("SQLITE_ENGINE_FAILED", `sqlite: ${STATE_TABLE} has lost its row`);
    }
  };
}

function columnsOf(state: PersistedState): unknown[] {
  const { foreignKeys } = state;
  return [
    BigInt(state.appliedIndex),
    BigInt(state.statementsDone),
    state.lastInsertId,
    state.changes,
    state.totalChanges,
    foreignKeys === null ? null : foreignKeys ? 1n : 0n,
  ];
}
