/**
 * Checks of real parts that Raft stands on: SQLite's file at every moment at which power may fail,
 * and two replicas with the same entries.
 *
 * Chapter: 11-simulation.
 */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import type * as sqlite from "#sqlite";
import { entryOf, execute } from "../../sqlite/machine-support.ts";

/** Throws if it notices something. */
export type RealCheck = (module: typeof sqlite) => void;

const TABLE = execute("CREATE TABLE t (entry INTEGER, r DEFAULT (random()))");
const INSERT = execute("INSERT INTO t (entry) VALUES (1)");
const ENTRIES = 6;
// The file format of SQLite's WAL.
const WAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const PAGE_SIZE_OFFSET = 8;
/** In a frame's header: the pages of the file after a commit; 0 in a frame that is no commit. */
const COMMIT_OFFSET = 4;

/** A machine that has applied a table and some rows, one entry after the other. */
function withMachine<T>(
  module: typeof sqlite,
  use: (machine: sqlite.SqliteMachine, dir: string) => T,
): T {
  const dir = mkdtempSync(join(tmpdir(), "cairn-mutant-"));
  const path = join(dir, "db.sqlite");
  const machine = module.openSqliteMachine({ path, checkpointBytes: 2 ** 30 });
  try {
    for (let index = 1; index <= ENTRIES; index += 1) {
      machine.applyBatch([entryOf(index, index === 1 ? TABLE : INSERT)]);
    }
    return use(machine, dir);
  } finally {
    machine.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** After a power cut behind any commit, the applied index and the rows belong together (K4). */
export const indexAndDataTogether: RealCheck = (module) => {
  withMachine(module, (_machine, dir) => {
    const wal = readFileSync(join(dir, "db.sqlite-wal"));
    const frameBytes = FRAME_HEADER_BYTES + wal.readUInt32BE(PAGE_SIZE_OFFSET);
    let commits = 0;
    for (let at = WAL_HEADER_BYTES; at + frameBytes <= wal.length; at += frameBytes) {
      if (wal.readUInt32BE(at + COMMIT_OFFSET) === 0) continue;
      commits += 1;
      const copy = join(dir, `copy-${commits}.sqlite`);
      copyFileSync(join(dir, "db.sqlite"), copy);
      writeFileSync(`${copy}-wal`, wal.subarray(0, at + frameBytes));
      const { applied, rows } = readBoth(copy);
      if (applied > 0 && rows !== applied - 1) {
        throw new Error(`behind commit ${commits}: ${rows} rows, and ${applied} is applied`);
      }
    }
    if (commits < ENTRIES) throw new Error(`${commits} commits of ${ENTRIES} entries`);
  });
};

function readBoth(path: string): { readonly applied: number; readonly rows: number } {
  const database = new Database(path);
  const ask = (text: string): number => Number(database.prepare(text).pluck().get());
  const applied = ask("SELECT coalesce(max(applied_index), 0) FROM _cairn_state");
  const hasTable = ask("SELECT count(*) FROM sqlite_schema WHERE name = 't'") > 0;
  const rows = hasTable ? ask("SELECT count(*) FROM t") : -1;
  database.close();
  return { applied, rows };
}

/** Two machines with the same entries have the same digest. */
export const sameEntriesSameState: RealCheck = (module) => {
  const digestOf = (): string =>
    withMachine(module, (machine) => Buffer.from(machine.digest()).toString("hex"));
  const [one, other] = [digestOf(), digestOf()];
  if (one !== other) throw new Error("the same entries gave two states");
};
