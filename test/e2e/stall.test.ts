/**
 * Long work on one node leaves its leadership alone: consensus has a thread of its own.
 *
 * Method: the leader is given a 10 MB body, a SELECT and a write of about five seconds each; term
 * and leader must be the same afterwards, and short calls must be answered meanwhile where that is
 * promised.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ProcessCluster, startCluster } from "../support/cluster.ts";
import type { NodeState, ProcessNode } from "../support/processes.ts";

const TIMEOUT_MS = 60_000;
const BODY_BYTES = 10 * 1024 * 1024;
const LONG_MS = 5000;

/** Counts to `n` in SQLite: work in proportion to n, and next to no memory. */
const counting = (n: number): string =>
  `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < ${n})
   SELECT max(x) FROM c`;

describe("long work on the leader", () => {
  let cluster: ProcessCluster;
  let leader: ProcessNode;
  let before: NodeState | undefined;
  /** So many steps take this machine about LONG_MS. */
  let steps: number;

  beforeAll(async () => {
    cluster = await startCluster({ stopAtTestEnd: false });
    leader = await cluster.waitForLeader();
    await cluster.execute(leader, ["CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)"]);
    const probe = 1_000_000;
    const startedAt = performance.now();
    await cluster.rows(leader, counting(probe));
    steps = Math.ceil((probe * LONG_MS) / (performance.now() - startedAt));
    before = await leader.state();
  });
  afterAll(async () => {
    await cluster.stopAll();
  });

  async function expectUnmoved(): Promise<void> {
    const after = await leader.state();
    expect(after).toMatchObject({ role: "Leader", term: before?.term });
  }

  test(
    "a 10 MB JSON body",
    async () => {
      const rows = Math.floor(BODY_BYTES / 60);
      const statements = Array.from({ length: rows }, (_, n) => [
        "INSERT INTO t(v) VALUES(?)",
        `value number ${n}`.padEnd(22, "."),
      ]);
      const body = JSON.stringify(statements);
      expect(body.length).toBeGreaterThan(BODY_BYTES * 0.9);
      const answer = await cluster.http.post(`${leader.url}/db/execute?transaction`, body);
      expect(answer.status).toBe(200);
      await expectUnmoved();
      expect(await cluster.rows(leader, "SELECT count(*) FROM t", "weak")).toEqual([[rows]]);
    },
    TIMEOUT_MS,
  );

  test(
    "a SELECT of five seconds, while others read and write",
    async () => {
      const startedAt = performance.now();
      const long = cluster.rows(leader, counting(steps));
      await cluster.execute(leader, [["INSERT INTO t(v) VALUES(?)", "meanwhile"]]);
      await cluster.rows(leader, "SELECT count(*) FROM t WHERE v = 'meanwhile'", "weak");
      const meanwhileMs = performance.now() - startedAt;
      await long;
      const longMs = performance.now() - startedAt;
      expect(longMs, "the long read was long").toBeGreaterThan(LONG_MS / 3);
      expect(meanwhileMs, "nobody waited for it").toBeLessThan(longMs / 2);
      await expectUnmoved();
    },
    TIMEOUT_MS,
  );

  test(
    "a write of five seconds, while others read",
    async () => {
      const startedAt = performance.now();
      const long = cluster.execute(leader, [`INSERT INTO t(v) ${counting(steps)}`]);
      await cluster.rows(leader, "SELECT max(id) FROM t", "weak");
      const meanwhileMs = performance.now() - startedAt;
      const answer = await long;
      const longMs = performance.now() - startedAt;
      expect(answer.results[0]?.error).toBeUndefined();
      expect(longMs, "the long write was long").toBeGreaterThan(LONG_MS / 3);
      expect(meanwhileMs, "no reader waited for it").toBeLessThan(longMs / 2);
      await expectUnmoved();
      await cluster.waitForApplied();
    },
    TIMEOUT_MS,
  );
});
