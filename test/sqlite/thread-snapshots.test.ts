/**
 * Copies, installations and digests through the port that the consensus thread holds. Method: real
 * threads; two nodes that apply one history, one of which goes on while it is copied; readers that
 * read all the time.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { isCairnError } from "#base";
import { createPortApplier, decodeKvAnswer, decodeKvFound, encodeKvCommand } from "#replica";
import type { Applier, CommittedEntry } from "#replica/types";
import { digestDatabase, openSqliteThreads } from "#sqlite";
import type { ReadRequest, SqliteThreads } from "#sqlite/types";
import { historyEntry } from "./crash-history.ts";
import { PLAIN, sql } from "./machine-support.ts";

// Several threads are started for each node, and a busy machine takes its time over each.
vi.setConfig({ testTimeout: 60_000 });

let dir = "";
const open: SqliteThreads[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "cairn-thread-snapshots-"));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((threads) => threads.close()));
  rmSync(dir, { recursive: true, force: true });
});

interface Node {
  readonly threads: SqliteThreads;
  readonly applier: Applier;
  /** What consensus was told last: applied and durable index. */
  readonly told: { applied: number; durable: number };
  /** Submits the history up to an index. */
  submit(upTo: number): void;
  /** Resolves when it is told that this index is applied. */
  applied(index: number): Promise<void>;
}

async function openNode(name: string, more: { kvDir?: string } = {}): Promise<Node> {
  const threads = await openSqliteThreads({ path: join(dir, name), readerCount: 1, ...more });
  open.push(threads);
  const applier = createPortApplier(threads.applierPort);
  const told = { applied: threads.appliedIndexAtOpen, durable: 0 };
  const waiting = new Map<number, () => void>();
  applier.onApplied((applied, durable) => {
    Object.assign(told, { applied, durable });
    for (const [index, resolve] of waiting) if (index <= applied) resolve();
  });
  let next = threads.appliedIndexAtOpen + 1;
  return {
    threads,
    applier,
    told,
    submit(upTo) {
      const entries: CommittedEntry[] = [];
      for (; next <= upTo; next += 1) entries.push(historyEntry(next));
      applier.submit(entries);
    },
    applied: (index) =>
      told.applied >= index
        ? Promise.resolve()
        : new Promise((resolve) => waiting.set(index, resolve)),
  };
}

const COUNT: ReadRequest = {
  statements: [sql("SELECT count(*) FROM t")],
  transaction: false,
  rendering: PLAIN,
  mode: "query",
};

async function count(node: Node): Promise<number> {
  const response = await node.threads.read(COUNT);
  if (response.needsWrite) throw new Error("a query never needs a write");
  const [result] = JSON.parse(new TextDecoder().decode(response.results));
  // Before entry 1 there is no table.
  return result.values === undefined ? 0 : result.values[0][0];
}

const hexOf = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");

