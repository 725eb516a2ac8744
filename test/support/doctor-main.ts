/**
 * What `cairn doctor` cannot see from inside: a process started as the judging one is, which says
 * as JSON what works in it.
 */
import { statfsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Rows that a database in memory gives back, or why there is none. */
async function sqlite(): Promise<{ version?: string; problem?: string }> {
  try {
    const { default: Database } = await import("better-sqlite3");
    const database = new Database(":memory:");
    const version = String(database.prepare("SELECT sqlite_version()").pluck().get());
    database.close();
    return { version };
  } catch (error) {
    return { problem: String(error).split("\n")[0] ?? "" };
  }
}

const root = fileURLToPath(new URL("../../", import.meta.url));
const { bavail, bsize } = statfsSync(root);
const seen = { freeBytes: bavail * bsize, sqlite: await sqlite() };
process.stdout.write(`${JSON.stringify(seen)}\n`);
