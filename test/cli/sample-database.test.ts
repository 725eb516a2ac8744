/**
 * The sample database. Method: generate it, load it into a plain SQLite with foreign keys enforced,
 * and ask what is there; then send it to a cluster that loses answers or refuses.
 */
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { type Envelope, loadSample, SAMPLE_SEED, type Send, sampleBatches } from "#cli";

/** A node, as a client sees it, over a plain SQLite in memory. */
function shop(): { send: Send; database: Database.Database; sent: string[] } {
  const database = new Database(":memory:");
  database.pragma("foreign_keys = ON");
  const sent: string[] = [];
  const send: Send = async (path, statements): Promise<Envelope> => {
    sent.push(path);
    const results: { error?: string; values?: unknown[][] }[] = [];
    const transaction = database.transaction(() => {
      for (const sql of statements) {
        const statement = database.prepare(sql);
        if (statement.reader) results.push({ values: statement.raw().all() as unknown[][] });
        else statement.run();
      }
    });
    try {
      transaction();
    } catch (error) {
      results.push({ error: String(error) });
    }
    return { results };
  };
  return { send, database, sent };
}

function count(database: Database.Database, sql: string): unknown {
  return database.prepare(sql).pluck().get();
}

describe("the generator", () => {
  test("gives the same SQL for the same seed, and another for another", () => {
    expect(sampleBatches(7)).toEqual(sampleBatches(7));
    expect(sampleBatches()).toEqual(sampleBatches(SAMPLE_SEED));
    expect(sampleBatches(7)).not.toEqual(sampleBatches(8));
  });

  test("numbers its batches from 1, and keeps each of them far below the limit of a body", () => {
    const batches = sampleBatches();
    expect(batches.map(({ number }) => number)).toEqual(batches.map((_, index) => index + 1));
    for (const { statements } of batches) {
      expect(JSON.stringify(statements).length).toBeLessThan(100_000);
    }
  });

  test.each([SAMPLE_SEED, 1, 2, 3])("makes a shop without contradictions (seed %i)", (seed) => {
    const { database } = shop();
    for (const { statements } of sampleBatches(seed)) {
      for (const sql of statements) database.exec(sql);
    }
    expect(database.pragma("foreign_key_check")).toEqual([]);
    expect(database.pragma("integrity_check")).toEqual([{ integrity_check: "ok" }]);
    const total = ["authors", "books", "customers", "orders", "order_lines"]
      .map((table) => Number(count(database, `SELECT count(*) FROM ${table}`)))
      .reduce((sum, rows) => sum + rows);
    expect(total).toBeGreaterThan(3000);
    expect(total).toBeLessThan(10_000);
    const wrongTotals = `SELECT count(*) FROM orders WHERE total_cents <> (
      SELECT sum(quantity * price_cents) FROM order_lines WHERE order_id = orders.id)`;
    expect(count(database, wrongTotals)).toBe(0);
    const best = database.prepare("SELECT * FROM best_sellers LIMIT 3").all() as object[];
    expect(best.map((row) => Object.keys(row).join())).toEqual(
      Array(3).fill("title,author,copies,revenue"),
    );
  });
});

describe("loading", () => {
  test("creates all of it once, and finds it the next time", async () => {
    const { send, database, sent } = shop();
    expect(await loadSample(send)).toBe("created");
    const lines = count(database, "SELECT count(*) FROM order_lines");
    sent.length = 0;
    expect(await loadSample(send)).toBe("found");
    expect(sent).toEqual(["/db/query", "/db/query"]);
    expect(count(database, "SELECT count(*) FROM order_lines")).toBe(lines);
  });

  test("goes on where an earlier load was interrupted", async () => {
    const whole = shop();
    await loadSample(whole.send);
    const { send, database } = shop();
    await loadSample(send, sampleBatches().slice(0, 5));
    expect(await loadSample(send)).toBe("created");
    const sum = "SELECT sum(total_cents) FROM orders";
    expect(count(database, sum)).toBe(count(whole.database, sum));
  });

  test("sends nothing twice when answers are lost", async () => {
    const { send, database } = shop();
    let calls = 0;
    const lossy: Send = async (path, statements) => {
      const envelope = await send(path, statements);
      calls += 1;
      if (path.includes("execute") && calls % 2 === 0) throw new Error("connection reset");
      return envelope;
    };
    expect(await loadSample(lossy)).toBe("created");
    expect(count(database, "SELECT count(*) FROM orders")).toBe(1200);
    expect(count(database, "SELECT max(number) FROM sample_batches")).toBe(sampleBatches().length);
  });

  test("says what SQLite refuses, and leaves the tables of others alone", async () => {
    const { send, database } = shop();
    database.exec("CREATE TABLE books (mine TEXT)");
    await expect(loadSample(send)).rejects.toMatchObject({ code: "SQLITE_STATEMENT_FAILED" });
    expect(count(database, "SELECT count(*) FROM sqlite_master")).toBe(1);
  });
});
