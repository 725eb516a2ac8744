/**
 * SQL functions that reach past SQL, taken out of a connection's hands.
 *
 * `fts3_tokenizer` takes an address of memory, and gives one back, when its argument is a bound
 * parameter: whoever may send a query could crash the process, or worse. SQLite itself does not
 * need the function. `load_extension` is refused by the binding already. Invariant (Q4): installed
 * before any SQL of a client runs.
 * Chapter: 09-sqlite.
 */
import Database from "better-sqlite3";

/** Makes the functions refuse, whatever they are given. */
export function refuseUnsafeFunctions(database: Database.Database): void {
  const refuse = (): never => {
    // As if SQLite itself had said so: an answer, and the same on every replica.
    throw new Database.SqliteError("not authorized", "SQLITE_ERROR");
  };
  // SQLite prefers the function that takes exactly as many arguments: one for each number.
  const options = { deterministic: true };
  database.function("fts3_tokenizer", options, (_name: unknown) => refuse());
  database.function("fts3_tokenizer", options, (_name: unknown, _address: unknown) => refuse());
}
