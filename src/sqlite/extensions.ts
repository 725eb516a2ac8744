/**
 * Loads libraries that extend SQLite into a connection.
 *
 * Every connection of a node loads the same ones, and every node must have the same: what they
 * compute goes into the database. SQL itself cannot load any. Chapter: 09-sqlite.
 * Source: compat reference, section 14.
 */
import type Database from "better-sqlite3";
import { CairnError, errorText } from "#base";

/**
 * Loads libraries by their paths, in order.
 *
 * @throws `SQLITE_ENGINE_FAILED`, naming the one that cannot be loaded.
 */
export function loadExtensions(database: Database.Database, paths: readonly string[]): void {
  for (const path of paths) {
    try {
      database.loadExtension(path);
    } catch (error) {
      throw new CairnError(
        "SQLITE_ENGINE_FAILED",
        `sqlite: extension ${path} cannot be loaded: ${errorText(error)}`,
        { cause: error },
      );
    }
  }
}
