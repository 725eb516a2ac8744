/**
 * Mistakes planted in a copy of the driver, each with the scenario that must find it.
 *
 * Method: the same scenarios pass on the sound copy, and fail on the one with the mistake.
 */
import { describe, expect, test } from "vitest";
import type { ReplicaOptions } from "#replica/types";
import { type Patch, plantMistake } from "../support/plant.ts";
import { settle, texts } from "./histories.ts";
import { type ReplicaParts, SimulatedCluster, type SimulatedNode } from "./simulated-cluster.ts";

type Scenario = (parts?: ReplicaParts) => Promise<void>;

async function started(
  parts: ReplicaParts | undefined,
  options: Partial<ReplicaOptions> = {},
  delays: { syncDelayMs?: number; applyDelayMs?: number } = {},
): Promise<SimulatedCluster> {
  const cluster = new SimulatedCluster({
    ...{ size: 3, seed: 6, ...delays },
    ...(parts === undefined ? {} : { parts }),
    options: { logKeepBytesMax: 8 * 1024, snapshotChunkBytesMax: 2048, ...options },
  });
  await cluster.startAll();
  await cluster.runUntil(() => cluster.leader() !== undefined, 10_000, "a leader");
  await cluster.write(8, 20);
  await settle(cluster);
  return cluster;
}

function followerOf(cluster: SimulatedCluster): SimulatedNode {
  const [follower] = cluster.followers();
  if (follower === undefined) throw new Error("no follower");
  return follower;
}

/** Cuts a follower off until it needs a snapshot, and lets it back. */
async function outrun(cluster: SimulatedCluster): Promise<SimulatedNode> {
  const away = followerOf(cluster);
  cluster.isolate(away);
  const last = away.replica?.status().lastIndex ?? 0;
  for (let round = 0; round < 40; round += 1) {
    await cluster.write(20);
    await cluster.run(600);
    if ((cluster.mustLead().replica?.status().firstIndex ?? 0) > last + 1) break;
  }
  cluster.network.heal();
  return away;
}

const catchUpBySnapshot: Scenario = async (parts) => {
  const cluster = await started(parts);
  const away = await outrun(cluster);
  await settle(cluster);
  expect(away.replica?.status().firstIndex, "by a snapshot").toBeGreaterThan(10);
  await cluster.write(5);
  await settle(cluster);
  expect(texts(away)).toEqual(texts(cluster.mustLead()));
};

/** Power fails while the disk is slow: what is installed must not be ahead of what is synced. */
const crashWhileSyncing: Scenario = async (parts) => {
  for (let afterMs = 0; afterMs < 400; afterMs += 10) {
    const cluster = await started(parts, {}, { syncDelayMs: 30 });
    const away = await outrun(cluster);
    await cluster.run(afterMs);
    cluster.crash(away, "power");
    await cluster.start(away);
    await settle(cluster);
    expect(texts(away), `after ${afterMs} ms`).toEqual(texts(cluster.mustLead()));
  }
};

/** Power fails as soon as the copy is in place of nothing yet, while the disk is slow. */
const crashWhileInstalling: Scenario = async (parts) => {
  for (let point = 0; point < 40; point += 1) {
    const cluster = await started(parts);
    const away = await outrun(cluster);
    away.disk.cutPowerAt(away.disk.operations + point);
    await cluster.run(1500).catch(() => undefined);
    cluster.crash(away, "power");
    away.fatal = undefined;
    await cluster.start(away);
    const { firstIndex = 0 } = away.replica?.status() ?? {};
    expect(away.applier.appliedIndex, `point ${point}`).toBeGreaterThanOrEqual(firstIndex - 1);
    await settle(cluster);
    expect(texts(away), `point ${point}`).toEqual(texts(cluster.mustLead()));
  }
};

