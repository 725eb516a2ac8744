/**
 * Finds syntax errors without a database.
 *
 * A text is prepared against an empty database in memory and never run. What that database lacks
 * (tables, functions) is no error of syntax. Invariant: nothing is carried out; PRAGMAs, which
 * SQLite carries out while it prepares them, are not even prepared.
 * Chapter: 09-sqlite. Source: compat reference 1.5.
 */
import Database from "better-sqlite3";
import { errorText } from "#base";
import { pragmaOf } from "./pragmas.ts";
import { prepareLenient } from "./prepare.ts";
import { splitStatements } from "./split-statements.ts";
import { sqliteCode } from "./sqlite-errors.ts";

/** How SQLite's parser complains; everything else is about what a text names. */
const SYNTAX_ERROR = /syntax error$|^incomplete input$|^unrecognized token|^parser stack overflow$/;

/** SQLite's complaint about the first statement that is not SQL; undefined if all are. */
export function findSyntaxError(sql: string): string | undefined {
  const database = new Database(":memory:");
  try {
    for (const piece of splitStatements(sql).pieces) {
      if (pragmaOf(piece) !== undefined) continue;
      try {
        prepareLenient(database, piece);
      } catch (error) {
        if (sqliteCode(error) === undefined) throw error;
        const text = errorText(error);
        if (SYNTAX_ERROR.test(text)) return text;
      }
    }
    return undefined;
  } finally {
    database.close();
  }
}
