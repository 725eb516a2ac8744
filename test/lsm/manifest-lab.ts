/**
 * Runs histories of edits on a disk whose power fails, and judges the state that a manifest opens
 * to. Support for the tests.
 *
 * The oracle: after a crash the state is the one of the last edit that was acknowledged, or that
 * with an edit on top whose outcome was never told. Never one between, never an older one.
 */
import { errorText, isCairnError } from "#base";
import {
  applyEdit,
  EMPTY_STATE,
  type ManifestState,
  type openManifest,
  snapshotEdit,
  type VersionEdit,
} from "#lsm";
import { isPowerCut } from "#platform";
import type { Disk, Random, SimulatedDisk } from "#platform/types";
import type { TableMeta } from "#sstable/types";

/** What the oracle throws. Anything else that a test throws is a broken test. */
export class ManifestViolation extends Error {
  override readonly name = "ManifestViolation";
}

/** The manifest under test, and what stands between it and the disk. */
export interface ManifestSubject {
  readonly openManifest: typeof openManifest;
  readonly wrap?: (disk: Disk) => Disk;
}

export const DIR = "engine";

/** What the user of a manifest knows. */
export interface ManifestModel {
  /** The state of the last edit that was acknowledged. */
  acked: ManifestState;
  /** States that edits of unknown outcome would have led to. */
  doubtful: ManifestState[];
}

/** One call. `roll` bytes are those of the whole history. */
export type ManifestStep = "apply" | "applyAsync" | "reopen";

/** A sequence of calls. */
export interface ManifestHistory {
  readonly name: string;
  readonly rollBytes: number;
  readonly steps: readonly ManifestStep[];
}

const A: ManifestStep = "apply";
const B: ManifestStep = "applyAsync";
const R: ManifestStep = "reopen";

/** Histories whose every crash point is tried. */
export const manifestHistories: readonly ManifestHistory[] = [
  { name: "one file", rollBytes: 100_000, steps: [A, A, B, A, B] },
  { name: "a new file for each edit", rollBytes: 1, steps: [A, A, B, A] },
  { name: "rolling now and then", rollBytes: 150, steps: [A, B, A, A, A, B, A] },
  { name: "closing and opening", rollBytes: 120, steps: [A, R, A, A, R, R, B, A] },
];

/** Makes a table of these keys that nobody has written. */
export function tableOf(
  id: number,
  keys: { readonly smallest: string; readonly largest: string },
  sequenceMax = id,
): TableMeta {
  const encode = (text: string) => new TextEncoder().encode(text);
  return {
    ...{ id, bytes: 1000 + id, entries: 10, deletions: id % 3, sequenceMin: 1, sequenceMax },
    ...{ smallest: encode(keys.smallest), largest: encode(keys.largest) },
  };
}

