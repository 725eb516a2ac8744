/**
 * A long log on its way into the state machine. Method: a replica of one starts on a log that its
 * state machine has not seen; what lies between the two is counted.
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

const MIB = 1024 * 1024;
const ENTRIES = 24;

test("large entries of a long log do not pile up before the state machine", async () => {
  const clock = createSimulatedClock();
  const configuration = createConfiguration([{ id: "a", address: "a:1", incarnation: "1" }]);
  const disk = createSimulatedDisk({ clock });
  const written = openRaftLog({ disk, dir: "/log" }).log;
  const first = encodeEntry("configuration", encodeConfiguration(configuration));
  written.write({
    hardState: { term: 1, vote: 0 },
    entries: [{ index: 1, term: 1, bytes: first }],
  });
  for (let index = 2; index <= ENTRIES; index += 1) {
    const bytes = encodeEntry("command", new Uint8Array(MIB));
    written.write({ entries: [{ index, term: 1, bytes }] });
  }
  written.syncNow();

  const { log } = openRaftLog({ disk: disk.kill(), dir: "/log" });
  let waitingBytes = 0;
  let waitingBytesMax = 0;
  let tell: (applied: number, durable: number) => void = () => undefined;
  let applied = 0;
  const applier: Applier = {
    submit: (entries: readonly CommittedEntry[]) => {
      for (const { payload } of entries) waitingBytes += payload.length;
      waitingBytesMax = Math.max(waitingBytesMax, waitingBytes);
      clock.after(10, () => {
        for (const { payload } of entries) waitingBytes -= payload.length;
        applied = entries.at(-1)?.index ?? applied;
        tell(applied, 0);
      });
    },
    onApplied: (f) => {
      tell = f;
    },
    makeSnapshot: () => Promise.reject(new Error("nobody asks for a copy here")),
    install: () => Promise.reject(new Error("nothing is installed here")),
    digestAt: () => Promise.resolve(undefined),
  };
  const replica = createReplica({
    ...{ self: 1, configuration, log, clock, applier, appliedIndex: 0 },
    ...{ net: createSimulatedNetwork({ clock, seed: 1 }).node(1), disk, snapshotDir: "/snapshots" },
    random: seededRandom(1),
    onFatal: (error) => expect.fail(error.message),
  });
  for (let turn = 0; turn < 300 && applied < ENTRIES; turn += 1) {
    clock.advance(10);
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(applied).toBeGreaterThanOrEqual(ENTRIES);
  expect(waitingBytesMax).toBeLessThanOrEqual(5 * MIB);
  await replica.close();
});
