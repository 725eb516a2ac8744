/**
 * The rows: what each does, how much of it, and what it starts from.
 *
 * The text of each is the definition that the report prints. What is timed is `run`, from the first
 * call to the last answer; making key lists, opening, warming up, checking and closing are not,
 * except where the row is about them.
 */
import { randomReadsWhileWriting } from "./read-while-writing.ts";
import type { Call, RowName, Store, Tally } from "./types.ts";
import { all, BATCH, inPieces, keysDrawn, keysInOrder, keysShuffled } from "./workload.ts";

/** One row. */
export interface RowDefinition {
  readonly name: RowName;
  readonly definition: string;
  readonly call: Call;
  /**
   * `empty`: a new store. `full`: the prepared store, which the row does not change. `copy`: a copy
   * of it.
   */
  readonly start: "empty" | "full" | "copy";
  /** The values read depend on the moment, so that only their sizes can be compared. */
  readonly racing?: boolean;
  /** The key numbers of the row, for a store of so many keys. */
  list(keys: number): Uint32Array;
  /** The timed part. @returns a note for people, or nothing. */
  run(store: Store, list: Uint32Array, tally: Tally): Promise<string | undefined>;
}

/** Synchronous engines let the event loop turn after so many reads, or nobody else ever runs. */
const PIECE = 1000;
/** Syncs take so long that few will do; a smoke test needs only some. */
const syncedWrites = (keys: number) => (keys < 10_000 ? 50 : Math.max(500, Math.floor(keys / 500)));
const HOT_PART = 100;
/** Values of the prepared store have salts 0 and 1. */
const SALT_OVERWRITE = 2;
const SALT_FILL = 0;

/** All rows, in the order in which they run. */
export const ROWS: readonly RowDefinition[] = [
  writeRow("fillseq", "all keys in order, single writes, 256 in flight, into an empty store", {
    list: keysInOrder,
  }),
  writeRow("fillrandom", "all keys shuffled, single writes, 256 in flight, into an empty store", {
    list: (keys) => keysShuffled(keys, 11),
  }),
  {
    name: "fillsync",
    definition:
      "one key in 500 (at least 500 writes) shuffled, single writes into an empty store, " +
      "each safe from power loss before the next begins",
    call: "durablePuts",
    start: "empty",
    list: (keys) => keysShuffled(syncedWrites(keys), 12),
    async run(store, list, tally) {
      await store.durablePuts(all(list), SALT_FILL);
      tally.operations += list.length;
      return undefined;
    },
  },
  {
    name: "fillbatch",
    definition: "all keys in order, in batches of 1000, one after the other, into an empty store",
    call: "batch",
    start: "empty",
    list: keysInOrder,
    async run(store, list, tally) {
      await inPieces(list, BATCH, (piece) => store.batch(piece, SALT_FILL));
      tally.operations += list.length;
      return undefined;
    },
  },
  writeRow("overwrite", "a quarter of the keys shuffled, single writes, 256 in flight", {
    list: (keys) => keysShuffled(keys, 13).subarray(0, Math.ceil(keys / 4)),
    copy: true,
  }),
  readRow("readrandom", "as many reads as half the keys, of existing keys at random", {
    list: (keys) => keysDrawn(Math.ceil(keys / 2), { among: keys, seed: 14 }),
  }),
  readRow("readmissing", "as many reads as half the keys, of keys between existing ones", {
    list: (keys) => keysDrawn(Math.ceil(keys / 2), { among: keys, seed: 15, between: true }),
  }),
  readRow("readhot", "as many reads as half the keys, of the first hundredth of the keys", {
    list: (keys) => keysDrawn(Math.ceil(keys / 2), { among: Math.ceil(keys / HOT_PART), seed: 16 }),
  }),
  scanRow("readseq", "every key and value in order, once", false),
  scanRow("readreverse", "every key and value in reverse order, once", true),
  {
    name: "seekrandom",
    definition:
      "as many as a tenth of the keys: find an existing key at random, and read its entry",
    call: "seeks",
    start: "full",
    list: (keys) => keysDrawn(Math.ceil(keys / 10), { among: keys, seed: 17 }),
    async run(store, list, tally) {
      await inPieces(list, PIECE, async (piece) => {
        await store.seeks(piece, tally);
        await turn();
      });
      return undefined;
    },
  },
  {
    name: "readwhilewriting",
    definition:
      "as many random reads as a quarter of the keys, while 10 single writes come every " +
      "millisecond, at most 256 unanswered; the time of a read includes the writer's share",
    call: "gets",
    start: "copy",
    racing: true,
    list: (keys) => keysDrawn(Math.ceil(keys / 4), { among: keys, seed: 18 }),
    run: randomReadsWhileWriting,
  },
  {
    name: "deleterandom",
    definition: "a quarter of the keys shuffled, single deletions, 256 in flight",
    call: "deletes",
    start: "copy",
    list: (keys) => keysShuffled(keys, 19).subarray(0, Math.ceil(keys / 4)),
    async run(store, list, tally) {
      await store.deletes(all(list));
      tally.operations += list.length;
      return undefined;
    },
  },
  {
    name: "open",
    definition: "from opening the closed store to the answer of the first read; median of several",
    call: "open",
    start: "full",
    list: (keys) => keysDrawn(1, { among: keys, seed: 20 }),
    run: () => Promise.reject(new Error("compare: opening is timed by the cell")),
  },
];

/** The row of a name. */
export function rowNamed(name: RowName): RowDefinition {
  return ROWS.find((row) => row.name === name)!;
}

/** Lets timers, answers and everybody else run. */
export function turn(): Promise<void> {
  return new Promise(setImmediate);
}

function writeRow(
  name: RowName,
  definition: string,
  how: { list(keys: number): Uint32Array; readonly copy?: boolean },
): RowDefinition {
  const copy = how.copy === true;
  return {
    name,
    definition,
    call: "puts",
    start: copy ? "copy" : "empty",
    list: how.list,
    async run(store, list, tally) {
      await store.puts(all(list), copy ? SALT_OVERWRITE : SALT_FILL);
      tally.operations += list.length;
      return undefined;
    },
  };
}

function readRow(
  name: RowName,
  definition: string,
  how: { list(keys: number): Uint32Array },
): RowDefinition {
  return {
    name,
    definition: `${definition}, one after the other`,
    call: "gets",
    start: "full",
    list: how.list,
    async run(store, list, tally) {
      await inPieces(list, PIECE, async (piece) => {
        await store.gets(piece, tally);
        await turn();
      });
      return undefined;
    },
  };
}

function scanRow(name: RowName, definition: string, reverse: boolean): RowDefinition {
  return {
    name,
    definition,
    call: "scan",
    start: "full",
    list: keysInOrder,
    async run(store, _list, tally) {
      const scan = store.scan(reverse);
      while (await scan.more(tally)) await turn();
      await scan.close();
      return undefined;
    },
  };
}
