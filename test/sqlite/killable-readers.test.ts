/**
 * Reads with a time limit. Method: statements that never end, beside ones that do, over the real
 * threads and processes; what is asked is which answers come, never how long they take.
 */
import { join } from "node:path";
import { expect, test } from "vitest";
import { openSqliteMachine, openSqliteThreads } from "#sqlite";
import type { ReadRequest, ReadResponse, SqliteThreads } from "#sqlite/types";
import { atTestEnd, temporaryDir } from "../support/processes.ts";

const ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";
const ENDLESS_COUNT = `${ENDLESS} SELECT count(*) FROM n`;
const ENDLESS_ROWS = `${ENDLESS} SELECT i FROM n`;
const LIMIT_MS = 150;
/** Nobody waits for it: it says "with a limit" and no more. */
const LONG_MS = 60_000;

async function openThreads(readerCount = 2): Promise<SqliteThreads> {
  const path = join(temporaryDir(), "db.sqlite");
  openSqliteMachine({ path }).close();
  const threads = await openSqliteThreads({ path, readerCount });
  atTestEnd(() => threads.close());
  return threads;
}

function reading(timeoutMs: number | undefined, ...sql: readonly string[]): ReadRequest {
  return {
    statements: sql.map((text) => ({ sql: text, positional: [], named: [] })),
    transaction: false,
    rendering: { associative: false, blobArray: false, qualifyColumns: false, timings: false },
    mode: "query",
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  };
}

function resultsOf(response: ReadResponse): unknown {
  if (response.needsWrite) throw new Error("would write");
  return JSON.parse(Buffer.from(response.results).toString());
}

const TIMEOUT = { error: "query timeout" };
const one = (value: number): object => ({ columns: ["v"], types: ["integer"], values: [[value]] });

test("a read that ends in time is answered as one without a limit", async () => {
  const threads = await openThreads();
  const sql = "SELECT 9223372036854775807, 1.5, x'00ff', 'é', NULL";
  const [limited, free] = await Promise.all([
    threads.read(reading(LONG_MS, sql)),
    threads.read(reading(undefined, sql)),
  ]);
  expect(limited).toEqual(free);
});

test.each([
  ["between two rows", ENDLESS_ROWS],
  ["inside a statement without rows", ENDLESS_COUNT],
])("a read that never ends is stopped %s", async (_, sql) => {
  const threads = await openThreads();
  expect(resultsOf(await threads.read(reading(LIMIT_MS, sql)))).toEqual([TIMEOUT]);
});

test("what was done before the time was up is answered, and the rest is not begun", async () => {
  const threads = await openThreads();
  const response = await threads.read(
    reading(LIMIT_MS, "SELECT 1 AS v", "", ENDLESS_COUNT, "SELECT 2 AS v"),
  );
  expect(resultsOf(response)).toEqual([one(1), TIMEOUT, TIMEOUT]);
});

test("while one is stopped, others go on: with a limit and without", async () => {
  const threads = await openThreads(2);
  const order: string[] = [];
  const endless = threads.read(reading(1000, ENDLESS_COUNT)).then(() => order.push("endless"));
  const others = Array.from({ length: 20 }, async (_, n) => {
    const limit = n % 2 === 0 ? LONG_MS : undefined;
    expect(resultsOf(await threads.read(reading(limit, `SELECT ${n} AS v`)))).toEqual([one(n)]);
    order.push("other");
  });
  await Promise.all([...others, endless]);
  expect(order.at(-1)).toBe("endless");
});

test("a process that was killed is replaced, again and again", async () => {
  const threads = await openThreads(1);
  for (let round = 0; round < 3; round += 1) {
    expect(resultsOf(await threads.read(reading(LIMIT_MS, ENDLESS_COUNT)))).toEqual([TIMEOUT]);
    const after = await threads.read(reading(LONG_MS, `SELECT ${round} AS v`));
    expect(resultsOf(after)).toEqual([one(round)]);
  }
});

test("more endless reads than processes: each is stopped in its time", async () => {
  const threads = await openThreads(2);
  const all = Array.from({ length: 5 }, () => threads.read(reading(LIMIT_MS, ENDLESS_COUNT)));
  for (const response of await Promise.all(all)) expect(resultsOf(response)).toEqual([TIMEOUT]);
});

test("a read in mode request that would write says so, in spite of its limit", async () => {
  const threads = await openThreads();
  const request = { ...reading(LONG_MS, "CREATE TABLE t (a)"), mode: "request" as const };
  expect(await threads.read(request)).toEqual({ needsWrite: true });
});

test("closing ends a read that never would, and it hears so", async () => {
  const threads = await openThreads();
  const endless = threads.read(reading(LONG_MS, ENDLESS_COUNT));
  const outcome = expect(endless).rejects.toMatchObject({ code: "SQLITE_READER_FAILED" });
  // A read that was answered shows that the processes run.
  await threads.read(reading(LONG_MS, "SELECT 1"));
  await threads.close();
  await outcome;
});
