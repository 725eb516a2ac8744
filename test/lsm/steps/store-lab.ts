/**
 * Histories of a store on a disk whose power fails, and the judge of what recovery finds.
 *
 * Every write of the small store is durable when it returns. So the oracle is short: after a crash
 * the store holds all acknowledged writes, and the one that was under way whole or not at all;
 * nothing else. One crash run: play, cut, recover, judge; cut inside of a second recovery, recover,
 * judge; write more, cut, recover, judge.
 */
import { errorText, isCairnError } from "#base";
import { expectThat, fail, type Lesson } from "#learn";
import type { Picker } from "#lsm";
import { createSimulatedDisk, isPowerCut, seededRandom } from "#platform";
import type { Random, SimulatedDisk } from "#platform/types";
import type { LsmSubject, Store, StoreOptions } from "./subject.ts";
import { b, count, DIR, list, shown, t, timelineOf } from "./words.ts";

/** One change of a history. `value` null: a deletion. */
interface TextChange {
  readonly key: string;
  readonly value: string | null;
}

/** One call. */
export type StoreCall =
  | { readonly do: "write"; readonly changes: readonly TextChange[] }
  | { readonly do: "flush" | "step" };

/** A sequence of calls, and how the store is opened. */
export interface StoreHistory {
  readonly calls: readonly StoreCall[];
  readonly options: Partial<StoreOptions>;
}

/** Limits that a few small writes reach. */
export const SMALL = {
  memtableBytesMax: 3000,
  tableBytesMax: 2000,
  logSegmentBytesMax: 1500,
} as const satisfies Partial<StoreOptions>;

/** Compacts nothing. */
export const NO_PICKER: Picker = { name: "none", pick: () => null };

/** Merges everything into level 1 as soon as level 0 has two runs. */
export const MERGE_ALL: Picker = {
  name: "merge all",
  pick({ runs }) {
    if (runs.filter(({ level }) => level === 0).length < 2) return null;
    const inputs = runs.map(({ level, number, tables }) => ({ level, run: number, tables }));
    return { reason: "level 0 has two runs", inputs, outputLevel: 1, outputRun: null };
  },
};

const KEYS = Array.from({ length: 18 }, (_, at) => `key ${String(at).padStart(2, "0")}`);
const VALUE_BYTES_MAX = 420;

/** A random history. Values straddle sectors now and then, so that writes are torn. */
export function randomHistory(
  seed: number,
  of: { readonly calls: number; readonly options: Partial<StoreOptions> },
): StoreHistory {
  const random = seededRandom(seed);
  let serial = 0;
  const change = (): TextChange => {
    const key = KEYS[random.below(KEYS.length)]!;
    if (random.below(4) === 0) return { key, value: null };
    serial += 1;
    return { key, value: `${serial}.`.padEnd(random.below(VALUE_BYTES_MAX), "x") };
  };
  const calls = Array.from({ length: of.calls }, (): StoreCall => {
    const dice = random.below(12);
    if (dice === 0) return { do: "flush" };
    if (dice < 4) return { do: "step" };
    const changes = Array.from({ length: dice < 6 ? 3 : 1 }, change);
    // One change for a key: the order inside of a batch is no matter here.
    const byKey = new Map(changes.map((one) => [one.key, one]));
    return { do: "write", changes: [...byKey.values()] };
  });
  return { calls, options: of.options };
}

/** What the caller of a store knows. */
export interface Known {
  /** All acknowledged writes. */
  readonly state: Map<string, string>;
  /** The write that was under way when the power went. */
  open: readonly TextChange[] | null;
  acknowledged: number;
}

/** Opens a store. */
export function openOn(
  subject: LsmSubject,
  disk: SimulatedDisk,
  options: Partial<StoreOptions>,
): Store {
  return subject.openStore({ picker: NO_PICKER, ...SMALL, ...options, disk, dir: DIR });
}

