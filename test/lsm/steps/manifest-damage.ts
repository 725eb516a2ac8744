/**
 * Step 04.4, when something goes wrong: damage, a manifest that does not begin as it should, and a
 * disk that fails once.
 */
import { errorText, isCairnError } from "#base";
import { type Check, expectThat, fail } from "#learn";
import {
  EMPTY_STATE,
  encodeEdit,
  encodeSnapshot,
  type ManifestState,
  manifestPath,
  type VersionEdit,
  writeCurrent,
} from "#lsm";
import { createSimulatedDisk } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { openWal } from "#wal";
import {
  apply,
  EDITS,
  judgeState,
  manifests,
  open,
  randomHistory,
  stateLine,
  writtenLength,
} from "./manifest-history.ts";
import type { LsmSubject } from "./subject.ts";
import { DIR, timelineOf } from "./words.ts";

type ManifestCheck = Check<LsmSubject>;

/** A manifest with some edits, closed properly. @returns its segment. */
async function sound(subject: LsmSubject, disk: SimulatedDisk): Promise<string> {
  const opened = open(subject, disk, 100_000);
  for (const edit of randomHistory(3).edits) apply(opened, edit);
  await opened.manifest.close();
  const dir = `${DIR}/${manifests(disk)[0]}`;
  return `${dir}/${disk.list(dir)[0]}`;
}

/** See its name. */
export const tornTail: ManifestCheck = {
  name: "a torn last edit is dropped, and damage in the middle is an error",
  kind: "fault",
  rule: "L2",
  async run(subject) {
    const { states } = randomHistory(3);
    const torn = createSimulatedDisk();
    const file = await sound(subject, torn);
    const handle = torn.open(file, "read-write");
    handle.write(writtenLength(torn.content(file)), new Uint8Array(40).fill(0xa5));
    handle.close();
    const { state } = open(subject, torn).manifest;
    judgeState(
      state,
      states[EDITS]!,
      "The last edit was torn: 40 bytes of it had reached the disk. Opened",
    );

    const damaged = createSimulatedDisk();
    const path = await sound(subject, damaged);
    const middle = Math.floor(writtenLength(damaged.content(path)) / 2);
    damaged.flipBit(path, middle, 3);
    const before = damaged.content(path);
    let error: unknown = null;
    let found: ManifestState | null = null;
    try {
      found = open(subject, damaged).manifest.state;
    } catch (thrown) {
      error = thrown;
    }
    const isTold = isCairnError(error, "LSM_CORRUPT") || isCairnError(error, "WAL_CORRUPT");
    expectThat(isTold, () => ({
      happened: `One bit of byte ${middle} of the manifest was flipped, with acknowledged edits before and behind it. openManifest should throw LSM_CORRUPT or WAL_CORRUPT. Yours ${found === null ? `threw ${errorText(error)}` : `opened with: ${stateLine(found)}`}.`,
      why: "Edits behind the damage were acknowledged. An engine that opens without them takes its tables for rubbish, and removes them.",
      bytes: {
        title: path,
        bytes: before.subarray(middle - 8, middle + 24),
        offset: middle - 8,
        fields: [{ at: 8, bytes: 1, name: "flipped" }],
      },
    }));
    const after = damaged.content(path);
    expectThat(Buffer.compare(before, after) === 0, () => ({
      happened: `openManifest refused a damaged manifest, and changed the file: it had ${before.length} bytes before and has ${after.length} now.`,
      why: "Somebody will try to repair it. What you have cut off is what they need.",
    }));
  },
};

/** Directories that are synced while manifests are begun: as many are tried. */
const SYNCS_TRIED = 6;