const damagedCopy: Scenario = async (parts) => {
  const cluster = await started(parts, { snapshotBytesPerSecond: 32 * 1024 });
  const leader = cluster.mustLead();
  const away = await outrun(cluster);
  const isUnderWay = (): boolean => (away.replica?.status().snapshots.length ?? 0) > 0;
  await cluster.runUntil(isUnderWay, 5000, "the first chunk");
  const [name = ""] = leader.disk.list("/snapshots");
  const { length } = leader.disk.content(`/snapshots/${name}`);
  leader.disk.flipBit(`/snapshots/${name}`, length - 40, 0);
  await cluster.run(4000);
  expect(away.applier.appliedIndex, "nothing damaged is installed").toBeLessThan(20);
};

const rolledBackChange: Scenario = async (parts) => {
  const cluster = await started(parts);
  const leader = cluster.mustLead();
  cluster.isolate(leader);
  const member = { id: "n4", address: "h:4", incarnation: "4" };
  leader.replica?.change({ kind: "add", member, voter: false }).catch(() => undefined);
  const isReplaced = (): boolean => ![undefined, leader].includes(cluster.leader());
  await cluster.runUntil(isReplaced, 10_000, "another leader");
  await cluster.write(3);
  cluster.network.heal();
  await settle(cluster);
  expect(leader.replica?.configuration.members).toHaveLength(3);
};

const readOnFollower: Scenario = async (parts) => {
  const cluster = await started(parts, {}, { applyDelayMs: 25 });
  for (let round = 1; round <= 30; round += 1) {
    const committed = (): number => cluster.mustLead().replica?.status().commitIndex ?? 0;
    const before = committed();
    cluster.propose(cluster.mustLead(), `w${round}`);
    // Committed and on its way into the state machines, which take their time.
    await cluster.runUntil(() => committed() > before, 5000, "the commit");
    const commitIndex = committed();
    const follower = followerOf(cluster);
    follower.replica?.read(round, "index");
    await cluster.runUntil(() => follower.reads.has(round), 5000, "the read");
    expect(follower.applier.appliedIndex).toBeGreaterThanOrEqual(commitIndex);
  }
};

const promotion: Scenario = async (parts) => {
  const cluster = await started(parts);
  const member = { id: "n4", address: "h:4", incarnation: "4" };
  const change = cluster.mustLead().replica?.change({ kind: "add", member, voter: true });
  const configuration = await cluster.settled(change ?? Promise.reject(new Error("down")));
  expect(configuration.members.at(-1)?.number).toBe(4);
  await cluster.run(3000);
  const voters = (): readonly number[] =>
    cluster.mustLead().replica?.status().committedConfiguration.sets.voters ?? [];
  expect(voters(), "it has answered nothing yet").toEqual([1, 2, 3]);
  await cluster.join(4);
  await cluster.runUntil(() => voters().includes(4), 20_000, "it votes");
};

const comparison: Scenario = async (parts) => {
  const cluster = await started(parts);
  const follower = followerOf(cluster);
  const diverged: number[] = [];
  for (const node of cluster.nodes) node.replica?.onDiverged(() => diverged.push(node.number));
  const check = async (): Promise<void> => {
    const { replica } = cluster.mustLead();
    await cluster.settled(replica?.checkDigest() ?? Promise.reject(new Error("down")), 60_000);
    await cluster.run(100);
  };
  await check();
  expect(diverged).toEqual([]);
  follower.applier.commands = follower.applier.commands.slice(1);
  await check();
  expect(diverged).toEqual([follower.number]);
};

const safeLog: Scenario = async (parts) => {
  const cluster = await started(parts);
  await cluster.write(60);
  for (let round = 0; round < 20; round += 1) {
    await cluster.write(1);
    await cluster.run(550);
    for (const { replica, applier } of cluster.nodes) {
      const { firstIndex = 0 } = replica?.status() ?? {};
      expect(firstIndex).toBeLessThanOrEqual(applier.durableIndex + 1);
    }
  }
};

