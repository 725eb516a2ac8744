/**
 * The history of the crash tests: entry by entry from its index, with every kind that commits
 * differently.
 */
import type { CommittedEntry } from "#replica/types";
import type { Command } from "#sqlite/types";
import { entryOf, execute, sql, transaction } from "./machine-support.ts";

export function historyEntry(index: number): CommittedEntry {
  return entryOf(index, commandAt(index));
}

function commandAt(index: number): Command {
  if (index === 1) {
    return execute(
      "CREATE TABLE t (id INTEGER PRIMARY KEY, entry INTEGER UNIQUE, r DEFAULT (random()))",
      "CREATE TABLE log (n, at DEFAULT CURRENT_TIMESTAMP)",
    );
  }
  const insert = sql("INSERT INTO t (entry) VALUES (?)", BigInt(index));
  const log = "INSERT INTO log (n) VALUES (last_insert_rowid()), (changes())";
  if (index % 11 === 0) return execute(insert, "VACUUM", log, "VACUUM", log);
  if (index % 13 === 0) return execute(insert, "INSERT OR ROLLBACK INTO t (entry) VALUES (2)", log);
  if (index % 17 === 0) return execute(insert, `PRAGMA foreign_keys = ${index % 2}`, log);
  if (index % 5 === 0) return transaction(insert, log);
  return execute(insert, log);
}