/** A flush, a compaction of all of level 0, a move, or only a new place in the log. */
export function randomEdit(random: Random, state: ManifestState, id: number): VersionEdit {
  const sequence = state.sequence + 1 + random.below(5);
  const { runs } = state.version;
  const deep = runs.find(({ level }) => level === 1);
  const young = runs.filter(({ level }) => level === 0);
  const dice = random.below(10);
  if (dice === 0) return { remove: [], add: [], logFrom: state.logFrom + random.below(50) };
  if (dice === 1 && deep !== undefined && !runs.some(({ level }) => level === 2)) {
    const table = deep.tables[random.below(deep.tables.length)]!;
    return { remove: [{ level: 1, id: table.id }], add: [{ level: 2, run: 1, table }] };
  }
  if (dice < 5 && young.length > 1) {
    const tables = [...young.flatMap((run) => run.tables), ...(deep?.tables ?? [])];
    const remove = [
      ...young.flatMap((run) => run.tables.map((table) => ({ level: 0, id: table.id }))),
      ...(deep?.tables ?? []).map((table) => ({ level: 1, id: table.id })),
    ];
    const texts = tables.flatMap(({ smallest, largest }) => [text(smallest), text(largest)]).sort();
    const keys = { smallest: texts[0]!, largest: texts[texts.length - 1]! };
    return {
      remove,
      add: [{ level: 1, run: 1, table: tableOf(id, keys, state.sequence) }],
    };
  }
  const from = random.below(900);
  const keys = { smallest: `key ${1000 + from}`, largest: `key ${1000 + from + random.below(50)}` };
  return {
    remove: [],
    add: [{ level: 0, run: id, table: tableOf(id, keys, sequence) }],
    sequence,
    // Often across a sector, so that writes are torn.
    ...(random.below(2) === 0 ? { logFrom: state.logFrom + random.below(1000) } : {}),
  };
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** A state as text. Rolling takes numbers, so `nextNumber` is judged apart. */
export function stateText(state: ManifestState): string {
  const bytes = (_: string, value: unknown) =>
    value instanceof Uint8Array ? text(value) : (value as object);
  return JSON.stringify({ ...snapshotEdit(state), nextNumber: 0 }, bytes);
}

/** Opens a manifest that nothing has damaged, and judges it. The state is then acknowledged. */
export function recoverManifest(
  subject: ManifestSubject,
  disk: SimulatedDisk,
  given: { readonly model: ManifestModel; readonly rollBytes: number },
): ReturnType<typeof openManifest> {
  const opened = open(subject, disk, given.rollBytes);
  const { state } = opened.manifest;
  const allowed = [given.model.acked, ...given.model.doubtful];
  if (!allowed.some((one) => stateText(one) === stateText(state))) {
    const [found, acked] = [stateText(state), stateText(given.model.acked)];
    throw new ManifestViolation(`L2: opened to ${found}, acknowledged was ${acked}`);
  }
  if (state.nextNumber < given.model.acked.nextNumber) {
    throw new ManifestViolation(`L7: the next number goes back to ${state.nextNumber}`);
  }
  judgeDirectory(disk, opened);
  given.model.acked = state;
  given.model.doubtful = [];
  return opened;
}

function open(
  subject: ManifestSubject,
  disk: SimulatedDisk,
  rollBytes: number,
): ReturnType<typeof openManifest> {
  try {
    return subject.openManifest({ disk: subject.wrap?.(disk) ?? disk, dir: DIR, rollBytes });
  } catch (error) {
    if (isCairnError(error, "WAL_CORRUPT") || isCairnError(error, "LSM_CORRUPT")) {
      throw new ManifestViolation(`L2: a sound manifest was refused: ${error.message}`);
    }
    throw error;
  }
}

function judgeDirectory(disk: SimulatedDisk, opened: ReturnType<typeof openManifest>): void {
  const numbers = disk.list(DIR).map((name) => Number(/\d+/.exec(name)?.[0] ?? 0));
  if (opened.numbers.next <= Math.max(...numbers)) {
    throw new ManifestViolation(`L7: next is ${opened.numbers.next}, there is ${numbers}`);
  }
  opened.removeLeftovers();
  const names = disk.list(DIR);
  if (names.length !== 2) throw new ManifestViolation(`L2: left over: ${names.join(", ")}`);
}

/** Plays a history and keeps the model in step. */
export async function playManifest(
  subject: ManifestSubject,
  disk: SimulatedDisk,
  given: { readonly history: ManifestHistory; readonly random: Random },
): Promise<{ readonly model: ManifestModel; readonly ended: "whole" | "power cut" }> {
  const { history, random } = given;
  const model: ManifestModel = { acked: EMPTY_STATE, doubtful: [] };
  try {
    let opened = retry(() => open(subject, disk, history.rollBytes));
    for (const step of history.steps) {
      if (step === "reopen") {
        await opened.manifest.close().catch(unlessPowerCut);
        opened = retry(() =>
          recoverManifest(subject, disk, { model, rollBytes: history.rollBytes }),
        );
      } else {
        await applyUntilDone({ opened, model, random }, step);
      }
    }
    await opened.manifest.close().catch(unlessPowerCut);
    return { model, ended: "whole" };
  } catch (error) {
    if (isPowerCut(error)) return { model, ended: "power cut" };
    throw error;
  }
}

/** Applies a random edit; a failing disk is asked again, as an engine does. */
export async function applyUntilDone(
  at: {
    readonly opened: ReturnType<typeof openManifest>;
    readonly model: ManifestModel;
    readonly random: Random;
  },
  step: "apply" | "applyAsync",
): Promise<void> {
  const { manifest, numbers } = at.opened;
  const { model } = at;
  const edit = randomEdit(at.random, manifest.state, numbers.take());
  for (let tries = 0; ; tries += 1) {
    const before = stateText(manifest.state);
    const next = applyEdit(manifest.state, { ...edit, nextNumber: numbers.next });
    model.doubtful.push(next);
    try {
      if (step === "apply") manifest.apply(edit);
      else await manifest.applyAsync(edit);
      model.acked = manifest.state;
      model.doubtful = [];
      if (stateText(next) === stateText(manifest.state)) return;
      throw new ManifestViolation("L2: the state is not the one that the edit leads to");
    } catch (error) {
      if (!isCairnError(error) || tries > TRIES_MAX) throw error;
      if (stateText(manifest.state) === before) continue;
      throw new ManifestViolation(`L2: a failed edit was adopted: ${errorText(error)}`);
    }
  }
}

const TRIES_MAX = 20;

function retry<T>(work: () => T): T {
  for (let tries = 0; ; tries += 1) {
    try {
      return work();
    } catch (error) {
      if (!isCairnError(error) || tries > TRIES_MAX) throw error;
    }
  }
}

function unlessPowerCut(error: unknown): void {
  // A log that failed before, or fails now, is closed all the same.
  if (isPowerCut(error)) throw error;
}
