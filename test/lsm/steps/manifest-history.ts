/**
 * Random edits and the states that they lead to, for the checks of step 04.4.
 */
import type { Bytes } from "#base";
import { expectThat } from "#learn";
import { applyEdit, EMPTY_STATE, type ManifestState, type VersionEdit } from "#lsm";
import { seededRandom } from "#platform";
import type { Disk, SimulatedDisk } from "#platform/types";
import { randomEdit, stateText } from "../manifest-lab.ts";
import type { LsmSubject, OpenedStoreManifest } from "./subject.ts";
import { DIR } from "./words.ts";

/** Small, so that a history of a few edits begins new manifests. */
const ROLL_BYTES = 150;
/** Edits of a random history. */
export const EDITS = 9;

/** A state in a line, for people. */
export function stateLine({ version, sequence, logFrom }: ManifestState): string {
  const tables = version.runs.flatMap((run) =>
    run.tables.map(({ id }) => `${id} (level ${run.level})`),
  );
  return `tables ${tables.join(", ") || "none"}; sequence ${sequence}; logFrom ${logFrom}`;
}

/** An edit in a line. */
export function editLine({ add, remove }: VersionEdit): string {
  const added = add.map(({ level, table }) => `+${table.id} in level ${level}`);
  const removed = remove.map(({ id, level }) => `-${id} from level ${level}`);
  return [...removed, ...added].join(", ") || "only a new place in the log";
}

/** Edits, and the state behind each of them; `states[0]` is the one before all. */
export function randomHistory(seed: number): { edits: VersionEdit[]; states: ManifestState[] } {
  const random = seededRandom(seed);
  const edits: VersionEdit[] = [];
  const states: ManifestState[] = [EMPTY_STATE];
  for (let at = 0; at < EDITS; at += 1) {
    const state = states[at]!;
    const id = 1000 + at;
    const edit = { ...randomEdit(random, state, id), nextNumber: id + 1 };
    edits.push(edit);
    states.push(applyEdit(state, edit));
  }
  return { edits, states };
}

/** Opens the manifest of {@link DIR}. */
export function open(subject: LsmSubject, disk: Disk, rollBytes = ROLL_BYTES): OpenedStoreManifest {
  return subject.openManifest({ disk, dir: DIR, rollBytes });
}

/** As an engine does: the numbers of an edit were taken from the counter before. */
export function apply({ manifest, numbers }: OpenedStoreManifest, edit: VersionEdit): void {
  numbers.raise(edit.nextNumber ?? 1);
  manifest.apply(edit);
}

/** Fails the check unless the states are alike. */
export function judgeState(found: ManifestState, expected: ManifestState, when: string): void {
  expectThat(stateText(found) === stateText(expected), () => ({
    happened: `${when}, the state should be: ${stateLine(expected)}. Yours: ${stateLine(found)}.`,
    why: "The tables that the manifest does not name are removed at the next opening. Those that it names too many are missing at the next lookup.",
  }));
}

/** Names of manifests. */
export function manifests(disk: SimulatedDisk): string[] {
  return disk.list(DIR).filter((name) => name.startsWith("manifest-"));
}

/** Bytes written to the files in a directory. */
export function sizeOf(disk: SimulatedDisk, dir: string): number {
  return disk
    .list(dir)
    .reduce((sum, name) => sum + writtenLength(disk.content(`${dir}/${name}`)), 0);
}

/** The last number of a mark may end in this many zeros. */
const ZEROS_WRITTEN_MAX = 8;

/** Where the content of a log ends: a log may make room ahead, and that is zeros. */
export function writtenLength(content: Bytes): number {
  const last = content.findLastIndex((byte) => byte !== 0);
  return Math.min(content.length, last + 1 + ZEROS_WRITTEN_MAX);
}
