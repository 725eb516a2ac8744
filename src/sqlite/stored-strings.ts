/**
 * Double-quoted strings in views and triggers, which SQLite looks at only when they are used.
 *
 * So they are tried when they are made: the view is read, the trigger's table written, both only
 * prepared. If SQLite then complains of a double-quoted token of this text, the object is made
 * again with it re-quoted. Invariant: after a CREATE that succeeded, its own strings no longer
 * stand in the way of using it.
 * Chapter: 09-sqlite.
 */
import type Database from "better-sqlite3";
import { assert, errorText } from "#base";
import { requote } from "./requote.ts";

/** Whether a statement makes an object whose strings SQLite has not looked at. */
export function storesUncheckedStrings(text: string): boolean {
  return text.includes('"') && /^create\s+(?:temp(?:orary)?\s+)?(?:view|trigger)\b/i.test(text);
}

/**
 * Makes a view or a trigger, within the transaction under way.
 *
 * @throws SQLite's error for the text as it was written.
 */
export function createStored(database: Database.Database, text: string): void {
  database.exec("SAVEPOINT _cairn_stored");
  try {
    const complaint = createAndTry(database, text);
    const better = complaint === undefined ? undefined : requote(text, complaint, again);
    if (better !== undefined) {
      database.exec("ROLLBACK TO _cairn_stored");
      database.exec(better.text);
    }
  } catch (error) {
    database.exec("ROLLBACK TO _cairn_stored");
    throw error;
  } finally {
    database.exec("RELEASE _cairn_stored");
  }

  function again(changed: string): string | undefined {
    database.exec("ROLLBACK TO _cairn_stored");
    try {
      const complaint = createAndTry(database, changed);
      // Put back what was asked for, in case this attempt is the last.
      database.exec("ROLLBACK TO _cairn_stored");
      database.exec(text);
      return complaint;
    } catch (error) {
      database.exec("ROLLBACK TO _cairn_stored");
      database.exec(text);
      return errorText(error);
    }
  }
}

function createAndTry(database: Database.Database, text: string): string | undefined {
  database.exec(text);
  const made = database
    .prepare(
      `SELECT type, name, tbl_name FROM sqlite_schema
        WHERE type IN ('view', 'trigger') ORDER BY rowid DESC LIMIT 1`,
    )
    .raw()
    .get();
  if (made === undefined) return undefined;
  assert(Array.isArray(made), "sqlite: raw rows are arrays");
  const uses =
    made[0] === "view" ? [`SELECT * FROM ${quoted(made[1])}`] : writesTo(database, made[2]);
  for (const use of uses) {
    try {
      database.prepare(use);
    } catch (error) {
      return errorText(error);
    }
  }
  return undefined;
}

/** Statements that make SQLite look at every trigger of a table. */
function writesTo(database: Database.Database, table: unknown): string[] {
  const columns = database
    .prepare("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0")
    .pluck()
    .all(table)
    .map((name) => `${quoted(name)} = ${quoted(name)}`);
  const name = quoted(table);
  return [
    `INSERT INTO ${name} DEFAULT VALUES`,
    `DELETE FROM ${name}`,
    `UPDATE ${name} SET ${columns.join(", ")}`,
  ];
}

function quoted(name: unknown): string {
  return `"${String(name).replaceAll('"', '""')}"`;
}
