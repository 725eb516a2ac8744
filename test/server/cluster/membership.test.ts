/**
 * Nodes join a running cluster, move, are wiped, are removed, hand over. Method: real nodes in this
 * process; what they say of themselves is waited for.
 */
import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import type { RunningNode } from "#server/types";
import { freePort, waitUntil } from "../../support/processes.ts";
import { execute, type NodeYard, openYard, rows, storeOf, waitForMembers } from "./nodes.ts";

/** Nodes open in a moment, but not on a machine with twenty other things to do. */
const TIMEOUT_MS = 180_000;
const CALL = { timeoutMs: 10_000 };

/** A cluster of one, with a table in it. */
async function founder(yard: NodeYard): Promise<RunningNode> {
  const node = await yard.start("a");
  await node.joined;
  await waitUntil("a leader", () => node.service.isLeader() || undefined);
  await execute(node, "CREATE TABLE t (v)");
  await execute(node, "INSERT INTO t VALUES (1)");
  return node;
}

const joining = (node: RunningNode): string[] => ["-join", node.raftAddress];

function countOf(node: RunningNode, map: string, name: string): number | undefined {
  return node.service.counters.all()[map]?.[name];
}

test(
  "a node joins through a follower, gets its vote, and has all data; a non-voter never votes",
  async () => {
    const yard = openYard();
    const first = await founder(yard);
    const second = await yard.start("b", { flags: joining(first) });
    await second.joined;
    await waitForMembers(first, "a voter, b voter");
    const third = await yard.start("c", { flags: joining(second) });
    await third.joined;
    const copy = await yard.start("d", { flags: [...joining(second), "-raft-non-voter"] });
    await copy.joined;
    await waitForMembers(first, "a voter, b voter, c voter, d nonvoter");
    expect(await rows(third, "SELECT v FROM t", "linearizable")).toEqual([[1]]);
    expect(countOf(second, "cluster", "num_join_req")).toBe(2);
    expect(countOf(first, "store", "num_joins")).toBe(3);
    const voters = await first.service.nodes({ ...CALL, nonVoters: false });
    expect(voters.map(({ id }) => id)).toEqual(["a", "b", "c"]);
    const all = await first.service.nodes({ ...CALL, nonVoters: true });
    expect(all.map(({ id, voter }) => [id, voter])).toContainEqual(["d", false]);
    // What a non-voter reads at level auto it reads at home; and it confirms reads like any other.
    await execute(copy, "INSERT INTO t VALUES (2)");
    expect(await rows(copy, "SELECT v FROM t", "linearizable")).toEqual([[1], [2]]);
    expect(await rows(copy, "SELECT v FROM t", "auto")).toEqual([[1], [2]]);
    const { raft } = await storeOf(copy);
    expect(raft).toMatchObject({ state: "Follower", voter: false });
  },
  TIMEOUT_MS,
);

test(
  "a member comes back at another address; one that has not moved is ignored",
  async () => {
    const yard = openYard();
    const first = await founder(yard);
    const port = await freePort();
    let second = await yard.start("b", { flags: joining(first), port });
    await second.joined;
    await waitForMembers(first, "a voter, b voter");
    await yard.stop(second);
    second = await yard.start("b", { flags: joining(first) });
    await second.joined;
    expect((await storeOf(first)).nodes[1]).toMatchObject({ id: "b", addr: second.raftAddress });
    // Whoever leads by then has counted it.
    const counted = (name: string): number =>
      [first, second].reduce((sum, node) => sum + (countOf(node, "store", name) ?? 0), 0);
    expect(counted("num_removed_before_joins")).toBe(1);
    const movedTo = Number(second.raftAddress.split(":")[1]);
    await yard.stop(second);
    second = await yard.start("b", { flags: joining(first), port: movedTo });
    await second.joined;
    expect(counted("num_ignored_joins")).toBe(1);
    expect(await rows(second, "SELECT v FROM t", "linearizable")).toEqual([[1]]);
  },
  TIMEOUT_MS,
);

test(
  "a member whose data directory was lost takes its old place, under its old name",
  async () => {
    const yard = openYard();
    const first = await founder(yard);
    const port = await freePort();
    let second = await yard.start("b", { flags: joining(first), port });
    await second.joined;
    // Its replacement needs a majority without it.
    const third = await yard.start("c", { flags: joining(first) });
    await third.joined;
    await waitForMembers(first, "a voter, b voter, c voter");
    await yard.stop(second);
    await execute(first, "INSERT INTO t VALUES (2)");
    rmSync(yard.dataDir("b"), { recursive: true });
    second = await yard.start("b", { flags: joining(third), port });
    await second.joined;
    await waitForMembers(first, "a voter, c voter, b voter");
    expect(await rows(second, "SELECT v FROM t", "linearizable")).toEqual([[1], [2]]);
  },
  TIMEOUT_MS,
);

