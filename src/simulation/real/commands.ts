/**
 * The SQL that clients send: registers, a bank, lists, and a row for each write that was done.
 *
 * Invariant: each write puts its number into `done` in its own transaction, and the table does not
 * mind doubles; so what was applied twice, or in part, shows. Chapter: 11-simulation.
 */
import type { Command, Rendering, SqlValue, Statement } from "#sqlite/types";

export const REGISTERS: readonly string[] = ["r0", "r1", "r2", "r3", "r4"];
export const LISTS: readonly string[] = ["l0", "l1", "l2"];
export const ACCOUNTS: readonly string[] = ["a0", "a1", "a2", "a3"];
export const BALANCE_START = 100;

const RENDERING: Rendering = {
  associative: false,
  blobArray: false,
  qualifyColumns: false,
  timings: false,
};

const statement = (sql: string, ...positional: SqlValue[]): Statement => ({
  sql,
  positional,
  named: [],
});

const transaction = (statements: readonly Statement[]): Command => ({
  kind: "request",
  statements,
  transaction: true,
  rendering: RENDERING,
});

const done = (id: number): Statement => statement("INSERT INTO done VALUES (?)", BigInt(id));

/** The tables and their first rows; running it again changes nothing. */
export function setupCommand(): Command {
  const rows = (keys: readonly string[], rest: string): string =>
    keys.map((key) => `('${key}', ${rest})`).join(", ");
  return transaction([
    statement("CREATE TABLE IF NOT EXISTS done (id INTEGER NOT NULL)"),
    statement("CREATE TABLE IF NOT EXISTS registers (k TEXT PRIMARY KEY, v INTEGER, pad BLOB)"),
    statement(
      "CREATE TABLE IF NOT EXISTS accounts " +
        "(k TEXT PRIMARY KEY, balance INTEGER NOT NULL CHECK (balance >= 0))",
    ),
    statement("CREATE TABLE IF NOT EXISTS lists (k TEXT PRIMARY KEY, items TEXT NOT NULL)"),
    statement(`INSERT OR IGNORE INTO registers VALUES ${rows(REGISTERS, "NULL, NULL")}`),
    statement(`INSERT OR IGNORE INTO accounts VALUES ${rows(ACCOUNTS, `${BALANCE_START}`)}`),
    statement(`INSERT OR IGNORE INTO lists VALUES ${rows(LISTS, "''")}`),
  ]);
}

/** Writes a register. The pad is of chance and time, sealed in the entry. */
export function putCommand(id: number, key: string, value: number, padBytes: number): Command {
  return transaction([
    statement(
      "UPDATE registers SET v = ?, pad = ? WHERE k = ?",
      BigInt(value),
      new Uint8Array(padBytes).fill(id),
      key,
    ),
    done(id),
  ]);
}

/** Writes a register if it holds what is expected. Its first result tells. */
export function casCommand(
  id: number,
  key: string,
  expected: number | null,
  value: number,
): Command {
  const old = expected === null ? null : BigInt(expected);
  return transaction([
    statement("UPDATE registers SET v = ? WHERE k = ? AND v IS ?", BigInt(value), key, old),
    done(id),
  ]);
}

/** Gives first, so that a debit that is refused must take the credit back. */
export function moveCommand(id: number, from: string, to: string, amount: number): Command {
  const change = "UPDATE accounts SET balance = balance + ? WHERE k = ?";
  return transaction([
    statement(change, BigInt(amount), to),
    statement(change, BigInt(-amount), from),
    done(id),
  ]);
}

/** Appends to one list and reads another in one transaction. The second result is what it read. */
export function appendCommand(id: number, key: string, read: string): Command {
  return transaction([
    statement("UPDATE lists SET items = items || ? WHERE k = ?", `${id} `, key),
    statement("SELECT k, items FROM lists WHERE k = ?", read),
    done(id),
  ]);
}

export const READ_REGISTERS = "SELECT k, v FROM registers";
export const READ_ACCOUNTS = "SELECT k, balance FROM accounts";
export const READ_LISTS = "SELECT k, items FROM lists";
export const READ_DONE = "SELECT id, count(*) FROM done GROUP BY id";

/** A read that goes through the log. */
export function strongRead(sql: string): Command {
  return transaction([statement(sql)]);
}

/** The values of a list, from its text. */
export function listValues(items: string): number[] {
  return items
    .split(" ")
    .filter((word) => word !== "")
    .map(Number);
}
