/**
 * The driver: real log, real codec, simulated disk, net and clock.
 *
 * Method: directed scenarios (named by their ids), then random histories of crashes and partitions
 * from seeds, checked against what clients were told.
 */
import { describe, expect, test } from "vitest";
import { type Patch, plantMistake } from "../support/plant.ts";
import { runSeeds } from "../support/seeds.ts";
import { runHistory, settle, texts } from "./histories.ts";
import { type ReplicaParts, SimulatedCluster, type SimulatedNode } from "./simulated-cluster.ts";

async function startedCluster(size: number, seed = 1, syncDelayMs = 0): Promise<SimulatedCluster> {
  const cluster = new SimulatedCluster({ size, seed, syncDelayMs });
  await cluster.startAll();
  await cluster.runUntil(() => cluster.leader() !== undefined, 10_000, "a leader");
  return cluster;
}

function leaderOf(cluster: SimulatedCluster): SimulatedNode {
  const leader = cluster.leader();
  if (leader === undefined) throw new Error("no leader");
  return leader;
}

describe("the driver", () => {
  test("E01 a cluster of one elects itself and commits alone", async () => {
    const cluster = await startedCluster(1);
    const id = cluster.propose(leaderOf(cluster), "alone");
    await cluster.runUntil(() => cluster.fates.get(id) === "acknowledged", 1000, "the write");
    expect(texts(leaderOf(cluster))).toEqual(["alone"]);
  });

  test("R01 proposals are applied once, in one order, on every node", async () => {
    const cluster = await startedCluster(3);
    const ids = Array.from({ length: 40 }, (_, n) => cluster.propose(leaderOf(cluster), `w${n}`));
    await settle(cluster);
    expect(ids.map((id) => cluster.fates.get(id))).toEqual(ids.map(() => "acknowledged"));
    const expected = ids.map((_, n) => `w${n}`);
    for (const node of cluster.nodes) expect(texts(node)).toEqual(expected);
  });

  test("R07 a proposal at a follower is refused at once, and definitely", async () => {
    const cluster = await startedCluster(3);
    const follower = cluster.nodes.find((node) => node !== cluster.leader()) as SimulatedNode;
    const id = cluster.propose(follower, "misplaced");
    expect(cluster.fates.get(id)).toBe("not-leader");
    await settle(cluster);
    for (const node of cluster.nodes) expect(texts(node)).not.toContain("misplaced");
  });

  test("R03 what a cut-off leader accepted is lost once another is committed there", async () => {
    const cluster = await startedCluster(3);
    const old = leaderOf(cluster);
    cluster.network.partition([
      [old.number],
      cluster.nodes.filter((node) => node !== old).map((node) => node.number),
    ]);
    const lost = cluster.propose(old, "in the minority");
    await cluster.run(20);
    expect(cluster.fates.get(lost)).toBe("open");
    const replaced = (): boolean => ![undefined, old].includes(cluster.leader());
    await cluster.runUntil(replaced, 10_000, "another leader");
    const kept = cluster.propose(leaderOf(cluster), "in the majority");
    await cluster.runUntil(() => cluster.fates.get(kept) === "acknowledged", 5000, "the write");
    expect(cluster.fates.get(lost)).toBe("open");
    cluster.network.heal();
    await settle(cluster);
    expect(cluster.fates.get(lost)).toBe("leadership-lost");
    for (const node of cluster.nodes) expect(texts(node)).toEqual(["in the majority"]);
  });

  test("P01 all nodes lose power at once, and acknowledged writes are there after", async () => {
    const cluster = await startedCluster(3);
    const ids = Array.from({ length: 30 }, (_, n) => cluster.propose(leaderOf(cluster), `w${n}`));
    await cluster.run(60);
    const acknowledged = ids.filter((id) => cluster.fates.get(id) === "acknowledged").length;
    for (const node of cluster.nodes) cluster.crash(node, "power");
    await cluster.startAll();
    await settle(cluster);
    for (const node of cluster.nodes) {
      expect(texts(node).slice(0, acknowledged)).toEqual(
        Array.from({ length: acknowledged }, (_, n) => `w${n}`),
      );
    }
  });

  test("V12 after a stall a follower drains its inbox before it campaigns", async () => {
    const cluster = await startedCluster(3);
    const before = leaderOf(cluster).replica?.status();
    // One jump over three election timeouts: every timer is late and every heartbeat is still on
    // the way.
    cluster.clock.advance(3000);
    await cluster.run(3000);
    expect(leaderOf(cluster).replica?.status()).toMatchObject({ term: before?.term });
  });

  test("V06 a leader without its quorum steps down although proposals never stop", async () => {
    const cluster = await startedCluster(3);
    const leader = leaderOf(cluster);
    const others = cluster.nodes.filter((node) => node !== leader).map((node) => node.number);
    cluster.network.partition([[leader.number], others]);
    let steps = 0;
    const flood = (): void => {
      steps += 1;
      cluster.propose(leader, `flood ${steps}`);
      cluster.clock.after(1, flood);
    };
    flood();
    const isDeposed = (): boolean => leader.replica?.status().role !== "leader";
    await cluster.runUntil(isDeposed, 3000, "the leader gives up");
    expect(steps).toBeGreaterThan(500);
  });

  test("N08 a frame that is no message of this version is passed over", async () => {
    const cluster = await startedCluster(3);
    const follower = cluster.nodes.find((node) => node !== cluster.leader()) as SimulatedNode;
    cluster.network.node(99).send(follower.number, [new Uint8Array([200, 1, 2, 3])]);
    const id = cluster.propose(leaderOf(cluster), "unharmed");
    await settle(cluster);
    expect(cluster.fates.get(id)).toBe("acknowledged");
    expect(follower.fatal).toBeUndefined();
  });

  test("K09 a failed sync stops the node; nothing of that batch is acknowledged", async () => {
    const cluster = await startedCluster(1);
    const node = leaderOf(cluster);
    node.disk.plan({ operation: "sync", fault: "EIO", after: 0 });
    const id = cluster.propose(node, "never durable");
    await expect(cluster.run(500)).rejects.toThrowError(/EIO|sync|poison/i);
    expect(cluster.fates.get(id)).toBe("open");
    expect(texts(node)).toEqual([]);
  });

  test("K03 an acknowledged write survives although all lose what is unsynced", async () => {
    const cluster = await startedCluster(3);
    const id = cluster.propose(leaderOf(cluster), "kept");
    await cluster.runUntil(() => cluster.fates.get(id) === "acknowledged", 1000, "the write");
    for (const node of cluster.nodes) cluster.crash(node, "power");
    await cluster.startAll();
    await settle(cluster);
    for (const node of cluster.nodes) expect(texts(node)).toEqual(["kept"]);
  });
});