test(
  "a removed node says so, serves nobody, and can join again; the last voter stays",
  async () => {
    const yard = openYard();
    const first = await founder(yard);
    const refused = first.service.removeNode("a", CALL);
    await expect(refused).rejects.toMatchObject({ code: "SERVER_MEMBERSHIP_REFUSED" });
    let second = await yard.start("b", { flags: [...joining(first), "-raft-remove-shutdown"] });
    await second.joined;
    await waitForMembers(first, "a voter, b voter");
    await first.service.removeNode("nobody", CALL);
    await second.service.removeNode("b", CALL);
    await waitForMembers(first, "a voter");
    await execute(first, "INSERT INTO t VALUES (2)");
    await waitUntil("b is out", async () => (await storeOf(second)).raft["removed"] || undefined);
    expect((await storeOf(second)).raft["state"]).toBe("Shutdown");
    const read = rows(second, "SELECT v FROM t", "weak");
    await expect(read).rejects.toMatchObject({ code: "SERVER_NO_LEADER" });
    const { ready } = await second.service.readiness({ ...CALL, noLeader: false, sync: false });
    expect(ready).toBe(false);
    await yard.stop(second);
    second = await yard.start("b", { flags: joining(first) });
    await second.joined;
    await waitForMembers(first, "a voter, b voter");
    expect(await rows(second, "SELECT v FROM t", "linearizable")).toEqual([[1], [2]]);
  },
  TIMEOUT_MS,
);

test(
  "a leader hands over to the node that is named, and before it stops; one removes itself",
  async () => {
    const yard = openYard();
    const first = await founder(yard);
    const second = await yard.start("b", { flags: joining(first) });
    await second.joined;
    const third = await yard.start("c", {
      flags: [...joining(first), "-raft-cluster-remove-shutdown"],
    });
    await third.joined;
    await waitForMembers(first, "a voter, b voter, c voter");
    await second.service.stepDown({ target: "c", wait: true }, CALL);
    await waitUntil("c leads", () => third.service.isLeader() || undefined);
    const same = first.service.stepDown({ target: "c", wait: true }, CALL);
    await expect(same).rejects.toMatchObject({ message: /current Leader/ });
    const unknown = first.service.stepDown({ target: "x", wait: true }, CALL);
    await expect(unknown).rejects.toMatchObject({ message: /not found in cluster/ });
    await yard.stop(third);
    await waitForMembers(first, "a voter, b voter");
    const leader = await waitUntil("another leader", () =>
      [first, second].find(({ service }) => service.isLeader()),
    );
    const other = leader === first ? second : first;
    const startedAt = performance.now();
    await yard.stop(leader);
    await waitUntil("the other knows", () => other.service.isLeader() || undefined);
    expect(performance.now() - startedAt, "no election by silence").toBeLessThan(10_000);
  },
  TIMEOUT_MS,
);

test(
  "members that are silent for too long are removed by the leader",
  async () => {
    const yard = openYard();
    const reaping = ["-raft-reap-read-only-node-timeout", "1500ms"];
    const first = await yard.start("a", { flags: reaping });
    await first.joined;
    const copy = await yard.start("d", { flags: [...joining(first), "-raft-non-voter"] });
    await copy.joined;
    await waitForMembers(first, "a voter, d nonvoter");
    await yard.stop(copy);
    await waitForMembers(first, "a voter");
    await waitUntil("it is counted", () => {
      return countOf(first, "store", "nodes_reaped_ok") === 1 || undefined;
    });
  },
  TIMEOUT_MS,
);

test(
  "a copy without a cluster, and a lone node that would join another cluster, are refused",
  async () => {
    const yard = openYard();
    const first = await founder(yard);
    const copy = await yard.start("d", { flags: ["-raft-non-voter"] });
    await expect(copy.joined).rejects.toMatchObject({
      code: "SERVER_JOIN_FAILED",
      message: "cannot create a new non-voting node without joining it to an existing cluster",
    });
    let lone = await yard.start("z");
    await lone.joined;
    await yard.stop(lone);
    lone = await yard.start("z", { flags: joining(first) });
    await expect(lone.joined).rejects.toMatchObject({ message: /single-node cluster/ });
    const wrong = await yard.start("w", { flags: ["-join", first.httpAddress] });
    await expect(wrong.joined).rejects.toMatchObject({ message: /serving HTTP/ });
  },
  TIMEOUT_MS,
);
