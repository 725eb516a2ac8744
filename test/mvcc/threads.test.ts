/**
 * The store as it is used: on a disk of this machine, with flushes and compactions in a worker.
 * Method: readers look again while the worker is busy; a process that commits all the time is
 * killed, again and again, and nothing that it was told is lost.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { openMvcc } from "#mvcc";
import type { MvccOptions, Transaction } from "#mvcc/types";
import { seededRandom } from "#platform";
import { atTestEnd, temporaryDir } from "../support/processes.ts";
import { b, content, LAYOUTS, seen } from "./support.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const CHILD = fileURLToPath(new URL("./commit-child.ts", import.meta.url));
const SMALL = { memtableBytesMax: 32 * 1024, tableBytesMax: 32 * 1024, levelZeroCompactRuns: 2 };
/** As in the child: a commit writes `one/…`, `two/…`, `three/…` of its number modulo this. */
const KEYS = 50;

const tableBytes = (dir: string): number =>
  readdirSync(dir)
    .filter((name) => name.endsWith(".sst"))
    .reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);

const kinds: Readonly<Record<string, Partial<MvccOptions>>> = {
  ...Object.fromEntries(LAYOUTS.map((layout) => [layout, { layout, engine: SMALL }])),
  "timestamped, tiered": { engine: { ...SMALL, picker: "tiered", levelRatio: 2 } },
};

test.each(Object.keys(kinds))(
  "06.8 %s: with a worker, readers see what they saw, and space is bounded",
  { timeout: 60_000 },
  async (kind) => {
    const random = seededRandom(8);
    const dir = join(temporaryDir(), "db");
    const mvcc = await openMvcc({ dir, ...kinds[kind] });
    const expected: Record<string, string> = {};
    const readers = new Map<Transaction, string>();
    for (let i = 0; i < 480; i += 1) {
      const transaction = mvcc.begin();
      for (let keys = 0; keys < 3; keys += 1) {
        const key = `key-${String(random.below(60)).padStart(2, "0")}`;
        expected[key] = `${i}`.padEnd(random.below(300), ".");
        transaction.put(b(key), b(expected[key]));
      }
      await transaction.commit({ sync: i % 200 === 0 });
      if (i % 50 === 0) {
        const reader = mvcc.begin();
        readers.set(reader, JSON.stringify(seen(reader)));
      }
      if (i % 60 === 59) {
        // The worker has its turn in between.
        await new Promise((resolve) => setImmediate(resolve));
        for (const [reader, text] of readers) expect(JSON.stringify(seen(reader))).toBe(text);
        if (i % 180 === 179) await mvcc.collect();
        const [oldest] = readers.keys();
        readers.delete(oldest!);
        oldest!.abort();
      }
    }
    for (const [reader, text] of readers) {
      expect(JSON.stringify(seen(reader))).toBe(text);
      reader.abort();
    }
    await mvcc.collect();
    expect(content(mvcc)).toEqual(expected);
    await mvcc.close();
    // 60 keys of up to 300 bytes; 1,440 versions would be 210 kB.
    expect(tableBytes(dir)).toBeLessThan(60_000);
  },
);

/** Lets a process commit, and kills it when it has said so many. @returns what it said. */
async function commitsUntilKilled(dir: string, first: number, count: number): Promise<string[]> {
  const child = spawn(
    process.execPath,
    ["--conditions=source", "--import", "tsx", CHILD, dir, String(first)],
    { cwd: ROOT, stdio: ["ignore", "pipe", "pipe"] },
  );
  atTestEnd(() => void child.kill("SIGKILL"));
  let complaint = "";
  child.stderr.on("data", (chunk) => {
    complaint += String(chunk);
  });
  const ended = once(child, "exit");
  const lines: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    if (lines.length === count) child.kill("SIGKILL");
  }
  const [, signal] = await ended;
  if (signal !== "SIGKILL") throw new Error(`the process ended by itself: ${complaint}`);
  return lines;
}

/** Compares what is there with what was answered. @returns the highest number that is there. */
async function lookAfterKill(dir: string, answered: readonly number[]): Promise<number> {
  const mvcc = await openMvcc({ dir, engine: SMALL });
  const found = content(mvcc);
  await mvcc.close();
  const there = (number: number): boolean => found[`log/${number}`] === String(number);
  const highest = Math.max(
    ...Object.keys(found).map((key) => Number(/^log\/(\d+)/.exec(key)?.[1] ?? 0)),
  );
  for (const number of answered) {
    // A later commit of the same keys has removed it, answered or not.
    const isKept = there(number) || there(number + KEYS) || number + 2 * KEYS <= highest;
    expect(isKept, `commit ${number} was answered, and is gone`).toBe(true);
    const value = Number.parseInt(
      found[`one/${String(number % KEYS).padStart(2, "0")}`] ?? "0",
      10,
    );
    expect(value).toBeGreaterThanOrEqual(number);
  }
  for (const [key, value] of Object.entries(found)) {
    if (!key.startsWith("one/")) continue;
    for (const name of ["two/", "three/"]) {
      expect(found[key.replace("one/", name)], `half of a commit at ${key}`).toBe(value);
    }
  }
  return highest;
}

test("06.3 what was answered survives kill -9 in the middle of commits", {
  timeout: 120_000,
}, async () => {
  const dir = join(temporaryDir(), "db");
  const timestamps: number[] = [];
  let first = 1;
  for (const count of [150, 500]) {
    const lines = await commitsUntilKilled(dir, first, count);
    const pairs = lines.map((line) => line.split(" ").map(Number) as [number, number]);
    // The pipe may have been cut in the middle of a line.
    const whole = pairs.filter(([, timestamp]) => Number.isSafeInteger(timestamp));
    expect(whole.length).toBeGreaterThanOrEqual(count - 1);
    const round = whole.map(([, timestamp]) => timestamp);
    expect(Math.min(...round)).toBeGreaterThan(Math.max(0, ...timestamps));
    timestamps.push(...round);
    first =
      1 +
      (await lookAfterKill(
        dir,
        whole.map(([number]) => number),
      ));
  }
  expect(new Set(timestamps).size).toBe(timestamps.length);
});
