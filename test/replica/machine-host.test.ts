/**
 * What a host does between two batches, on one thread. Method: a machine that only counts, whose
 * batches end now or later as the test says; what is asked for is checked against the index at
 * which the machine was asked.
 */
import { describe, expect, test } from "vitest";
import { createLocalApplier, createMachineHost, type HostedMachine, type Results } from "#replica";
import type { CommittedEntry } from "#replica/types";

const entryAt = (index: number, bytes = 1): CommittedEntry => ({
  index,
  term: 1,
  kind: "command",
  timeMs: 0,
  seed: 0n,
  payload: new Uint8Array(bytes),
  proposalId: index,
});

const entries = (from: number, to: number): CommittedEntry[] =>
  Array.from({ length: to - from + 1 }, (_, at) => entryAt(from + at));

/** Remembers at which index it was asked for what. */
class Counting implements HostedMachine {
  readonly batches: number[][] = [];
  readonly copies: { path: string; index: number }[] = [];
  isLater = false;
  failAt = 0;
  #index = 0;

  applyBatch(batch: readonly CommittedEntry[]): Results | Promise<Results> {
    const apply = (): Results => {
      if (batch.some(({ index }) => index === this.failAt)) throw new Error("engine failed");
      this.batches.push(batch.map(({ index }) => index));
      this.#index = batch.at(-1)?.index ?? this.#index;
      return batch.map(({ index }) => Uint8Array.of(index));
    };
    return this.isLater ? Promise.resolve().then(apply) : apply();
  }
  appliedIndex(): number {
    return this.#index;
  }
  durableIndex(): number {
    return this.#index;
  }
  digestLater(): Promise<Uint8Array> {
    return Promise.resolve(Uint8Array.of(this.#index));
  }
  async snapshot(path: string): Promise<number> {
    const index = this.#index;
    this.copies.push({ path, index });
    return index;
  }
  restore(path: string, index: number): void {
    if (path === "bad") throw new Error("no copy");
    this.#index = index;
  }
}

interface Scene {
  readonly machine: Counting;
  readonly host: ReturnType<typeof createMachineHost>;
  readonly results: number[];
  readonly fatal: unknown[];
}

function scene(options: { entriesMax?: number; bytesMax?: number } = {}): Scene {
  const machine = new Counting();
  const results: number[] = [];
  const fatal: unknown[] = [];
  const host = createMachineHost({
    machine,
    onResults: (batch) => results.push(...batch.map(({ index }) => index)),
    onInstalled: () => results.push(-machine.appliedIndex()),
    onFatal: (error) => fatal.push(error),
    batchEntriesMax: options.entriesMax ?? 10,
    batchBytesMax: options.bytesMax ?? 100,
  });
  return { machine, host, results, fatal };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe.each([false, true])("a machine that answers later: %s", (isLater) => {
  test("batches keep order and both limits; one larger entry goes alone", async () => {
    const { machine, host, results } = scene();
    machine.isLater = isLater;
    host.queue([...entries(1, 12), entryAt(13, 500), ...entries(14, 15)]);
    host.pump();
    await settled();
    expect(machine.batches.map((batch) => batch.length)).toEqual([10, 2, 1, 2]);
    expect(results).toEqual(entries(1, 15).map(({ index }) => index));
    expect(host.queued).toBe(0);
  });

  test("a digest cuts a batch at its index, and two may want the same", async () => {
    const { machine, host } = scene();
    machine.isLater = isLater;
    const wanted = [host.digestAt(4), host.digestAt(4), host.digestAt(9)];
    host.queue(entries(1, 12));
    host.pump();
    expect((await Promise.all(wanted)).map((digest) => digest?.[0])).toEqual([4, 4, 9]);
    await settled();
    expect(machine.batches.map((batch) => batch.at(-1))).toEqual([4, 9, 12]);
    expect(await host.digestAt(11)).toBeUndefined();
    expect((await host.digestAt(12))?.[0]).toBe(12);
  });

  test("a copy is made as soon as its index is applied, and not before", async () => {
    const { machine, host } = scene();
    machine.isLater = isLater;
    const copy = host.makeSnapshot("late", 11);
    expect((await host.makeSnapshot("now", 0)).index).toBe(0);
    host.queue(entries(1, 25));
    host.pump();
    expect((await copy).index).toBe(20);
    expect(machine.copies).toEqual([
      { path: "now", index: 0 },
      { path: "late", index: 20 },
    ]);
  });

  test("an installation keeps its place, and a refused one hurts nobody", async () => {
    const { machine, host, results } = scene();
    machine.isLater = isLater;
    const passed = host.digestAt(40);
    host.queue(entries(1, 3));
    const [bad, good] = [host.install("bad", 20), host.install("good", 50)];
    host.queue(entries(51, 52));
    await expect(bad).rejects.toThrow("no copy");
    await good;
    host.pump();
    await settled();
    expect(results).toEqual([1, 2, 3, -50, 51, 52]);
    expect(await passed).toBeUndefined();
  });

  test("behind a failure nothing is applied, and whoever waits is told", async () => {
    const { machine, host, results, fatal } = scene({ entriesMax: 2 });
    machine.isLater = isLater;
    machine.failAt = 4;
    const never = host.digestAt(9);
    const copy = host.makeSnapshot("late", 9);
    host.queue(entries(1, 9));
    const install = host.install("good", 50);
    host.pump();
    const stopped = expect.objectContaining({ code: "REPLICA_STOPPED" });
    await expect(never).rejects.toEqual(stopped);
    await expect(copy).rejects.toEqual(stopped);
    await expect(install).rejects.toEqual(stopped);
    expect(results).toEqual([1, 2]);
    expect(fatal).toHaveLength(1);
    await expect(host.digestAt(2)).rejects.toEqual(stopped);
    host.queue(entries(5, 6));
    host.pump();
    await settled();
    expect(machine.batches).toEqual([[1, 2]]);
  });
});

test("a local applier applies in a turn of its own and tells in order", async () => {
  const machine = new Counting();
  const work: (() => void)[] = [];
  const told: string[] = [];
  const applier = createLocalApplier({
    machine,
    schedule: (f) => work.push(f),
    onResult: (id, index, result) => told.push(`result ${id} ${index} ${result[0]}`),
    onFatal: (error) => told.push(`fatal ${error}`),
  });
  applier.onApplied((applied, durable) => told.push(`applied ${applied} ${durable}`));
  applier.submit([entryAt(1), { ...entryAt(2), proposalId: 0 }]);
  const installing = applier.install("good", 9);
  expect(told).toEqual([]);
  for (const f of work.splice(0)) f();
  await installing;
  expect(told).toEqual(["result 1 1 1", "applied 2 2", "applied 9 9"]);
  applier.stop();
  applier.submit([entryAt(10)]);
  for (const f of work.splice(0)) f();
  expect(machine.appliedIndex()).toBe(9);
});
