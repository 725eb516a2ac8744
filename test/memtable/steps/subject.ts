/**
 * What chapter 02 judges: a memtable, and three parts that are exercises only.
 *
 * Invariant: checks see the reference and a reader's module through the same interface. The
 * reference keeps its skip list over an arena, and its durable map is the engine.
 */
import type { Bytes, Cursor } from "#base";
import type * as Reference from "#memtable/reference";
import type {
  KeyRange,
  Memtable,
  MemtableModule,
  MemtableOptions,
  SharedMemtable,
} from "#memtable/types";
import type { Disk } from "#platform/types";
import { textOf } from "../model.ts";
import { openEngineMap } from "./engine-map.ts";

/** A skip list whose towers get the heights that they are told. */
export interface Towers {
  add(key: Bytes): void;
  /** The key of the entry that was found, as text; undefined for none. */
  find(key: Bytes): string | undefined;
  /** Keys as texts, by level, the lowest first. */
  levels(): string[][];
  /** Towers whose key the last search has compared. */
  readonly hops: number;
}

/** One key set to a value, or removed: null. */
export interface Change {
  readonly key: Bytes;
  readonly value: Bytes | null;
}

/** What step 02.6 builds. */
export interface DurableMap {
  put(key: Bytes, value: Bytes): Promise<void>;
  delete(key: Bytes): Promise<void>;
  batch(changes: readonly Change[]): Promise<void>;
  get(key: Bytes): Bytes | undefined;
  scan(range?: KeyRange): IterableIterator<{ readonly key: Bytes; readonly value: Bytes }>;
  close(): Promise<void>;
}

export interface Subject {
  createMemtable(options?: MemtableOptions): Memtable;
  openSharedMemtable(shared: SharedMemtable): Cursor;
  createTowers(heightOf: () => number): Towers;
  /** Heights of so many towers, in order. */
  drawHeights(random: () => number, count: number): number[];
  /** Chance for one level more. */
  readonly chance: number;
  readonly levelsMax: number;
  openDurableMap(options: { readonly disk: Disk; readonly dir: string }): DurableMap;
}

/** What a reader's module exports besides the product's contract. */
interface ReadersModule extends MemtableModule {
  createSkipList(options: { readonly heightOf: () => number }): {
    find(key: Bytes): { readonly key: Bytes } | undefined;
    findOrAdd(key: Bytes): { readonly key: Bytes };
    levels(): Bytes[][];
    readonly hops: number;
  };
  drawHeight(random: () => number): number;
  readonly SKIP_CHANCE: number;
  readonly SKIP_LEVELS_MAX: number;
  openDurableMap: Subject["openDurableMap"];
}

/** Draws that are below any chance, and above any. */
const YES = 0;
const NO = 0.99;

/** Makes the subject out of a loaded module, the reader's or the reference. */
export function subjectOf(module: object): Subject {
  if ("openDurableMap" in module) return readersSubject(module as ReadersModule);
  return referenceSubject(module as typeof Reference);
}

function readersSubject(module: ReadersModule): Subject {
  return {
    createMemtable: (options) => module.createMemtable(options),
    openSharedMemtable: (shared) => module.openSharedMemtable(shared),
    createTowers(heightOf) {
      const list = module.createSkipList({ heightOf });
      return {
        add: (key) => void list.findOrAdd(key),
        find(key) {
          const found = list.find(key);
          return found && textOf(found.key);
        },
        levels: () => list.levels().map((keys) => keys.map(textOf)),
        get hops() {
          return list.hops;
        },
      };
    },
    drawHeights: (random, count) => Array.from({ length: count }, () => module.drawHeight(random)),
    chance: module.SKIP_CHANCE,
    levelsMax: module.SKIP_LEVELS_MAX,
    openDurableMap: (options) => module.openDurableMap(options),
  };
}

function referenceSubject(module: typeof Reference): Subject {
  const { SKIP_CHANCE, SKIP_LEVELS_MAX } = module;
  const createList = (random: () => number): Towers => {
    const arena = module.createArena(0);
    const list = module.createSkipList(arena, random);
    const keyOf = new Map<number, string>();
    return {
      add(key) {
        if (list.locate(key) !== 0) return;
        const reference = arena.allocate(key, 0);
        list.place(key, reference);
        keyOf.set(reference, textOf(key));
      },
      find: (key) => keyOf.get(list.find(key)),
      // A list without keys has one level without keys: for a reader, there is none.
      levels: () =>
        list
          .levels()
          .map((level) => level.map((reference) => keyOf.get(reference)!))
          .filter((level) => level.length > 0),
      get hops() {
        return list.hops;
      },
    };
  };
  return {
    createMemtable: (options) => module.createMemtable(options),
    openSharedMemtable: (shared) => module.openSharedMemtable(shared),
    createTowers: (heightOf) => createList(drawsFor(heightOf, SKIP_LEVELS_MAX)),
    drawHeights: (random, count) => heightsIn(createList(random), count),
    chance: SKIP_CHANCE,
    levelsMax: SKIP_LEVELS_MAX,
    openDurableMap: openEngineMap,
  };
}

/** Draws that lead to given heights: so many times yes, then no, unless there is no level more. */
function drawsFor(heightOf: () => number, levelsMax: number): () => number {
  const draws: number[] = [];
  return () => {
    if (draws.length === 0) {
      const height = heightOf();
      for (let level = 1; level < height; level += 1) draws.push(YES);
      if (height < levelsMax) draws.push(NO);
    }
    return draws.shift()!;
  };
}

/** The heights that a list has given to keys that came in ascending order. */
function heightsIn(list: Towers, count: number): number[] {
  const keys = Array.from({ length: count }, (_, i) => String(i).padStart(6, "0"));
  for (const key of keys) list.add(Uint8Array.from(key, (digit) => digit.charCodeAt(0)));
  const heights = new Map<string, number>(keys.map((key) => [key, 0]));
  for (const level of list.levels()) {
    for (const key of level) heights.set(key, heights.get(key)! + 1);
  }
  return [...heights.values()];
}
