/**
 * Who takes part. Loaded one by one, so that a process holds only the engine it measures.
 */
import type { Contender, EngineName } from "./types.ts";

/** Those of an ordinary run, Cairn first: it is what the others are compared with. */
export const ENGINES: readonly EngineName[] = ["cairn", "classic-level", "lmdb", "better-sqlite3"];

/** Those that take part only on request. */
export const EXTRA_ENGINES: readonly EngineName[] = ["lmdb-nosync"];

/** Loads one engine. */
export async function loadContender(name: EngineName): Promise<Contender> {
  switch (name) {
    case "cairn":
      return (await import("./cairn.ts")).cairn;
    case "classic-level":
      return (await import("./classic-level.ts")).classicLevel;
    case "lmdb":
      return (await import("./lmdb.ts")).lmdb;
    case "lmdb-nosync":
      return (await import("./lmdb.ts")).lmdbNosync;
    case "better-sqlite3":
      return (await import("./sqlite.ts")).sqlite;
  }
}