describe("random histories", () => {
  test("acknowledged writes are there exactly once, refused ones never", async () => {
    const name = "acknowledged writes are there exactly once, refused ones never";
    await runSeeds({ count: 60, name }, (seed) => runHistory(seed));
  }, 60_000);
});

interface Mistake {
  readonly name: string;
  readonly patches: readonly Patch[];
}

/** Seeds within which each mistake must show. */
const SEEDS_MAX = 60;

const MISTAKES: readonly Mistake[] = [
  {
    name: "messages leave before the persist that they wait for",
    patches: [{ file: "outbox.ts", from: "output.after > persistedSeq", to: "output.after < 0" }],
  },
  {
    name: "a write counts as durable before its sync has ended",
    patches: [
      {
        file: "durability.ts",
        from: "    this.#isSyncing = true;\n",
        to:
          "    this.#isSyncing = true;\n" +
          "    queueMicrotask(() => this.#done(this.#writtenSeq));\n",
      },
    ],
  },
  {
    name: "truncation is not written to the log",
    patches: [
      {
        file: "raft-log.ts",
        from: 'this.#wal.append(encodeLogRecord({ type: "truncate", from }));',
        to: "",
      },
    ],
  },
  {
    name: "term and vote are not written to the log",
    patches: [
      {
        file: "raft-log.ts",
        from:
          "this.#wal.append(" +
          'encodeLogRecord({ type: "hardState", hardState: change.hardState }));',
        to: "",
      },
    ],
  },
  {
    name: "what leadership takes with it is guessed when the term changes",
    patches: [
      {
        file: "driver.ts",
        from: "  #onRole(): void {\n",
        to: "  #onRole(): void {\n    this.#parts.proposals.giveUp();\n",
      },
      {
        file: "proposals.ts",
        from: "  committed(index: Index, term: Term): number {\n    const",
        to:
          "  giveUp(): void {\n    for (const list of this.#byIndex.values()) {\n" +
          "      for (const { id } of list) this.#fail(id, 'leadership-lost');\n    }\n  }\n" +
          "  committed(index: Index, term: Term): number {\n    const",
      },
    ],
  },
];

describe("planted mistakes", () => {
  test.each(MISTAKES)(
    "a random history finds that $name",
    async ({ patches }) => {
      const parts = await plantMistake<ReplicaParts>("replica", patches);
      for (let seed = 1; seed <= SEEDS_MAX; seed += 1) {
        try {
          await runHistory(seed, parts);
        } catch {
          // Found: any broken promise will do.
          return;
        }
      }
      expect.fail(`not found within ${SEEDS_MAX} seeds`);
    },
    60_000,
  );
});
