/**
 * SQL and keys behind one log. Method: both on one simulated disk; each result must come from the
 * machine whose command it was; a copy must bring both to another disk; after power cuts the one
 * behind is caught up while the one ahead passes over what it has.
 */
import { expect, test } from "vitest";
import {
  createLocalApplier,
  decodeKvAnswer,
  encodeEntry,
  finishInstall,
  openRaftLog,
} from "#replica";
import { scaled } from "../../support/seeds.ts";
import {
  applyJoint,
  COPY,
  COPY_AT,
  crashJoint,
  entryAt,
  finishLog,
  hex,
  LAST,
  openPair,
  placeCopy,
  playJoint,
  undisturbed,
} from "./joint-lab.ts";
import { freshDisk, worked } from "./support.ts";

test("each command is answered by its own machine, and both count every index", async () => {
  const pair = await openPair(freshDisk());
  const results = await applyJoint(pair, 1, 9);
  const texts = results.map((result) => Buffer.from(result ?? []).toString("latin1"));
  expect(texts[0]).toBe("[{}]");
  expect(texts[2]).toBe('[{"last_insert_id":3,"rows_affected":1}]');
  expect(decodeKvAnswer(results[1]!)).toEqual({ kind: "session", session: 2 });
  expect(decodeKvAnswer(results[3]!)).toMatchObject({ held: true, revision: 4 });
  expect(pair.sql.appliedIndex()).toBe(9);
  expect(pair.kv.appliedIndex()).toBe(9);
  const none = pair.joint.applyBatch([{ ...entryAt(12), index: 10, proposalId: 0 }]);
  expect(none).toEqual([null]);
});

test("a copy brings both, and one that is damaged changes neither", async () => {
  const { digest, copy } = await undisturbed();
  const disk = freshDisk();
  const pair = await openPair(disk);
  await applyJoint(pair, 1, 12);
  const before = hex(await pair.joint.digestLater());
  const damaged = [
    ["cut in its trailer", copy.slice(0, copy.length - 3)],
    ["without its trailer", copy.slice(0, copy.length - 32)],
    ["only SQL", copy.slice(0, 8192)],
    ["with a flipped bit in the keys", flipped(copy, copy.length - 100)],
    ["with a flipped bit in its trailer", flipped(copy, copy.length - 9)],
    ["with another first page", flipped(copy, 1)],
    ["empty", new Uint8Array(0)],
  ] as const;
  for (const [name, content] of damaged) {
    placeCopy(disk, content);
    const installing = worked(pair.kv, pair.joint.restore(COPY, COPY_AT));
    await expect(installing, name).rejects.toMatchObject({
      code: expect.stringMatching(/_INVALID$/),
    });
    expect(hex(await pair.joint.digestLater()), name).toBe(before);
  }
  placeCopy(disk, copy);
  await worked(pair.kv, pair.joint.restore(COPY, COPY_AT));
  expect(pair.joint.durableIndex()).toBe(COPY_AT);
  expect(disk.exists(COPY)).toBe(false);
  await worked(pair.kv, pair.joint.restore(COPY, COPY_AT));
  await finishLog(pair);
  expect(hex(await pair.joint.digestLater())).toBe(digest);
});

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = copy[at]! ^ 4;
  return copy;
}

test("while one is ahead, copies and digests wait for the other", async () => {
  const pair = await openPair(freshDisk());
  await applyJoint(pair, 1, 10);
  pair.sql.applyBatch([11, 12].map(entryAt));
  expect(pair.joint.appliedIndex()).toBe(10);
  expect(pair.joint.newestIndex()).toBe(12);
  const [digest, copy] = [pair.joint.digestLater(), pair.joint.snapshot("copies/out")];
  await applyJoint(pair, 11, 11);
  await applyJoint(pair, 12, 14);
  const other = await openPair(freshDisk());
  await applyJoint(other, 1, 14);
  expect(await worked(pair.kv, copy)).toBe(14);
  expect(hex(await digest)).toBe(hex(await other.joint.digestLater()));
});

test("a log that ends before the machine that is ahead is refused", async () => {
  const disk = freshDisk();
  const pair = await openPair(disk);
  await applyJoint(pair, 1, 4);
  pair.sql.applyBatch([entryAt(5)]);
  const { log } = openRaftLog({ disk, dir: "log" });
  const bytes = encodeEntry("noop", new Uint8Array(0));
  const entries = [1, 2, 3, 4].map((index) => ({ index, term: 1, bytes }));
  log.write({ hardState: { term: 1, vote: 0 }, entries });
  const applier = createLocalApplier({
    machine: pair.joint,
    schedule: (work) => work(),
    onResult: () => undefined,
    onFatal: () => undefined,
  });
  const options = { disk, dir: "snapshots", log, applier, appliedIndex: 4 };
  expect(await finishInstall(options)).toBe(4);
  const newestIndex = pair.joint.newestIndex();
  await expect(finishInstall({ ...options, newestIndex })).rejects.toMatchObject({
    code: "REPLICA_LOG_BEHIND",
  });
});

test("a copy that fails leaves nothing behind", async () => {
  const disk = freshDisk();
  const pair = await openPair(disk);
  await applyJoint(pair, 1, 14);
  disk.plan({ operation: "write", fault: "ENOSPC", after: 0, path: "kv-copies" });
  await expect(pair.joint.snapshot("copies/out")).rejects.toMatchObject({ code: "DISK_FULL" });
  expect([...disk.list("copies"), ...disk.list("kv-copies")]).toEqual([]);
  expect(await worked(pair.kv, pair.joint.snapshot("copies/out"))).toBe(14);
});

test("a power cut at any operation loses nothing that the log does not give again", {
  timeout: 300_000,
}, async () => {
  const story = await undisturbed();
  const disk = freshDisk();
  placeCopy(disk, story.copy);
  await playJoint(disk, { durable: 0 });
  expect(disk.operations).toBeGreaterThan(80);
  let runs = 0;
  for (let point = 0; point < disk.operations; point += 1) {
    for (let seed = 1; seed <= scaled(3); seed += 1) {
      const problem = await crashJoint(story, { point, seed });
      expect(problem, `power cut at ${point}, crash seed ${seed}`).toBeUndefined();
      runs += 1;
    }
  }
  console.log(`kv: ${runs} crash runs of both machines, to entry ${LAST}`);
});