/** Makes one call, and keeps what is known in step. A store that is full gets to work first. */
export function take(store: Store, call: StoreCall, known: Known): void {
  if (call.do === "flush") store.flush();
  if (call.do === "step") store.step();
  if (call.do === "write") {
    known.open = call.changes;
    writeWhenPossible(store, call.changes);
    for (const { key, value } of call.changes) {
      if (value === null) known.state.delete(key);
      else known.state.set(key, value);
    }
    known.open = null;
    known.acknowledged += 1;
  }
}

/** A step may be a slice of a job. */
const STEPS_MAX = 200;

function writeWhenPossible(store: Store, changes: readonly TextChange[]): void {
  const bytes = changes.map(({ key, value }) => ({
    key: b(key),
    value: value === null ? null : b(value),
  }));
  for (let steps = 0; ; steps += 1) {
    try {
      store.write(bytes);
      return;
    } catch (error) {
      if (!isCairnError(error, "LSM_STALLED") || steps === STEPS_MAX) throw error;
      store.step();
    }
  }
}

/** Nothing was written yet. */
export function nothingKnown(): Known {
  return { state: new Map(), open: null, acknowledged: 0 };
}

/** Plays a history from its beginning, until its end or the power cut. */
export function play(subject: LsmSubject, disk: SimulatedDisk, history: StoreHistory): Known {
  const known = nothingKnown();
  try {
    const store = openOn(subject, disk, history.options);
    for (const call of history.calls) take(store, call, known);
  } catch (error) {
    if (!isPowerCut(error)) throw error;
  }
  return known;
}

/** How many operations of the disk a history takes. */
export function pointsOf(subject: LsmSubject, history: StoreHistory): number {
  const disk = createSimulatedDisk();
  play(subject, disk, history);
  return disk.operations + 1;
}

/** Where a crash happened, for the failure. */
interface Place {
  readonly history: StoreHistory;
  readonly known: Known;
  /** The disk whose power was cut: its trace is the timeline. */
  readonly cut: SimulatedDisk;
  /** "the power was cut at operation 12". */
  readonly tale: string;
  /** The command that shows it again. */
  readonly again?: string;
}

/**
 * Every `stride`th crash point of a history, the first one from the seed: quick enough for a step.
 * The crash lab takes all of them.
 */
export function someCrashes(
  subject: LsmSubject,
  history: StoreHistory,
  of: { readonly seed: number; readonly stride: number },
): void {
  const points = pointsOf(subject, history);
  for (let point = of.seed % of.stride; point < points; point += of.stride) {
    crashRun(subject, history, { point, seed: of.seed + point });
  }
}

/** One crash run: see the head of the file. */
export function crashRun(
  subject: LsmSubject,
  history: StoreHistory,
  at: { readonly point: number; readonly seed: number; readonly again?: string },
): void {
  const disk = createSimulatedDisk({ seed: at.seed });
  disk.cutPowerAt(at.point);
  const known = play(subject, disk, history);
  const crashed = disk.crash(at.seed);
  const random = seededRandom(at.seed * 31 + at.point);
  const again = at.again === undefined ? {} : { again: at.again };
  const place = {
    history,
    known,
    cut: disk,
    tale: `the power was cut at operation ${at.point}`,
    ...again,
  };

  const [first, second] = [crashed.kill(), crashed.kill()];
  const before = first.operations;
  const { store, found } = recoverAndJudge(subject, first, place);
  const recovery = first.operations - before;

  second.cutPowerAt(second.operations + random.below(recovery + 1));
  try {
    openOn(subject, second, history.options);
  } catch (error) {
    if (!isPowerCut(error))
      failRefused(error, { ...place, tale: `${place.tale}, and the store was opened` });
  }
  const tale = `${place.tale}, and once more inside of recovery`;
  recoverAndJudge(subject, second.crash(at.seed + 1), { ...place, cut: second, tale });

  const more: Known = { state: new Map(found), open: null, acknowledged: 0 };
  writeMore(store, first, { random, known: more });
  const third = { ...place, known: more, cut: first };
  recoverAndJudge(subject, first.crash(at.seed + 2), {
    ...third,
    tale: `the power was cut for a second time (first at operation ${at.point}; the store had been recovered since)`,
  });
}

