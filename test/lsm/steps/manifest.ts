/**
 * Step 04.4: which tables count. Method: random edits against the states that they lead to, the
 * power cut at every operation of the disk; damage, failures and growth by hand.
 */
import { errorText } from "#base";
import { type Check, expectThat, fail, type Step } from "#learn";
import { applyEdit, type ManifestState, manifestPath, type VersionEdit } from "#lsm";
import { createSimulatedDisk, isPowerCut } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { openWal } from "#wal";
import { stateText, tableOf } from "../manifest-lab.ts";
import { failedEdit, killed, noSnapshot, tornTail } from "./manifest-damage.ts";
import {
  apply,
  editLine,
  judgeState,
  manifests,
  open,
  randomHistory,
  sizeOf,
  stateLine,
} from "./manifest-history.ts";
import type { LsmSubject, OpenedStoreManifest } from "./subject.ts";
import { count, DIR, list, timelineOf } from "./words.ts";

type ManifestCheck = Check<LsmSubject>;

const roundTrip: ManifestCheck = {
  name: "what was applied is there when it is opened again",
  kind: "unit",
  rule: "L2",
  async run(subject, { seed }) {
    for (let round = 0; round < 8; round += 1) {
      const { edits, states } = randomHistory(seed * 100 + round);
      const disk = createSimulatedDisk();
      let opened = open(subject, disk);
      for (const [at, edit] of edits.entries()) {
        apply(opened, edit);
        judgeState(
          opened.manifest.state,
          states[at + 1]!,
          `After ${count(at + 1, "edit")}, in memory`,
        );
        if (at % 3 !== 2) continue;
        await opened.manifest.close();
        opened = open(subject, disk);
        judgeState(opened.manifest.state, states[at + 1]!, "Closed and opened again");
      }
    }
  },
};

const powerCuts: ManifestCheck = {
  name: "after a power cut, the state is the one before an edit or after it",
  kind: "crash",
  rule: "L2",
  run(subject, { seed }) {
    const { edits, states } = randomHistory(seed);
    const whole = createSimulatedDisk();
    playUntilCut(subject, whole, edits);
    for (let point = seed % 2; point <= whole.operations; point += 2) {
      const disk = createSimulatedDisk({ seed });
      disk.cutPowerAt(point);
      const done = playUntilCut(subject, disk, edits);
      for (let s = 0; s < 2; s += 1) {
        const crashed = disk.crash(seed * 10 + s);
        const at = judgeAfterCut(subject, crashed, { done, edits, states, cut: disk });
        judgeGoingOn(subject, crashed, { at, edits, states, seed: seed * 20 + s });
      }
    }
  },
};

interface CutHistory {
  readonly edits: readonly VersionEdit[];
  readonly states: readonly ManifestState[];
}

/** @returns how many edits were acknowledged; -1: not even the opening was. */
function playUntilCut(
  subject: LsmSubject,
  disk: SimulatedDisk,
  edits: readonly VersionEdit[],
): number {
  let done = -1;
  try {
    const opened = open(subject, disk);
    done = 0;
    for (const edit of edits) {
      apply(opened, edit);
      done += 1;
    }
  } catch (error) {
    if (!isPowerCut(error)) throw error;
  }
  return done;
}

/** @returns which state was found. */
function judgeAfterCut(
  subject: LsmSubject,
  disk: SimulatedDisk,
  at: CutHistory & { readonly done: number; readonly cut: SimulatedDisk },
): number {
  const { done, states, edits, cut } = at;
  const acked = Math.max(0, done);
  const tale = `${count(acked, "edit")} had been acknowledged when the power was cut at operation ${cut.operations - 1}${done >= 0 && done < edits.length ? `, inside of edit ${done + 1} (${editLine(edits[done]!)})` : ""}`;
  const timeline = [...timelineOf(cut), "      power cut"];
  let opened: OpenedStoreManifest;
  try {
    opened = open(subject, disk);
  } catch (error) {
    fail(
      {
        happened: `${tale}. The disk is sound: it holds what a crash may leave. Your openManifest refused to open it: ${errorText(error)}`,
        why: "A database that does not come back after a power cut is lost for its owner, though every byte of it is there.",
        timeline,
      },
      error,
    );
  }
  const text = stateText(opened.manifest.state);
  const allowed = done < edits.length ? [acked, acked + 1] : [acked];
  const found = allowed.find((index) => text === stateText(states[index]!));
  if (found !== undefined) return found;
  fail({
    happened: `${tale}. The state must be the one after ${allowed.map((index) => `edit ${index}`).join(" or ")}: ${stateLine(states[acked]!)}. Your openManifest came back with: ${stateLine(opened.manifest.state)}.`,
    why: "An edit takes tables out and puts others in. Half of one names files that are gone, or forgets files that hold acknowledged writes.",
    timeline,
  });
}

