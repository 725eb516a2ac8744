/**
 * F06: large entries on a slow link, and many small ones: heartbeats are in time all the same.
 *
 * Method: real replicas on a net whose bulk lane takes seconds, which is what a large frame on a
 * thin line looks like from above.
 */
import { expect, test } from "vitest";
import type { SimulatedNetwork } from "#platform/types";
import * as reference from "#replica";
import type { ReplicaNet } from "#replica/types";
import { plantMistake } from "../support/plant.ts";
import { settle, texts } from "./histories.ts";
import { type ReplicaParts, SimulatedCluster, type SimulatedNode } from "./simulated-cluster.ts";

const MIB = 1024 * 1024;
const BULK_MS = 3000;

/** A cluster whose bulk lanes are so slow, and what was sent on them. */
async function started({
  createReplica,
  finishInstall,
  openRaftLog,
}: ReplicaParts = reference): Promise<{ cluster: SimulatedCluster; bulk: number[] }> {
  const bulk: number[] = [];
  const cluster: SimulatedCluster = new SimulatedCluster({
    ...{ size: 3, seed: 2 },
    parts: {
      finishInstall,
      openRaftLog,
      createReplica: (options) => {
        const { clock } = options;
        const inner = options.net as ReturnType<SimulatedNetwork["node"]>;
        const net: ReplicaNet = {
          onFrame: (receive) => inner.onFrame(receive),
          send: (to, parts, lane) => {
            if (lane !== "bulk") return inner.send(to, parts);
            bulk.push(parts.reduce((sum, part) => sum + part.length, 0));
            clock.after(BULK_MS, () => inner.send(to, parts));
          },
        };
        return createReplica({ ...options, net });
      },
    },
  });
  await cluster.startAll();
  await cluster.runUntil(() => cluster.leader() !== undefined, 10_000, "a leader");
  await cluster.write(3, 20);
  await settle(cluster);
  return { cluster, bulk };
}

const silenceOf = (node: SimulatedNode): number => node.replica?.status().leaderSilenceMs ?? 0;

test("F06 while an entry is under way for seconds nobody campaigns; it is sent once", async () => {
  const { cluster, bulk } = await started();
  const { term } = cluster.mustLead().replica?.status() ?? {};
  const large = cluster.propose(cluster.mustLead(), "x".repeat(MIB));
  let silenceMs = 0;
  for (let passed = 0; passed < BULK_MS - 200; passed += 50) {
    await cluster.run(50);
    silenceMs = Math.max(silenceMs, ...cluster.followers().map(silenceOf));
  }
  expect(silenceMs).toBeLessThan(300);
  expect(cluster.fates.get(large)).toBe("open");
  await cluster.runUntil(() => cluster.fates.get(large) === "acknowledged", 5000, "the entry");
  expect(cluster.mustLead().replica?.status().term).toBe(term);
  expect(
    bulk.filter((bytes) => bytes > MIB),
    "once to each follower",
  ).toHaveLength(2);
});

test("what is written behind a large entry comes behind it, without being refused", async () => {
  const { cluster, bulk } = await started();
  cluster.propose(cluster.mustLead(), "x".repeat(MIB));
  await cluster.run(100);
  const small = cluster.propose(cluster.mustLead(), "small");
  await cluster.runUntil(
    () => cluster.fates.get(small) === "acknowledged",
    15_000,
    "the small one",
  );
  await settle(cluster);
  for (const node of cluster.nodes) expect(texts(node).at(-1)).toBe("small");
  expect(bulk.filter((bytes) => bytes > MIB)).toHaveLength(2);
  // Once the lane is empty, what is small goes the quick way again.
  const before = bulk.length;
  await cluster.write(5, 20);
  expect(bulk).toHaveLength(before);
});

test("F06 ten thousand small entries at once keep no heartbeat waiting either", async () => {
  const { cluster } = await started();
  let last = 0;
  for (let n = 0; n < 10_000; n += 1) last = cluster.propose(cluster.mustLead(), `${n}`);
  let silenceMs = 0;
  while (cluster.fates.get(last) !== "acknowledged") {
    await cluster.run(10);
    silenceMs = Math.max(silenceMs, ...cluster.followers().map(silenceOf));
  }
  expect(silenceMs).toBeLessThan(300);
});

test("a heartbeat that stands behind what is under way has it sent again", async () => {
  const mistake = { file: "messenger.ts", from: "this.#standBack(to, message)", to: "message" };
  const { cluster, bulk } = await started(await plantMistake<ReplicaParts>("replica", [mistake]));
  cluster.propose(cluster.mustLead(), "x".repeat(MIB));
  await cluster.run(BULK_MS - 200);
  expect(bulk.filter((bytes) => bytes > MIB).length).toBeGreaterThan(2);
});

test("what a broken connection has lost on the bulk lane is sent again, gone or not", async () => {
  for (const isGone of [false, true]) {
    const { cluster } = await started();
    const [away] = cluster.followers();
    if (away === undefined) throw new Error("no follower");
    const large = cluster.propose(cluster.mustLead(), "x".repeat(MIB));
    await cluster.run(BULK_MS - 50);
    cluster.isolate(away);
    await cluster.runUntil(() => cluster.fates.get(large) === "acknowledged", 5000, "the entry");
    cluster.network.heal();
    cluster.mustLead().replica?.unreachable(away.number, isGone);
    await cluster.runUntil(() => texts(away).length === 4, 3 * BULK_MS, "the entry at all");
  }
});
