/**
 * The Raft log on the WAL: what a random history wrote is what recovery rebuilds, at every crash
 * point.
 *
 * Method: a model beside the log; power cut at each disk operation, several outcomes each; then
 * recovery is compared with the model's states between the last durable one and the newest.
 */
import { describe, expect, test } from "vitest";
import { createSimulatedDisk, isPowerCut, seededRandom } from "#platform";
import type { Random, SimulatedDisk } from "#platform/types";
import {
  createConfiguration,
  decodeConfiguration,
  decodeEntry,
  encodeConfiguration,
  encodeEntry,
  openRaftLog,
} from "#replica";
import type { Configuration, LogEntry, RaftLog } from "#replica/types";
import { forEachSeed } from "../support/seeds.ts";

const DIR = "/data/raft-log";
/** Small segments, so that a short history crosses several. */
const SEGMENT_BYTES = 2048;

const configuration = createConfiguration([
  { id: "a", address: "h:1", incarnation: "1" },
  { id: "b", address: "h:2", incarnation: "2" },
]);

const open = (disk: SimulatedDisk): RaftLog =>
  openRaftLog({ disk, dir: DIR, segmentBytesMax: SEGMENT_BYTES }).log;

const first: LogEntry = {
  index: 1,
  term: 1,
  bytes: encodeEntry("configuration", encodeConfiguration(configuration)),
};

/**
 * The state that the log stands for, as text; equal texts are equal states above the compacted
 * part.
 */
function describeState(
  hardState: { term: number; vote: number },
  entries: readonly LogEntry[],
): string {
  const list = entries.map(({ index, term, bytes }) => `${index}@${term}:${bytes.length}`);
  return `term ${hardState.term} vote ${hardState.vote} [${list.join(" ")}]`;
}

/** Compares the log with a model state, as far as the log still keeps it. */
function matches(log: RaftLog, state: Model): boolean {
  const { compactedIndex, hardState } = log.state;
  const kept =
    log.lastIndex > compactedIndex ? log.read(compactedIndex + 1, log.lastIndex + 1) : [];
  if (compactedIndex < state.base) return false;
  if (log.inForce?.configuration.nextNumber !== state.configurations.at(-1)?.mark) return false;
  const expected = state.entries.filter(({ index }) => index > compactedIndex);
  return describeState(hardState, kept) === describeState(state.hardState, expected);
}

interface Model {
  readonly hardState: { readonly term: number; readonly vote: number };
  /** Where the last reset made the log begin. */
  readonly base: number;
  readonly entries: readonly LogEntry[];
  /** Those that count; each is known by its own `nextNumber`. */
  readonly configurations: readonly { index: number; mark: number; epoch: number }[];
}

const lastIndexOf = ({ base, entries }: Model): number => entries.at(-1)?.index ?? base;

/** A random history. Keeps every state that was reached, and which of them is known durable. */
class History {
  readonly states: Model[] = [
    { hardState: { term: 0, vote: 0 }, base: 0, entries: [], configurations: [] },
  ];
  durable = 0;
  #epoch = 0;
  #nextMark = 10;
  readonly #log: RaftLog;
  readonly #random: Random;

  constructor(log: RaftLog, random: Random) {
    this.#log = log;
    this.#random = random;
  }

  get now(): Model {
    return this.states.at(-1) as Model;
  }

  async run(steps: number): Promise<void> {
    this.#write({ hardState: { term: 1, vote: 0 } });
    this.#write({ entries: [first] });
    await this.#sync();
    for (let step = 0; step < steps; step += 1) {
      const choice = this.#random.below(13);
      if (choice === 12) this.#reset();
      else if (choice === 11) this.#recover();
      else if (choice === 10) this.#configure();
      else if (choice < 5) this.#append();
      else if (choice < 6) this.#write({ hardState: this.#nextHardState() });
      else if (choice < 7) this.#truncate();
      else if (choice < 9) await this.#sync();
      else await this.#compact();
    }
  }

  #append(): void {
    const entries: LogEntry[] = [];
    const count = 1 + this.#random.below(3);
    for (let n = 0; n < count; n += 1) {
      const index = lastIndexOf(this.now) + 1 + n;
      const payload = new Uint8Array(this.#random.below(700));
      entries.push({
        index,
        term: this.now.hardState.term,
        bytes: encodeEntry("command", payload),
      });
    }
    this.#write({ entries });
  }

  #another(): Configuration {
    this.#nextMark += 1;
    return { ...configuration, epoch: this.#epoch, nextNumber: this.#nextMark };
  }

  #configure(): void {
    const bytes = encodeEntry("configuration", encodeConfiguration(this.#another()));
    const { term } = this.now.hardState;
    this.#write({ entries: [{ index: lastIndexOf(this.now) + 1, term, bytes }] });
  }

  #recover(): void {
    this.#epoch += 1;
    this.#write({ recovered: this.#another() });
  }

