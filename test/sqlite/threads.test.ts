/**
 * The SQL threads end to end. Method: real threads on a real file; batches go in through the port
 * that the consensus thread would hold, and everything else is asked as the server asks it.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isCairnError } from "#base";
import { createPortApplier } from "#replica";
import type { Applier, CommittedEntry } from "#replica/types";
import { digestDatabase, openSqliteThreads } from "#sqlite";
import type { Command, ReadRequest, SqliteThreads, SqliteThreadsOptions } from "#sqlite/types";
import { entryOf, execute, PLAIN, sql } from "./machine-support.ts";

let dir = "";
const open: SqliteThreads[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "cairn-threads-"));
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((threads) => threads.close()));
  rmSync(dir, { recursive: true, force: true });
});

interface Node {
  readonly threads: SqliteThreads;
  readonly applier: Applier;
  readonly results: Map<number, unknown>;
  readonly durable: () => number;
  /** Applies commands as the next entries of the log; resolves when they are applied. */
  apply(...commands: Command[]): Promise<void>;
}

async function openNode(options: Partial<SqliteThreadsOptions> = {}): Promise<Node> {
  const threads = await openSqliteThreads({ path: join(dir, "db.sqlite"), ...options });
  open.push(threads);
  const applier = createPortApplier(threads.applierPort);
  const results = new Map<number, unknown>();
  threads.onResult((id, index, result) => {
    expect(index, "these tests number proposals as entries").toBe(id);
    results.set(id, JSON.parse(new TextDecoder().decode(result)));
  });
  let next = threads.appliedIndexAtOpen + 1;
  let durable = 0;
  const waiting = new Map<number, () => void>();
  applier.onApplied((appliedIndex, durableIndex) => {
    durable = durableIndex;
    for (const [index, resolve] of waiting) if (index <= appliedIndex) resolve();
  });
  const apply = (...commands: Command[]): Promise<void> => {
    const entries: CommittedEntry[] = commands.map((command, at) => entryOf(next + at, command));
    next += entries.length;
    const applied = new Promise<void>((resolve) => waiting.set(next - 1, resolve));
    applier.submit(entries);
    return applied;
  };
  return { threads, applier, results, durable: () => durable, apply };
}

const query = (...texts: string[]): ReadRequest => ({
  statements: texts.map((text) => sql(text)),
  transaction: false,
  rendering: PLAIN,
  mode: "query",
});

async function values(threads: SqliteThreads, text: string): Promise<unknown> {
  const response = await threads.read(query(text));
  if (response.needsWrite) throw new Error("a query never needs a write");
  return JSON.parse(new TextDecoder().decode(response.results))[0].values;
}

/** Counts to a number that takes about a second for each hundred million. */
const counting = (to: number): string =>
  `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${to})
    SELECT count(*) FROM n`;
const LONG = counting(8_000_000);

describe("the SQL threads", () => {
  test("apply batches in order, give each its own result, and readers see them", async () => {
    const node = await openNode();
    expect(node.threads.appliedIndexAtOpen).toBe(0);
    await node.apply(execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)"));
    const inserts = Array.from({ length: 600 }, (_, n) =>
      execute(sql("INSERT INTO t(name) VALUES(?)", `name ${n}`)),
    );
    await Promise.all([
      node.apply(...inserts.slice(0, 500)),
      ...inserts.slice(500).map((one) => node.apply(one)),
    ]);
    expect(await values(node.threads, "SELECT count(*), max(id) FROM t")).toEqual([[600, 600]]);
    // The writer's answers come in order, so what it has sent before this one is here too.
    const status = await node.threads.status();
    expect(node.results.size).toBe(601);
    expect(node.results.get(601)).toEqual([{ last_insert_id: 600, rows_affected: 1 }]);
    expect(status.appliedIndex).toBe(601);
    expect(status.durableIndex).toBe(node.durable());
  });

  test("send no result that nobody waits for", async () => {
    const node = await openNode();
    const entry = entryOf(1, execute("CREATE TABLE t (a)"));
    const applied = new Promise<void>((resolve) => node.applier.onApplied(() => resolve()));
    node.applier.submit([{ ...entry, proposalId: 0 }]);
    await applied;
    expect((await node.threads.status()).appliedIndex).toBe(1);
    expect(node.results.size).toBe(0);
  });

  test("come back at the applied index after they were closed", async () => {
    const first = await openNode();
    await first.apply(execute("CREATE TABLE t (a)"), execute("INSERT INTO t VALUES (1)"));
    open.length = 0;
    await first.threads.close();
    const again = await openNode();
    expect(again.threads.appliedIndexAtOpen).toBe(2);
    expect(await values(again.threads, "SELECT a FROM t")).toEqual([[1]]);
  });

  test("give digest and applied index of one moment, and back up what is there", async () => {
    const node = await openNode();
    await node.apply(execute("CREATE TABLE t (a)"), execute("INSERT INTO t VALUES (1), (2)"));
    const { appliedIndex, digest } = await node.threads.digest();
    expect(appliedIndex).toBe(2);
    const path = join(dir, "copy.sqlite");
    const request = { format: "binary", vacuum: false, tables: [], path } as const;
    await node.threads.backup(request);
    expect(digestDatabase(path)).toBe(digest);
    const again = node.threads.backup(request);
    await expect(again).rejects.toSatisfy((error) => isCairnError(error, "DISK_EXISTS"));
  });

  test("refuse a file that is no database, and leave no thread", async () => {
    writeFileSync(join(dir, "db.sqlite"), "this is no database, but it is long enough to be one");
    const opening = openSqliteThreads({ path: join(dir, "db.sqlite") });
    await expect(opening).rejects.toSatisfy((error) => isCairnError(error, "SQLITE_FILE_INVALID"));
    await expect(openSqliteThreads({ path: "x", readerCount: 0 })).rejects.toThrow(RangeError);
  });
});

