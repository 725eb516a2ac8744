/**
 * The recording of a core's inputs: fed to another core it gives what it gave.
 *
 * Method: recordings of real replicas in a cluster that is disturbed; a recording of a core that
 * has died of a broken invariant dies of the same in its replay.
 */
import { expect, test } from "vitest";
import { decodeInputs, replayInputs } from "#replica";
import { settle } from "./histories.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";

async function disturbed(): Promise<SimulatedCluster> {
  const cluster = new SimulatedCluster({ size: 3, seed: 4, syncDelayMs: 7 });
  await cluster.startAll();
  await cluster.runUntil(() => cluster.leader() !== undefined, 10_000, "a leader");
  await cluster.write(20);
  cluster.isolate(cluster.mustLead());
  await cluster.run(4000);
  cluster.network.heal();
  await settle(cluster);
  return cluster;
}

test("a replay ends where the core has ended, with the outputs it had", async () => {
  const cluster = await disturbed();
  for (const { replica } of cluster.nodes) {
    const recording = decodeInputs(replica?.recordedInputs() ?? new Uint8Array());
    expect(recording.dropped).toBe(0);
    let steps = 0;
    let commit = 0;
    let lastRole = "";
    replayInputs(recording, (_, outputs) => {
      steps += 1;
      for (const output of outputs) {
        if (output.kind === "apply") commit = output.to;
        if (output.kind === "role") lastRole = `${output.role} ${output.term} ${output.leader}`;
      }
    });
    const status = replica?.status();
    expect(steps).toBe(recording.inputs.length);
    expect(commit).toBe(status?.commitIndex);
    expect(lastRole).toBe(`${status?.role} ${status?.term} ${status?.leader}`);
  }
});

test("what a broken core died of comes back in the replay", async () => {
  const cluster = await disturbed();
  const { replica } = cluster.mustLead();
  const recording = decodeInputs(replica?.recordedInputs() ?? new Uint8Array());
  const { now } = recording.inputs.at(-1) ?? { now: 0 };
  const broken = { now, input: { kind: "persisted", seq: 1e9 } } as const;
  const spoilt = { ...recording, inputs: [...recording.inputs, broken] };
  let steps = 0;
  expect(() => replayInputs(spoilt, () => (steps += 1))).toThrowError(/raft/);
  expect(steps).toBe(recording.inputs.length);
});

test("a recording whose beginning is gone, and one that is none, are refused", async () => {
  const cluster = await disturbed();
  const bytes = cluster.mustLead().replica?.recordedInputs() ?? new Uint8Array();
  const recording = { ...decodeInputs(bytes), dropped: 3 };
  expect(() => replayInputs(recording, () => undefined)).toThrowError(/3 inputs/);
  for (const bad of ["", "{}", '{"inputs":[]}']) {
    expect(() => decodeInputs(new TextEncoder().encode(bad))).toThrowError(
      expect.objectContaining({ code: "BYTES_MALFORMED" }),
    );
  }
});