/** The rest of the edits, another crash, and the state is still right. */
function judgeGoingOn(
  subject: LsmSubject,
  disk: SimulatedDisk,
  from: CutHistory & { readonly at: number; readonly seed: number },
): void {
  const { at, edits, states, seed } = from;
  const next = edits[at];
  if (next === undefined) return;
  const before = disk.operations;
  const second = disk.kill();
  const life = open(subject, second);
  life.removeLeftovers();
  apply(life, next);
  const { state } = open(subject, second.crash(seed)).manifest;
  expectThat(stateText(state) === stateText(states[at + 1]!), () => ({
    happened: `After a first crash the manifest was opened, what was left over was removed, and an edit was applied (${editLine(next)}). Then the power was cut again. The state should be: ${stateLine(states[at + 1]!)}. Yours is: ${stateLine(state)}.`,
    why: "Recovery is a moment like any other: what is acknowledged after it counts as much.",
    timeline: timelineOf(second, before),
  }));
}

const growth: ManifestCheck = {
  name: "a manifest that has grown is begun anew, and the old one goes",
  kind: "unit",
  rule: "L2",
  async run(subject) {
    const disk = createSimulatedDisk();
    const opened = open(subject, disk, 600);
    let state = opened.manifest.state;
    const names = new Set(manifests(disk));
    for (let at = 1; at <= 80; at += 1) {
      const nextNumber = 200 + at;
      const table = tableOf(nextNumber - 1, { smallest: "a", largest: "z" }, at);
      const add = at % 10 === 0 ? [{ level: 0, run: nextNumber - 1, table }] : [];
      const edit = { remove: [], add, logFrom: at + 1, nextNumber, sequence: at };
      apply(opened, edit);
      state = applyEdit(state, edit);
      for (const name of manifests(disk)) names.add(name);
    }
    await opened.manifest.close();
    const now = manifests(disk);
    const bytes = now.reduce((sum, name) => sum + sizeOf(disk, `${DIR}/${name}`), 0);
    expectThat(names.size > 1 && bytes < GROWN_BYTES_MAX, () => ({
      happened: `80 edits were applied, and rollBytes is 600. ${names.size === 1 ? "Your manifest was never begun anew" : `${names.size} manifests were begun`}; there ${now.length === 1 ? "is" : "are"} ${list(now)} now, of ${bytes} bytes.`,
      why: "Each opening reads the manifest from its first edit on. One that only grows makes a restart slower with every day that the database has lived.",
      timeline: timelineOf(disk),
    }));
    expectThat(now.length === 1, () => ({
      happened: `New manifests have taken over, and the old ones should be gone. In the directory are ${list(now)}.`,
      why: "What is not removed when it stops counting is removed by nobody before the next opening.",
      timeline: timelineOf(disk),
    }));
    judgeState(open(subject, disk.crash(1)).manifest.state, state, "After a power cut");
  },
};

/** A snapshot of eight tables, 600 bytes of edits, and what the log adds to each. */
const GROWN_BYTES_MAX = 4000;

const numbersAbove: ManifestCheck = {
  name: "the next number is above every number in use",
  kind: "unit",
  rule: "L7",
  async run(subject) {
    const disk = createSimulatedDisk();
    const { manifest } = open(subject, disk);
    manifest.apply({ remove: [], add: [], nextNumber: 90 });
    await manifest.close();
    const first = open(subject, disk).numbers.next;
    for (const name of ["000120.sst", "000131.sst.tmp"])
      disk.open(`${DIR}/${name}`, "create-new").close();
    disk.makeDir(`${DIR}/log-000140`);
    const second = open(subject, disk.kill()).numbers.next;
    for (const [next, least, where] of [
      [first, 90, "the manifest says that every number below 90 may have been used"],
      [second, 141, "the directory holds 000120.sst, 000131.sst.tmp and log-000140"],
    ] as const) {
      expectThat(next >= least, () => ({
        happened: `${where[0]!.toUpperCase()}${where.slice(1)}. The next number must be ${least} or more; your counter says ${next}.`,
        why: "Table 120 is removed, and a new table becomes 120. The power goes: the removal was not durable, the old file was. The manifest says 120, and means the other one.",
      }));
    }
  },
};

const leftovers: ManifestCheck = {
  name: "manifests that count no more are removed when asked, and nothing else",
  kind: "unit",
  rule: "L2",
  run(subject) {
    const disk = createSimulatedDisk();
    open(subject, disk);
    const kept = disk.list(DIR);
    const tables = ["000050.sst", "notes.txt"];
    for (const name of tables) disk.open(`${DIR}/${name}`, "create-new").close();
    openWal({ disk, dir: manifestPath(DIR, 40), preallocateBytes: 0 }, () => {});
    disk.open(`${DIR}/CURRENT.replacing`, "create-new").close();
    const second = disk.kill();
    open(subject, second).removeLeftovers();
    const names = second.list(DIR).filter((name) => !name.startsWith("LOCK"));
    const expected = [...kept, ...tables].sort();
    expectThat(names.join() === expected.join(), () => ({
      happened: `A crash had left manifest-000040 and CURRENT.replacing. After removeLeftovers the directory should hold ${list(expected)}. It holds ${list(names)}.`,
      why: "Tables are not the manifest's to remove: whether they count is asked later, when all that counts was found.",
      timeline: timelineOf(second),
    }));
  },
};

/** The step. */
export const naming: Step<LsmSubject> = {
  id: "04.4",
  checks: [
    roundTrip,
    powerCuts,
    growth,
    tornTail,
    noSnapshot,
    failedEdit,
    killed,
    numbersAbove,
    leftovers,
  ],
};