describe("a long read", () => {
  test("holds up neither other reads nor the writer", async () => {
    const node = await openNode({ readerCount: 2 });
    await node.apply(execute("CREATE TABLE t (a)"));
    let isDone = false;
    const long = values(node.threads, LONG).then((rows) => {
      isDone = true;
      return rows;
    });
    // More than fit ahead, so that some of them are given to the busy reader and taken back.
    for (let n = 1; n <= 20; n += 1) {
      const short = Array.from({ length: 20 }, () =>
        values(node.threads, "SELECT count(*) FROM t"),
      );
      await node.apply(execute("INSERT INTO t VALUES (1)"));
      for (const rows of await Promise.all(short)) expect(rows).toHaveLength(1);
      expect(await values(node.threads, "SELECT count(*) FROM t")).toEqual([[n]]);
    }
    expect(isDone, "everything else was served while the long read ran").toBe(false);
    expect(await long).toEqual([[8_000_000]]);
  });

  test("does not lose the reads that were queued behind it", async () => {
    const node = await openNode({ readerCount: 1 });
    const long = values(node.threads, counting(1_000_000));
    const short = Array.from({ length: 30 }, (_, n) => values(node.threads, `SELECT ${n}`));
    expect(await long).toEqual([[1_000_000]]);
    expect(await Promise.all(short)).toEqual(Array.from({ length: 30 }, (_, n) => [[n]]));
  });
});

describe("a reader that dies", () => {
  const HUGE = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
    SELECT i, 'a text that takes room ' || i FROM n`;

  test("fails its read by code, is replaced, and hurts no other", async () => {
    const node = await openNode({ readerCount: 1, readerHeapMegabytesMax: 24 });
    let fatal: Error | undefined;
    node.threads.onFatal((error) => {
      fatal = error;
    });
    const killed = values(node.threads, HUGE);
    const behind = values(node.threads, "SELECT 1");
    await expect(killed).rejects.toSatisfy((error) => isCairnError(error, "SQLITE_READER_FAILED"));
    expect(await behind).toEqual([[1]]);
    await node.apply(execute("CREATE TABLE t (a)"));
    expect(await values(node.threads, "SELECT count(*) FROM t")).toEqual([[0]]);
    expect(fatal).toBeUndefined();
  });
});

test("a writer that cannot go on is fatal, once, and status says so", async () => {
  const node = await openNode();
  const failures: Error[] = [];
  const failed = new Promise<void>((resolve) => {
    node.threads.onFatal((error) => {
      failures.push(error);
      resolve();
    });
  });
  // Bytes that no applier has packed can only come from a bug of ours.
  node.threads.applierPort.postMessage(Uint8Array.of(1, 2, 3));
  node.applier.submit([entryOf(1, execute("SELECT 1"))]);
  await failed;
  expect(failures).toHaveLength(1);
  await expect(node.threads.status()).rejects.toThrow(/thread is gone/);
});

test("reads after a close are refused by code", async () => {
  const node = await openNode();
  open.length = 0;
  const pending = values(node.threads, "SELECT 1");
  pending.catch(() => undefined);
  await node.threads.close();
  const late = node.threads.read(query("SELECT 1"));
  await expect(late).rejects.toSatisfy((error) => isCairnError(error, "SQLITE_READER_FAILED"));
});
