/**
 * A state machine that is slow, or stands still: proposers hear of it before memory grows.
 *
 * Method: one real replica with an applier that applies nothing until it is told to.
 */
import { expect, test } from "vitest";
import {
  createSimulatedClock,
  createSimulatedDisk,
  createSimulatedNetwork,
  seededRandom,
} from "#platform";
import {
  createConfiguration,
  createReplica,
  encodeConfiguration,
  encodeEntry,
  openRaftLog,
} from "#replica";
import type { Applier, CommittedEntry } from "#replica/types";

const KIB = 1024;

test("F04 what is accepted and not applied stays under its limit", async () => {
  const clock = createSimulatedClock();
  const disk = createSimulatedDisk({ clock });
  const configuration = createConfiguration([{ id: "a", address: "a:1", incarnation: "1" }]);
  const { log } = openRaftLog({ disk, dir: "/log" });
  const bytes = encodeEntry("configuration", encodeConfiguration(configuration));
  log.write({ hardState: { term: 1, vote: 0 }, entries: [{ index: 1, term: 1, bytes }] });
  let held: CommittedEntry[] = [];
  let tell: (applied: number, durable: number) => void = () => undefined;
  const applier: Applier = {
    submit: (entries) => void held.push(...entries),
    onApplied: (f) => {
      tell = f;
    },
    makeSnapshot: () => Promise.reject(new Error("no copies here")),
    install: () => Promise.reject(new Error("nothing is installed here")),
    digestAt: () => Promise.resolve(undefined),
  };
  const replica = createReplica({
    ...{ self: 1, configuration, log, clock, applier, appliedIndex: 0, disk, snapshotDir: "/s" },
    net: createSimulatedNetwork({ clock, seed: 1 }).node(1),
    random: seededRandom(1),
    pendingBytesMax: 64 * KIB,
    onFatal: (error) => expect.fail(error.message),
  });
  const refused: number[] = [];
  replica.onFailure((id, failure) => {
    expect(failure).toBe("busy");
    refused.push(id);
  });
  const run = async (): Promise<void> => {
    for (let turn = 0; turn < 50; turn += 1) {
      clock.advance(5);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await run();
  const entry = (): Uint8Array => encodeEntry("command", new Uint8Array(4 * KIB));
  for (let id = 1; id <= 100; id += 1) {
    replica.propose(id, entry());
    await run();
  }
  expect(refused.length).toBe(85);
  expect(replica.status().pendingBytes).toBeLessThanOrEqual(64 * KIB);
  expect(held.reduce((sum, { payload }) => sum + payload.length, 0)).toBeLessThanOrEqual(64 * KIB);

  // It moves again: what was accepted is applied, and there is room.
  for (let applied = 0; applied !== replica.status().lastIndex; ) {
    applied = held.at(-1)?.index ?? applied;
    held = [];
    tell(applied, applied);
    await run();
  }
  expect(replica.status().pendingBytes).toBe(0);
  refused.length = 0;
  replica.propose(101, entry());
  await run();
  expect(refused).toEqual([]);
  expect(held.some(({ proposalId }) => proposalId === 101)).toBe(true);
  await replica.close();
});
