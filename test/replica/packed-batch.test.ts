/**
 * Entries reach the state machine's thread as they were submitted. Method: seeded random batches
 * are packed and unpacked, also through a real port; packed bytes are cut at every place.
 */
import { describe, expect, test } from "vitest";
import { createPortPair, seededRandom, wrapPort } from "#platform";
import { type AppliedNotice, createPortApplier, packEntries, unpackEntries } from "#replica";
import type { CommittedEntry, EntryKind } from "#replica/types";

const KINDS: readonly EntryKind[] = ["noop", "configuration", "command"];
const SEEDS = [1, 2, 3, 4, 5];

function randomEntries(seed: number): CommittedEntry[] {
  const random = seededRandom(seed);
  return Array.from({ length: random.below(40) }, (_, at) => ({
    index: 2 ** 40 + at,
    term: random.below(2 ** 32),
    kind: KINDS[random.below(KINDS.length)]!,
    timeMs: 1_700_000_000_000 + random.below(2 ** 31),
    seed: new DataView(random.bytes(8).buffer).getBigUint64(0),
    payload: random.bytes(random.below(300)),
    proposalId: random.below(2) * random.below(2 ** 32),
  }));
}

describe("packed entries", () => {
  test.each(SEEDS)("come back equal (seed %i)", (seed) => {
    const entries = randomEntries(seed);
    expect(unpackEntries(packEntries(entries))).toEqual(entries);
  });

  test("keep the extremes of every field", () => {
    const entry: CommittedEntry = {
      index: Number.MAX_SAFE_INTEGER,
      term: Number.MAX_SAFE_INTEGER,
      kind: "command",
      timeMs: Number.MAX_SAFE_INTEGER,
      seed: 2n ** 64n - 1n,
      payload: new Uint8Array(0),
      proposalId: Number.MAX_SAFE_INTEGER,
    };
    expect(unpackEntries(packEntries([entry]))).toEqual([entry]);
  });

  test("are not copied when unpacked", () => {
    const packed = packEntries(randomEntries(1));
    for (const { payload } of unpackEntries(packed)) expect(payload.buffer).toBe(packed.buffer);
  });

  test("cut between two entries are the entries before; cut anywhere else they are refused", () => {
    const entries = randomEntries(7);
    const packed = packEntries(entries);
    const ends = new Map(entries.map((_, n) => [packEntries(entries.slice(0, n)).length, n]));
    expect(entries.length).toBeGreaterThan(2);
    for (let cut = 0; cut < packed.length; cut += 1) {
      const whole = ends.get(cut);
      const unpack = () => unpackEntries(packed.subarray(0, cut));
      if (whole === undefined) expect(unpack, `cut at ${cut}`).toThrow(/packed entry/);
      else expect(unpack()).toEqual(entries.slice(0, whole));
    }
  });

  test("of a kind that does not exist are refused", () => {
    const packed = packEntries(randomEntries(1).slice(0, 1));
    packed[44] = 0;
    expect(() => unpackEntries(packed)).toThrow(/known kind/);
  });
});

test("a port applier delivers batches in order and hears what was applied", async () => {
  const [near, far] = createPortPair();
  const applier = createPortApplier(near);
  const machine = wrapPort<AppliedNotice, Uint8Array>(far);
  const entries = SEEDS.flatMap(randomEntries);
  const applied: number[][] = [];
  const done = new Promise<void>((resolve) => {
    applier.onApplied((appliedIndex, durableIndex) => {
      applied.push([appliedIndex, durableIndex]);
      if (appliedIndex === SEEDS.length) resolve();
    });
  });
  const received: CommittedEntry[] = [];
  let batches = 0;
  machine.onMessage((batch) => {
    received.push(...unpackEntries(batch));
    batches += 1;
    machine.post({ appliedIndex: batches, durableIndex: batches - 1 });
  });
  applier.submit([]);
  for (const seed of SEEDS) applier.submit(randomEntries(seed));
  await done;
  machine.close();
  expect(received).toEqual(entries);
  expect(applied).toEqual(SEEDS.map((_, n) => [n + 1, n]));
});