describe("through the applier's port", () => {
  test("a copy waits for the index that is wanted, and applying goes on beside it", async () => {
    const node = await openNode("a");
    node.submit(20);
    const path = join(dir, "out");
    const copying = node.applier.makeSnapshot(path, 50);
    node.submit(49);
    await node.applied(49);
    expect(existsSync(path)).toBe(false);
    node.submit(200);
    const { index } = await copying;
    expect(index).toBeGreaterThanOrEqual(50);
    await node.applied(200);
    const other = await openNode("b");
    other.submit(index);
    await other.applied(index);
    expect(digestDatabase(path)).toBe((await other.threads.digest()).digest);
  });

  test("a digest is that of exactly one index; passed ones have none", async () => {
    const [node, other] = [await openNode("a"), await openNode("b")];
    const wanted = node.applier.digestAt(33);
    node.submit(90);
    other.submit(33);
    await other.applied(33);
    const { appliedIndex, digest } = await other.threads.digest();
    expect(appliedIndex).toBe(33);
    expect(hexOf(await wanted)).toBe(digest);
    await node.applied(90);
    expect(await node.applier.digestAt(89)).toBeUndefined();
    const now = await node.threads.digest();
    expect(hexOf(await node.applier.digestAt(90))).toBe(now.digest);
  });

  test("an installation comes behind what was submitted, and no read fails meanwhile", async () => {
    const [source, node] = [await openNode("a"), await openNode("b")];
    source.submit(300);
    await source.applied(300);
    const path = join(dir, "in-300");
    await source.applier.makeSnapshot(path, 300);
    const wanted = await count(source);
    const seen: number[] = [];
    let isOver = false;
    const reading = (async () => {
      while (!isOver) seen.push(await count(node));
    })();
    node.submit(40);
    const passed = node.applier.digestAt(41);
    const installing = node.applier.install(path, 300);
    await installing;
    expect(node.told).toEqual({ applied: 300, durable: 300 });
    seen.push(await count(node));
    isOver = true;
    await reading;
    expect(seen.at(-1)).toBe(wanted);
    expect([...seen].sort((a, b) => a - b)).toEqual(seen);
    expect(await passed).toBeUndefined();
    const [one, other] = [await source.threads.digest(), await node.threads.digest()];
    expect(other).toEqual(one);
    node.applier.submit([historyEntry(301)]);
    await node.applied(301);
    expect(existsSync(path)).toBe(false);
  });

  test("what is no copy is refused by code, and the node goes on", async () => {
    const node = await openNode("a");
    node.submit(10);
    const path = join(dir, "in-20");
    writeFileSync(path, "nothing of ours");
    const installing = node.applier.install(path, 20);
    await expect(installing).rejects.toSatisfy((error) =>
      isCairnError(error, "SQLITE_FILE_INVALID"),
    );
    node.submit(30);
    await node.applied(30);
    const copying = node.applier.makeSnapshot(path, 30);
    await expect(copying).rejects.toSatisfy((error) => isCairnError(error, "DISK_EXISTS"));
  });
});

test("the writer's thread runs keys beside SQL: commands, reads, copies, restarts", async () => {
  const openPair = async (name: string): Promise<Node> =>
    openNode(name, { kvDir: join(dir, `${name}-kv`) });
  const node = await openPair("a");
  const results = new Map<number, Uint8Array>();
  node.threads.onResult((id, _index, result) => results.set(id, result.slice()));
  const key = new TextEncoder().encode("k");
  const transaction = { conditions: [], success: [{ kind: "put", key, value: key } as const] };
  const once = null;
  const payload = encodeKvCommand({
    kind: "transaction",
    once,
    transaction: { ...transaction, failure: [] },
  });
  node.submit(20);
  await node.applied(20);
  node.applier.submit([{ ...historyEntry(21), payload }]);
  await node.applied(21);
  const got = decodeKvFound(await node.threads.readKv({ kind: "get", key }));
  expect(got).toMatchObject({ kind: "got", entry: { revision: 21 } });
  const status = await node.threads.status();
  expect(status).toMatchObject({ appliedIndex: 21, kv: { appliedIndex: 21, sessions: 0 } });
  expect(decodeKvAnswer(results.get(21) ?? new Uint8Array())).toMatchObject({ revision: 21 });
  await node.threads.checkpoint();
  const path = join(dir, "in-21");
  await node.applier.makeSnapshot(path, 21);
  const other = await openPair("b");
  await other.applier.install(path, 21);
  expect(other.told).toEqual({ applied: 21, durable: 21 });
  expect(decodeKvFound(await other.threads.readKv({ kind: "get", key }))).toEqual(got);
  expect(await count(other)).toBe(await count(node));
  open.splice(open.indexOf(other.threads), 1);
  await other.threads.close();
  const again = await openPair("b");
  expect(again.threads.appliedIndexAtOpen).toBe(21);
  expect(decodeKvFound(await again.threads.readKv({ kind: "get", key }))).toEqual(got);
});

test("a node without keys says so", async () => {
  const node = await openNode("a");
  const reading = node.threads.readKv({ kind: "get", key: Uint8Array.of(1) });
  await expect(reading).rejects.toSatisfy((error) => isCairnError(error, "SERVER_REQUEST_INVALID"));
});
