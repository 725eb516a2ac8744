/**
 * What the steps of chapter 04 judge, and how the reference is dressed for them.
 *
 * A reader's module exports everything by name. The reference has an `Engine` instead of the small
 * store, which is put on as a coat here; its rule of what to keep judges version by version; and
 * what it has only inside of the engine comes from the chapter's solution.
 */
import { type Bytes, CairnError } from "#base";
import type {
  createKeepRule as CreateReferenceRule,
  JobRun,
  ManifestState,
  Picker,
  TableIo,
  TableShape,
} from "#lsm";
import type { Engine, LsmModule } from "#lsm/types";
import type { KeyRange } from "#memtable/types";
import * as solution from "../../../chapters/04-lsm/solution/index.ts";
import type {
  Change,
  FlushTarget,
  ForwardCursor,
  FrozenMemtable,
  KeepRule,
  KeyVersion,
  OpenedStoreManifest,
  ReadView,
  Store,
  StoreManifestOptions,
  StoreOptions,
  StoreStats,
} from "../../../chapters/04-lsm/starter/types.ts";

export type {
  Change,
  ForwardCursor,
  KeepRule,
  KeyVersion,
  ManifestState,
  OpenedStoreManifest,
  ReadView,
  Store,
  StoreOptions,
};

/** What is judged. */
export interface LsmSubject {
  mergeCursors(newestFirst: readonly ForwardCursorSource[]): ForwardCursor;
  readKey(view: ReadView, key: Bytes): Bytes | undefined;
  scanRange(view: ReadView, range?: KeyRange): Iterable<[Bytes, Bytes]>;
  runFlush(
    cursor: ForwardCursorSource,
    snapshots: readonly number[],
    shape: TableShape,
    io: TableIo,
  ): JobRun;
  flushMemtable(frozen: FrozenMemtable, target: FlushTarget): Generator<void, void, void>;
  openManifest(options: StoreManifestOptions): OpenedStoreManifest;
  openStore(options: StoreOptions): Store;
  runCompaction: typeof solution.runCompaction;
  createKeepRule: typeof solution.createKeepRule;
  createLeveledPicker(options: solution.LeveledOptions): Picker;
  createTieredPicker(options: solution.TieredOptions): Picker;
}

/** The reference's jobs want a whole cursor; the checks always give one. */
export type ForwardCursorSource = Parameters<typeof import("#lsm").mergeCursors>[0][number];

type Reference = typeof import("#lsm");

/** Makes the subject out of a module: a reader's as it is, the reference in its coat. */
export function subjectOf(module: object): LsmSubject {
  if ("openStore" in module) return module as unknown as LsmSubject;
  const reference = module as Reference;
  return {
    ...reference,
    readKey: solution.readKey,
    scanRange: solution.scanRange,
    flushMemtable: solution.flushMemtable,
    openStore: (options) => new EngineStore(reference, options),
    createKeepRule: (snapshots, older) =>
      wholeKeys(reference, () => reference.createKeepRule(snapshots, older)),
  };
}

/** The reference's rule, asked for all versions of a key at once. */
function wholeKeys(
  { Verdict }: Reference,
  make: () => ReturnType<typeof CreateReferenceRule>,
): KeepRule {
  return {
    survivors(key, newestFirst) {
      const rule = make();
      const stay: KeyVersion[] = [];
      const deletion = (sequence: number): void => {
        if (sequence !== 0) stay.push({ sequence, isDeletion: true });
      };
      for (const [index, version] of newestFirst.entries()) {
        const verdict = rule.judge(index === 0, version.sequence, version.isDeletion);
        if (verdict !== Verdict.keep) continue;
        deletion(rule.takeWaiting());
        stay.push(version);
      }
      deletion(rule.endKey(key));
      return stay;
    },
  };
}

/** The reference's engine as a small store: every write is synced, background work is by hand. */
class EngineStore implements Store {
  readonly #lsm: LsmModule;
  readonly #engine: Engine;

  constructor(lsm: LsmModule, options: StoreOptions) {
    const { logSegmentBytesMax: _, levelZeroStopRuns = 20, ...rest } = options;
    this.#lsm = lsm;
    this.#engine = lsm.openEngine({
      ...rest,
      background: "step",
      clock: options.clock ?? { ...STILL },
      logBytesPerSync: 0,
      levelZeroStopRuns,
      levelZeroSlowdownRuns: levelZeroStopRuns,
      levelZeroCompactRuns: Math.min(4, levelZeroStopRuns),
    });
  }

  put(key: Bytes, value: Bytes): void {
    this.write([{ key, value }]);
  }

  delete(key: Bytes): void {
    this.write([{ key, value: null }]);
  }

  write(changes: readonly Change[]): void {
    const batch = this.#lsm.createWriteBatch();
    for (const { key, value } of changes) {
      if (value === null) batch.delete(key);
      else batch.put(key, value);
    }
    this.#engine.writeSync(batch, { sync: true });
  }

  get(key: Bytes): Bytes | undefined {
    return this.#engine.get(key);
  }

  *#walk(iterator: ReturnType<Engine["iterator"]>): Generator<[Bytes, Bytes]> {
    try {
      while (iterator.next()) yield [iterator.key.slice(), iterator.value.slice()];
    } finally {
      iterator.close();
    }
  }

  scan(range: KeyRange = {}): IterableIterator<[Bytes, Bytes]> {
    const { from, before } = range;
    const bounds = {
      ...(from === undefined ? {} : { gte: from }),
      ...(before === undefined ? {} : { lt: before }),
    };
    return this.#walk(this.#engine.iterator(bounds));
  }

  flush(): void {
    const failures = this.#engine.stats().background.failures;
    // It is done when nothing is frozen, and who waits for the promise is nobody.
    this.#engine.flush().catch(() => {});
    while (this.#engine.stats().frozenMemtables > 0) {
      this.#engine.step();
      const { background } = this.#engine.stats();
      if (background.failures > failures) {
        throw new CairnError("DISK_IO", `lsm: ${background.failure ?? "the flush failed"}`);
      }
    }
  }

  step(): boolean {
    return this.#engine.step();
  }

  stats(): StoreStats {
    const { levels, frozenMemtables, stalls } = this.#engine.stats();
    const { reason, stops, stopMs } = stalls;
    return {
      levelZeroRuns: levels.find(({ level }) => level === 0)?.runs ?? 0,
      frozenMemtables,
      tables: levels.reduce((sum, { tables }) => sum + tables, 0),
      ...{ reason, stops, stopMs },
    };
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}

/** A clock that never moves. */
const STILL = {
  now: () => 0,
  wallTime: () => 0,
  after: () => () => {},
  whenIdle: () => () => {},
} as const;
