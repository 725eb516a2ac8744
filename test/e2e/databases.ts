/**
 * Comparing what three nodes hold: each node's own copy, taken with `/db/backup?noleader`, by
 * digest.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { digestDatabase } from "#sqlite";
import type { ProcessNode } from "../support/processes.ts";

/** Calls `use` with the path of a node's copy, and removes it. */
export async function withCopy<T>(node: ProcessNode, use: (path: string) => T): Promise<T> {
  const response = await fetch(`${node.url}/db/backup?noleader`);
  if (response.status !== 200) throw new Error(`backup of ${node.id}: ${await response.text()}`);
  const dir = mkdtempSync(join(tmpdir(), "cairn-copy-"));
  try {
    const path = join(dir, "copy.sqlite");
    writeFileSync(path, new Uint8Array(await response.arrayBuffer()));
    return use(path);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Digest of everything in a node's own database. */
export function digestOf(node: ProcessNode): Promise<string> {
  return withCopy(node, digestDatabase);
}

/** Rows of every table, by name. */
export function countsIn(path: string): Record<string, number> {
  const database = new Database(path, { readonly: true });
  try {
    const tables = database
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB '_cairn*'")
      .pluck()
      .all() as string[];
    return Object.fromEntries(
      tables
        .sort()
        .map((name) => [
          name,
          database.prepare(`SELECT count(*) FROM "${name}"`).pluck().get() as number,
        ]),
    );
  } finally {
    database.close();
  }
}
