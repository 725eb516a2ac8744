/**
 * A real data set through a follower of three real processes, compared with the same SQL run by
 * SQLite itself.
 *
 * Where the shared data folder is missing the same is done with the project's own sample database,
 * and said.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sampleBatches } from "#cli";
import { digestDatabase } from "#sqlite";
import { type ProcessCluster, startCluster } from "../support/cluster.ts";
import { countsIn, digestOf, withCopy } from "./databases.ts";

const CHINOOK = new URL("../../../shared/data/chinook.sql", import.meta.url);

function dataSet(): { readonly name: string; readonly sql: string } {
  if (existsSync(CHINOOK)) return { name: "chinook", sql: readFileSync(CHINOOK, "utf8") };
  console.warn(
    "the shared data set is not here: loading the project's own sample database instead",
  );
  const statements = sampleBatches().flatMap((batch) => batch.statements);
  return { name: "sample", sql: `${statements.join(";\n")};` };
}

describe("loading a real data set", () => {
  let cluster: ProcessCluster;
  beforeAll(async () => {
    cluster = await startCluster({ stopAtTestEnd: false });
  });
  afterAll(async () => {
    await cluster.stopAll();
  });

  test("loaded through a follower it is the same everywhere, and as SQLite makes it", async () => {
    const { sql } = dataSet();
    const leader = await cluster.waitForLeader();
    const follower = cluster.nodes.find((node) => node.id !== leader.id);
    const response = await fetch(`${follower?.url}/db/load`, { method: "POST", body: sql });
    const body = await response.text();
    expect(body).not.toContain("error");
    expect(response.status).toBe(200);
    await cluster.waitForApplied();

    const dir = mkdtempSync(join(tmpdir(), "cairn-chinook-"));
    try {
      const path = join(dir, "reference.sqlite");
      const reference = new Database(path);
      reference.exec(sql);
      reference.close();
      const expected = { counts: countsIn(path), digest: digestDatabase(path) };
      expect(Object.keys(expected.counts).length).toBeGreaterThan(3);
      for (const node of cluster.nodes) {
        expect(await withCopy(node, countsIn), node.id).toEqual(expected.counts);
        expect(await digestOf(node), node.id).toBe(expected.digest);
      }
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