  #reset(): void {
    const index = lastIndexOf(this.now) + 1 + this.#random.below(5);
    const { term } = this.now.hardState;
    const stored = { index: index - 1, configuration: this.#another() };
    this.#write({ reset: { index, term, configuration: stored, copy: index } });
  }

  #nextHardState(): Model["hardState"] {
    return { term: this.now.hardState.term + 1, vote: this.#random.below(3) };
  }

  #truncate(): void {
    const { compactedIndex } = this.#log.state;
    const room = this.#log.lastIndex - Math.max(compactedIndex, 1);
    if (room < 1) return;
    const truncateFrom = this.#log.lastIndex - this.#random.below(room);
    const hardState = this.#nextHardState();
    const bytes = encodeEntry("command", new Uint8Array(20));
    const entries = [{ index: truncateFrom, term: hardState.term, bytes }];
    this.#write({ hardState, truncateFrom, entries });
  }

  /** The model first: what the log was asked to write may be on disk even if the call dies. */
  #write(change: Parameters<RaftLog["write"]>[0]): void {
    let model = this.now;
    const push = (next: Partial<Model>): void => {
      model = { ...model, ...next };
      this.states.push(model);
    };
    if (change.hardState !== undefined) push({ hardState: change.hardState });
    if (change.reset !== undefined) {
      const { index, configuration: stored } = change.reset;
      const { nextNumber, epoch } = stored.configuration;
      const only = { index: stored.index, mark: nextNumber, epoch };
      push({ base: index, entries: [], configurations: [only] });
    }
    if (change.recovered !== undefined) {
      const { nextNumber, epoch } = change.recovered;
      const index = this.#log.compactedIndex;
      push({ configurations: [{ index, mark: nextNumber, epoch }] });
    }
    if (change.truncateFrom !== undefined) {
      const from = change.truncateFrom;
      const isBefore = ({ index }: { index: number }): boolean => index < from;
      const { entries, configurations } = model;
      push({
        entries: entries.filter(isBefore),
        configurations: configurations.filter(isBefore),
      });
    }
    for (const entry of change.entries ?? []) {
      const added = decodeEntry(entry.bytes);
      const configurations = [...model.configurations];
      if (added.kind === "configuration") {
        const { nextNumber, epoch } = decodeConfiguration(added.payload);
        configurations.push({ index: entry.index, mark: nextNumber, epoch });
      }
      push({ entries: [...model.entries, entry], configurations });
    }
    this.#log.write(change);
  }

  async #sync(): Promise<void> {
    const reached = this.states.length - 1;
    await this.#log.sync();
    this.durable = reached;
  }

  async #compact(): Promise<void> {
    const reached = this.states.length - 1;
    const before = this.#log.compactedIndex;
    const middle = Math.floor((before + this.#log.lastIndex) / 2);
    const forgotten = await this.#log.compact(middle);
    if (forgotten > before) this.durable = Math.max(this.durable, reached);
  }
}

/** Runs a history until the power fails. @returns false if it never did. */
async function runUntilCut(
  disk: SimulatedDisk,
  random: Random,
  keep: (h: History) => void,
): Promise<boolean> {
  try {
    const history = new History(open(disk), random);
    keep(history);
    await history.run(18);
    return false;
  } catch (error) {
    if (isPowerCut(error) || (error instanceof Error && isPowerCut(error.cause))) return true;
    throw error;
  }
}