function writeMore(
  store: Store,
  disk: SimulatedDisk,
  of: { readonly random: Random; readonly known: Known },
): void {
  const { random, known } = of;
  const { calls } = randomHistory(random.below(1000), { calls: 6, options: {} });
  if (random.below(2) === 0) disk.cutPowerAt(disk.operations + random.below(30));
  try {
    for (const call of calls) take(store, call, known);
  } catch (error) {
    if (!isPowerCut(error)) throw error;
  }
}

/** Opens what a crash has left, and compares its content. @returns what was found. */
export function recoverAndJudge(
  subject: LsmSubject,
  disk: SimulatedDisk,
  place: Place,
): { readonly store: Store; readonly found: ReadonlyMap<string, string> } {
  let store: Store;
  let found: Map<string, string>;
  try {
    store = openOn(subject, disk, place.history.options);
    found = contentOf(store);
  } catch (error) {
    failRefused(error, place);
  }
  const { state, open } = place.known;
  const withOpen = new Map(state);
  for (const { key, value } of open ?? []) {
    if (value === null) withOpen.delete(key);
    else withOpen.set(key, value);
  }
  const [plain, more] = [differences(state, found), differences(withOpen, found)];
  if (plain.length > 0 && more.length > 0) {
    failContent(plain.length <= more.length ? plain : more, found, place);
  }
  judgeLookups(store, found, place);
  return { store, found };
}

/** Everything that a scan gives. */
export function contentOf(store: Store): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of store.scan()) found.set(t(key), t(value));
  return found;
}

/** Keys on which a state and what was found disagree. */
function differences(
  state: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): string[] {
  const keys = new Set([...state.keys(), ...found.keys()]);
  return [...keys].filter((key) => state.get(key) !== found.get(key)).sort();
}

function failContent(
  keys: readonly string[],
  found: ReadonlyMap<string, string>,
  place: Place,
): never {
  const { known } = place;
  const key = keys[0]!;
  const [expected, got] = [known.state.get(key), found.get(key)];
  const say = (value: string | undefined): string =>
    value === undefined ? "nothing" : shown(b(value));
  const underWay =
    known.open === null
      ? ""
      : ` A write was under way, of ${list(known.open.map((one) => `"${one.key}"`))}: it may be there whole, or not at all.`;
  failAt(place, {
    happened: `${count(known.acknowledged, "write")} had been acknowledged when ${place.tale}.${underWay} After recovery ${keys.length === 1 ? "one key is" : `${keys.length} keys are`} wrong: "${key}" should be ${say(expected)}, and your store says ${say(got)}.`,
    why: whyOf(expected, got),
  });
}

function whyOf(expected: string | undefined, got: string | undefined): string {
  if (expected === undefined) {
    return "The key had been deleted, or never written. Somebody finds again what was thrown away.";
  }
  return got === undefined
    ? "The write had been acknowledged. Its owner has no reason to write it again, and nobody can."
    : "An older value stands where a newer one was acknowledged. Nothing shows that it is old.";
}

function failAt(place: Place, lesson: Lesson, error?: unknown): never {
  const timeline = [...timelineOf(place.cut), "      power cut"];
  const again = place.again === undefined ? {} : { again: place.again };
  fail({ ...lesson, timeline, ...again }, error);
}

function failRefused(error: unknown, place: Place): never {
  failAt(
    place,
    {
      happened: `${count(place.known.acknowledged, "write")} had been acknowledged when ${place.tale}. Nothing is damaged: the disk holds what a crash may leave. Your store did not come back: ${errorText(error)}`,
      why: "A database that does not open after a power cut is lost for its owner, though every byte of it is there.",
    },
    error,
  );
}

/** Lookups say what the scan says. */
function judgeLookups(store: Store, found: ReadonlyMap<string, string>, place: Place): void {
  for (const key of KEYS) {
    const value = store.get(b(key));
    const text = value === undefined ? undefined : t(value);
    expectThat(text === found.get(key), () => ({
      happened: `After ${place.tale}, a scan says that "${key}" is ${found.has(key) ? shown(b(found.get(key)!)) : "not there"}, and get says ${shown(value)}.`,
      why: "Two answers to one question: whichever is right, somebody believes the other.",
    }));
  }
}
