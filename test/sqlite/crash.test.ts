/**
 * SIGKILL while entries are applied. Method: a child process applies a history and is killed at
 * some point that chance picks; the file is opened again, must be where the child said or further,
 * and must come to the same rows as a machine that was never killed once the rest is applied.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { seededRandom } from "#platform";
import { openSqliteMachine } from "#sqlite";
import { scaled } from "../support/seeds.ts";
import { historyEntry } from "./crash-history.ts";
import { openBench } from "./machine-support.ts";

const CHILD = fileURLToPath(new URL("./crash-child.ts", import.meta.url));
const LAST = 1500;

/** Runs the child until it has said so many indexes; gives the last one. */
async function applyAndKill(path: string, reports: number): Promise<number> {
  const options = ["--import", "tsx", "--conditions=source", CHILD, path, String(LAST)];
  const child = spawn(process.execPath, options, { stdio: ["ignore", "pipe", "inherit"] });
  const closed = new Promise((resolve) => child.once("close", resolve));
  let said = 0;
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    said = Number(line);
    count += 1;
    if (count === reports) child.kill("SIGKILL");
  }
  await closed;
  return said;
}

test("a killed machine goes on from where its file is, and loses and repeats nothing", async () => {
  const whole = openBench();
  const entries = Array.from({ length: LAST }, (_, at) => historyEntry(at + 1));
  whole.machine.applyBatch(entries);
  const random = seededRandom(7);
  for (let round = 0; round < scaled(3); round += 1) {
    const bench = openBench();
    bench.machine.close();
    const reports = 1 + random.below(120);
    const where = `seed 7, round ${round}: killed after ${reports} batches`;
    const said = await applyAndKill(bench.path, reports);
    bench.machine = openSqliteMachine({ path: bench.path });
    const applied = bench.machine.appliedIndex();
    expect(applied, where).toBeGreaterThanOrEqual(said);
    const reader = new Database(bench.path, { readonly: true });
    const rows = Number(reader.prepare("SELECT count(*) FROM t").pluck().get());
    reader.close();
    // Entry 1 makes the tables, each other one a row; one more if the crash was inside an entry.
    expect(rows - (applied - 1), where).toBeGreaterThanOrEqual(0);
    expect(rows - (applied - 1), where).toBeLessThanOrEqual(1);
    bench.machine.applyBatch(entries.slice(applied));
    expect(bench.hex(), where).toBe(whole.hex());
    bench.close();
  }
  whole.close();
});

test("the WAL is replayed without a checkpoint, and an empty WAL proves durability", () => {
  const bench = openBench({ checkpointBytes: 1 << 30 });
  bench.machine.applyBatch([1, 2, 3].map(historyEntry));
  expect(bench.machine.durableIndex()).toBe(0);
  const holder = new Database(bench.path, { readonly: true });
  holder.prepare("SELECT count(*) FROM t").get();
  bench.reopen();
  expect(bench.machine.appliedIndex()).toBe(3);
  expect(bench.machine.durableIndex()).toBe(0);
  holder.close();
  bench.reopen();
  expect(bench.machine.durableIndex()).toBe(3);
  bench.close();
});

test("a checkpoint moves the durable index when the WAL is large, as far as readers let it", () => {
  const bench = openBench({ checkpointBytes: 16 * 1024 });
  bench.machine.applyBatch([1, 2, 3, 4, 5, 6].map(historyEntry));
  const reader = new Database(bench.path, { readonly: true });
  reader.exec("BEGIN");
  reader.prepare("SELECT count(*) FROM t").get();
  const before = bench.machine.durableIndex();
  for (let index = 7; index < 60; index += 1) bench.machine.applyBatch([historyEntry(index)]);
  const held = bench.machine.durableIndex();
  reader.close();
  for (let index = 60; index < 120; index += 1) bench.machine.applyBatch([historyEntry(index)]);
  expect(held).toBe(before);
  expect(bench.machine.durableIndex()).toBeGreaterThan(60);
  bench.close();
});