/** See its name. */
export const noSnapshot: ManifestCheck = {
  name: "a manifest that does not begin with a snapshot is refused",
  kind: "mistake",
  rule: "L2",
  run(subject) {
    const edit: VersionEdit = { remove: [], add: [], logFrom: 7 };
    for (const [what, records] of [
      ["an edit, and no snapshot before it", [encodeEdit(edit)]],
      ["nothing at all", []],
      ["two snapshots", [encodeSnapshot(EMPTY_STATE), encodeSnapshot(EMPTY_STATE)]],
    ] as const) {
      const disk = createSimulatedDisk();
      disk.makeDir(DIR);
      const { wal } = openWal({ disk, dir: manifestPath(DIR, 3), preallocateBytes: 0 }, () => {});
      for (const record of records) wal.append(record);
      wal.sync();
      writeCurrent(disk, DIR, 3);
      let outcome = "opened it";
      let cause: unknown;
      try {
        open(subject, disk);
      } catch (error) {
        if (isCairnError(error, "LSM_CORRUPT")) continue;
        outcome = `threw ${errorText(error)}`;
        cause = error;
      }
      fail(
        {
          happened: `CURRENT names a manifest that holds ${what}. openManifest should throw LSM_CORRUPT; yours ${outcome}.`,
          why: "An engine that starts from nothing, though there was something, removes every table as rubbish.",
        },
        cause,
      );
    }
  },
};

/** See its name. */
export const failedEdit: ManifestCheck = {
  name: "after an edit that failed, the state is the old one, and the next edit works",
  kind: "fault",
  rule: "L2",
  run(subject, { seed }) {
    for (const operation of ["write", "sync"] as const) {
      const disk = createSimulatedDisk();
      const { manifest } = open(subject, disk, 100_000);
      const edits: VersionEdit[] = [5, 9, 14].map((logFrom) => ({ remove: [], add: [], logFrom }));
      manifest.apply(edits[0]!);
      const from = disk.operations;
      disk.plan({ operation, fault: "EIO", after: 0, path: "manifest-" });
      let failed = false;
      try {
        manifest.apply(edits[1]!);
      } catch {
        failed = true;
      }
      expectThat(failed && manifest.state.logFrom === 5, () => ({
        happened: `The disk failed at the first ${operation} of an edit that sets logFrom from 5 to 9. ${failed ? `Afterwards your state says ${manifest.state.logFrom}` : "Your apply returned as if nothing had happened"}.`,
        why: "Whoever believes the new state retires the log up to record 9. After a crash the manifest may say 5, and those records are gone.",
        timeline: timelineOf(disk, from),
      }));
      let again: unknown = null;
      try {
        manifest.apply(edits[2]!);
      } catch (error) {
        again = error;
      }
      expectThat(again === null, () => ({
        happened: `An edit failed because the disk failed once, at a ${operation}. The disk is well again; the next edit failed all the same: ${errorText(again)}`,
        why: "A file that met a failure is never trusted again. So the next edit begins a new one; without that, one bad moment of the disk ends all flushes until somebody restarts the engine.",
        timeline: timelineOf(disk, from),
      }));
      for (let s = 0; s < 4; s += 1) {
        const { state } = open(subject, disk.crash(seed * 4 + s)).manifest;
        expectThat(state.logFrom === 14, () => ({
          happened: `An edit failed at a ${operation}, the next one (logFrom 14) was acknowledged. After a power cut logFrom is ${state.logFrom}.`,
          why: "The acknowledged edit was added behind bytes that nobody can vouch for: recovery stops there, and never comes to it.",
          timeline: timelineOf(disk, from),
        }));
      }
    }
  },
};

/** See its name. */
export const killed: ManifestCheck = {
  name: "what a killed process has left is durable before an edit is added to it",
  kind: "fault",
  rule: "L2",
  run(subject, { seed }) {
    for (let after = 0; after < SYNCS_TRIED; after += 1) {
      const disk = createSimulatedDisk();
      const { manifest } = open(subject, disk, 1);
      disk.plan({ operation: "syncDir", fault: "EIO", after });
      try {
        for (const logFrom of [5, 9, 14]) manifest.apply({ remove: [], add: [], logFrom });
      } catch {
        // As far as it came: the process ends here.
      }
      const second = disk.kill();
      open(subject, second, 100_000).manifest.apply({ remove: [], add: [], logFrom: 30 });
      for (let s = 0; s < 4; s += 1) {
        const { state } = open(subject, second.crash(seed * 4 + s)).manifest;
        expectThat(state.logFrom === 30, () => ({
          happened: `A process was killed just before it synced a directory, while it began a new manifest. The next one opened the manifest on the same machine, and an edit was acknowledged (logFrom 30). After a power cut logFrom is ${state.logFrom}.`,
          why: "CURRENT led to the new manifest in memory only. The edit is durable in a file that, after the power cut, nobody is led to.",
          timeline: timelineOf(second, 0),
        }));
      }
    }
  },
};
