/**
 * Whether a node may serve reads as the leader. Method: the watch alone; roles and the fates of its
 * first reads are said by hand.
 */
import { expect, test } from "vitest";
import { CairnError } from "#base";
import type { Role } from "#raft/types";
import { createConfiguration } from "#replica";
import type { ReplicaStatus } from "#replica/types";
import { type LeadershipSource, watchLeadership } from "#server";

const CONFIGURATION = createConfiguration(
  ["a", "b", "c"].map((id, at) => ({ id, address: `${id}:1`, incarnation: `${at}` })),
);

/** A consensus thread of which only the role is seen. */
class Source implements LeadershipSource {
  readonly configuration = CONFIGURATION;
  readonly identity = { nodeId: "a", incarnation: "0" };
  latest: ReplicaStatus | undefined;
  #told: (status: ReplicaStatus) => void = () => undefined;

  onRole(f: (status: ReplicaStatus) => void): void {
    this.#told = f;
  }

  become(role: Role, term: number): void {
    const leader = role === "leader" ? 1 : 2;
    const places = { commitIndex: 0, appliedIndex: 0, durableIndex: 0, lastTerm: 0, logBytes: 0 };
    this.latest = {
      ...{ self: 1, role, term, leader, firstIndex: 1, lastIndex: 0, leaderSilenceMs: 0 },
      ...{ ...places, peers: [], epoch: 0, removed: false, transferringTo: 0, snapshots: [] },
      ...{ pendingBytes: 0, uncommittedBytes: 0, unappliedBytes: 0, pendingReads: 0 },
      configuration: { index: 1, sets: CONFIGURATION.sets },
      committedConfiguration: { index: 1, sets: CONFIGURATION.sets },
      lastDigest: undefined,
    };
    this.#told(this.latest);
  }
}

test("a leader is ready once its own term is confirmed, no other", async () => {
  const source = new Source();
  const barriers: (() => void)[] = [];
  const leadership = watchLeadership({
    consensus: source,
    confirm: () => new Promise<void>((resolve) => barriers.push(resolve)),
    onChange: () => undefined,
  });
  source.become("leader", 3);
  source.become("follower", 4);
  source.become("leader", 5);
  barriers[0]?.();
  await Promise.resolve();
  expect(leadership.isReady(), "by the barrier of term 3").toBe(false);
  barriers[1]?.();
  await leadership.ready();
  expect(leadership.isReady()).toBe(true);
  source.become("follower", 6);
  expect(leadership.isReady()).toBe(false);
});

test("a leader that was not confirmed in time tries again", async () => {
  const source = new Source();
  let barriers = 0;
  const leadership = watchLeadership({
    consensus: source,
    confirm: async () => {
      barriers += 1;
      if (barriers < 3) throw new CairnError("REPLICA_READ_FAILED", "no majority in time");
    },
    onChange: () => undefined,
  });
  source.become("leader", 3);
  await expect(leadership.ready()).rejects.toMatchObject({ code: "REPLICA_READ_FAILED" });
  await expect.poll(() => leadership.isReady()).toBe(true);
  await leadership.ready();
});