interface Mistake {
  readonly name: string;
  readonly finds: Scenario;
  readonly patches: readonly Patch[];
}

const MISTAKES: readonly Mistake[] = [
  {
    name: "entries on the way to the state machine are handed out behind a snapshot",
    finds: catchUpBySnapshot,
    patches: [{ file: "driver.ts", from: "feed.skipTo(output.reset.index);", to: "" }],
  },
  {
    name: "a copy is installed before the log's reset to it is durable",
    finds: crashWhileSyncing,
    patches: [
      { file: "snapshot-driver.ts", from: "after <= seq", to: "after >= 0" },
      { file: "snapshot-driver.ts", from: "after > seq", to: "after < 0" },
    ],
  },
  {
    name: "the file that a reset needs is removed at start",
    finds: crashWhileInstalling,
    patches: [{ file: "snapshot-files.ts", from: "!(isBehind && path === needed)", to: "true" }],
  },
  {
    name: "an interrupted installation is not finished",
    finds: crashWhileInstalling,
    patches: [
      {
        file: "snapshot-files.ts",
        from: "if (!isBehind) return",
        to: "if (isBehind || !isBehind) return",
      },
    ],
  },
  {
    name: "the file is not synced before it counts as complete",
    finds: crashWhileInstalling,
    patches: [{ file: "snapshot-receiver.ts", from: "await file.syncAsync();", to: "" }],
  },
  {
    name: "the name of the file is not made durable",
    finds: crashWhileInstalling,
    patches: [{ file: "snapshot-receiver.ts", from: "disk.syncDir(directoryOf(path));", to: "" }],
  },
  {
    name: "the checksum of the whole is not compared",
    finds: damagedCopy,
    patches: [{ file: "snapshot-receiver.ts", from: "checksum === fileChecksum", to: "true" }],
  },
  {
    name: "a configuration outlives the entry that held it",
    finds: rolledBackChange,
    patches: [
      { file: "configuration-history.ts", from: "({ index }) => index < from", to: "() => true" },
    ],
  },
  {
    name: "a read is answered before the state machine is that far",
    finds: readOnFollower,
    patches: [
      { file: "read-table.ts", from: "this.applied(applied);", to: "this.applied(output.index);" },
    ],
  },
  {
    name: "learners that wait for their vote are forgotten",
    finds: promotion,
    patches: [{ file: "changes.ts", from: "if (ready.length === 0) return;", to: "return;" }],
  },
  {
    name: "a number is given twice",
    finds: promotion,
    patches: [
      {
        file: "membership-plan.ts",
        from: "const number = target.nextNumber;",
        to: "const number = 3;",
      },
    ],
  },
  {
    name: "the minority is believed",
    finds: comparison,
    patches: [
      {
        file: "digest-check.ts",
        from: "count * 2 > voters.length",
        to: "count * 2 < voters.length",
      },
    ],
  },
  {
    name: "a digest is taken behind the entry, not at it",
    finds: comparison,
    patches: [
      { file: "digest-check.ts", from: "digestAt(entry.index)", to: "digestAt(entry.index + 1)" },
    ],
  },
  {
    name: "the log is shortened beyond what the state machine has made durable",
    finds: safeLog,
    patches: [
      {
        file: "compaction.ts",
        from: "this.compactTo, durable, copiedUpTo",
        to: "this.compactTo",
      },
    ],
  },
];

describe("on the sound driver", () => {
  const scenarios = [...new Set(MISTAKES.map(({ finds }) => finds))];
  test.each(scenarios.map((scenario, at) => [at, scenario] as const))(
    "scenario %i passes",
    async (_, scenario) => {
      await scenario();
    },
    60_000,
  );
});

describe("planted mistakes", () => {
  test.each(MISTAKES)(
    "$name",
    async ({ finds, patches }) => {
      const parts = await plantMistake<ReplicaParts>("replica", patches);
      await expect(finds(parts)).rejects.toThrow();
    },
    60_000,
  );
});