describe("the raft log", () => {
  test("P01 reopening gives back term, vote, entries and configuration", async () => {
    const disk = createSimulatedDisk();
    const log = open(disk);
    log.write({ hardState: { term: 1, vote: 0 }, entries: [first] });
    log.write({ hardState: { term: 3, vote: 2 } });
    await log.sync();
    await log.close();
    const { state } = open(disk.kill());
    expect(state.hardState).toEqual({ term: 3, vote: 2 });
    expect(state.configuration).toEqual(configuration);
    expect(state.runs).toEqual([{ first: 1, term: 1 }]);
  });

  test("entries that fell out of memory are read back, without those truncated since", async () => {
    const log = open(createSimulatedDisk());
    log.write({ hardState: { term: 1, vote: 0 }, entries: [first] });
    const big = (index: number, term: number, fill: number): LogEntry => ({
      index,
      term,
      bytes: encodeEntry("command", new Uint8Array(9_000_000).fill(fill)),
    });
    log.write({ entries: [big(2, 1, 1), big(3, 1, 2)] });
    log.write({ hardState: { term: 2, vote: 0 }, truncateFrom: 3, entries: [big(3, 2, 3)] });
    log.write({ entries: [big(4, 2, 4), big(5, 2, 5), big(6, 2, 6)] });
    await log.sync();
    const fills = log.read(2, 7).map(({ bytes, index, term }) => [index, term, bytes.at(-1)]);
    expect(fills).toEqual([
      [2, 1, 1],
      [3, 2, 3],
      [4, 2, 4],
      [5, 2, 5],
      [6, 2, 6],
    ]);
    await log.close();
  });

  test("what was compacted is refused, and the rest survives with its hard state", async () => {
    const disk = createSimulatedDisk();
    const log = open(disk);
    log.write({ hardState: { term: 4, vote: 1 }, entries: [first] });
    for (let index = 2; index <= 40; index += 1) {
      log.write({
        entries: [{ index, term: 4, bytes: encodeEntry("command", new Uint8Array(300)) }],
      });
    }
    await log.sync();
    const before = log.sizeBytes;
    expect(await log.compact(30)).toBe(30);
    expect(log.sizeBytes).toBeLessThan(before);
    expect(() => log.read(30, 32)).toThrowError(
      expect.objectContaining({ code: "WAL_NOT_RETAINED" }),
    );
    const reopened = open(disk.crash(1));
    expect(reopened.state).toMatchObject({
      hardState: { term: 4, vote: 1 },
      compactedIndex: 30,
      compactedTerm: 4,
      configuration,
    });
    expect(reopened.read(31, 41).map(({ index }) => index)).toEqual([
      31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    ]);
  });

  /** Writes entries `from` to `to` of one term, `bytes` of payload each. */
  const extend = (log: RaftLog, from: number, to: number, term: number, bytes: number): void => {
    for (let index = from; index <= to; index += 1) {
      const payload = new Uint8Array(bytes);
      log.write({ entries: [{ index, term, bytes: encodeEntry("command", payload) }] });
    }
  };

  test("a log whose oldest segment begins with a cut is opened again", async () => {
    // One of these fillings ends a segment right before the cut.
    for (let filling = 1; filling <= SEGMENT_BYTES; filling += 8) {
      const disk = createSimulatedDisk();
      const log = open(disk);
      log.write({ hardState: { term: 1, vote: 0 }, entries: [first] });
      extend(log, 2, 9, 1, 10);
      extend(log, 10, 10, 1, filling);
      log.write({ truncateFrom: 8 });
      extend(log, 8, 20, 1, 300);
      await log.sync();
      await log.compact(7);
      const { state } = open(disk.kill());
      expect(state.compactedIndex, `filling ${filling}`).toBe(7);
      expect(state.sizes, `filling ${filling}`).toEqual(log.state.sizes);
    }
  });

  test("a log whose oldest segment begins with an old base record is opened again", async () => {
    for (let filling = 1; filling <= SEGMENT_BYTES; filling += 8) {
      const disk = createSimulatedDisk();
      const log = open(disk);
      log.write({ hardState: { term: 1, vote: 0 }, entries: [first] });
      extend(log, 2, 9, 1, 10);
      extend(log, 10, 10, 1, filling);
      await log.compact(5);
      extend(log, 11, 20, 1, 300);
      await log.sync();
      await log.compact(12);
      const { state } = open(disk.kill());
      expect(state.compactedIndex, `filling ${filling}`).toBe(12);
      expect(state.sizes, `filling ${filling}`).toEqual(log.state.sizes);
    }
  });

  test("a cut below the oldest entry that is left is understood", async () => {
    const disk = createSimulatedDisk();
    const log = openRaftLog({ disk, dir: DIR, segmentBytesMax: 16 * 1024 }).log;
    log.write({ hardState: { term: 1, vote: 0 }, entries: [first] });
    // The second segment begins in the middle of these.
    extend(log, 2, 60, 1, 400);
    await log.sync();
    await log.compact(5);
    log.write({ hardState: { term: 2, vote: 0 }, truncateFrom: 10 });
    extend(log, 10, 60, 2, 20);
    await log.sync();
    expect(await log.compact(50)).toBe(50);
    const { state } = openRaftLog({ disk: disk.kill(), dir: DIR }).log;
    expect(state).toMatchObject({ compactedIndex: 50, compactedTerm: 2 });
    expect(state.sizes).toEqual(log.state.sizes);
  });

  test("at every crash point recovery finds a state not older than the last sync", async () => {
    let runs = 0;
    const work: Promise<void>[] = [];
    forEachSeed(12, (seed) => {
      work.push(crashEverywhere(seed));
    });
    await Promise.all(work);
    async function crashEverywhere(seed: number): Promise<void> {
      for (let operation = 0; ; operation += 1) {
        const disk = createSimulatedDisk({ seed });
        disk.cutPowerAt(operation);
        let history: History | undefined;
        const cut = await runUntilCut(disk, seededRandom(seed), (h) => {
          history = h;
        });
        for (let outcome = 0; outcome < 4; outcome += 1) {
          const log = open(disk.crash(seed * 1000 + outcome));
          runs += 1;
          const candidates = history === undefined ? [] : history.states.slice(history.durable);
          const found = history === undefined || candidates.some((state) => matches(log, state));
          expect(found, `seed ${seed}, cut at ${operation}, outcome ${outcome}`).toBe(true);
        }
        if (!cut) break;
      }
    }
    expect(runs).toBeGreaterThan(1000);
  });
});
