/**
 * Step 04.6: several runs become one. Method: random runs on a simulated disk, every reader
 * compared before and after; then a store that compacts, power cuts, and a scan under way.
 */
import { compareBytes } from "#bytes";
import { type Check, expectThat, type Step } from "#learn";
import { createSimulatedDisk, seededRandom } from "#platform";
import type { Random } from "#platform/types";
import type { TableMeta } from "#sstable/types";
import { compareEntries, type Entry, randomEntries } from "../array-cursor.ts";
import { contentOf, MERGE_ALL, openOn, randomHistory, someCrashes } from "./store-lab.ts";
import type { LsmSubject, Store } from "./subject.ts";
import {
  compactAll,
  createTestIo,
  entriesOf,
  finish,
  jobOf,
  SHAPE,
  seenIn,
  type TestIo,
  values,
  writeTable,
} from "./tables.ts";
import { b, count, DIR, list, t, timelineOf } from "./words.ts";

type CompactionCheck = Check<LsmSubject>;

/** Random versions in runs by age: of each key, what is newer is in the newer run. */
function randomRuns(io: TestIo, random: Random): { runs: TableMeta[][]; entries: Entry[] } {
  const entries = randomEntries(random, 20 + random.below(100));
  const byAge = [...entries].sort((one, other) => other.sequence - one.sequence);
  const runs: TableMeta[][] = [];
  while (byAge.length > 0) {
    const some = byAge.splice(0, 1 + random.below(40)).sort(compareEntries);
    runs.push([writeTable(io, some)]);
  }
  return { runs, entries };
}

const sameForReaders: CompactionCheck = {
  name: "no reader, at any snapshot, sees a difference",
  kind: "model",
  rule: "L1",
  run(subject, { seed }) {
    for (let round = 0; round < 25; round += 1) {
      const random = seededRandom(seed * 100 + round);
      const io = createTestIo(createSimulatedDisk());
      const { runs, entries } = randomRuns(io, random);
      const snapshots = entries.map((_, at) => at + 1).filter(() => random.below(12) === 0);
      const job = jobOf(runs, { snapshots });
      const { tables } = finish(subject.runCompaction(job, io));
      const found = entriesOf(io, tables);
      for (const at of [...snapshots, Number.MAX_SAFE_INTEGER]) {
        const [before, after] = [seenIn(entries, at), seenIn(found, at)];
        if (before.join() === after.join()) continue;
        const reader = at === Number.MAX_SAFE_INTEGER ? "now" : `the snapshot ${at}`;
        const lost = before.filter((line) => !after.includes(line));
        const odd = after.filter((line) => !before.includes(line));
        expectThat(false, () => ({
          happened: `${count(runs.length, "run")} with ${entries.length} random versions were compacted. A reader at ${reader} saw ${before.length} keys before and ${after.length} after. Missing: ${lost[0] ?? "none"}; new: ${odd[0] ?? "none"} (key=value in hexadecimal).`,
          why: "A compaction is housekeeping. What it changes for one reader, somebody has lost.",
        }));
      }
      io.close();
    }
  },
};

const outputs: CompactionCheck = {
  name: "outputs are split at the target size, and do not overlap",
  kind: "unit",
  rule: "L6",
  run(subject) {
    const io = createTestIo(createSimulatedDisk());
    // A key with many versions that snapshots need: it must not be cut in two.
    const hot = Array.from({ length: 120 }, (_, at) => ({
      key: b("key 050"),
      value: b(`version ${at}`),
      sequence: 5000 + at,
    }));
    const young = writeTable(io, [...hot].sort(compareEntries));
    const old = writeTable(io, values(200, 1));
    const snapshots = hot.map(({ sequence }) => sequence);
    const job = jobOf([[young], [old]], { snapshots });
    const { tables } = finish(subject.runCompaction(job, io));
    const lines = tables.map(
      ({ id, smallest, largest, bytes }) =>
        `table ${id}  "${t(smallest)}" to "${t(largest)}"  ${bytes} bytes`,
    );
    const bad = tables.findIndex(
      (table, at) => at > 0 && compareBytes(tables[at - 1]!.largest, table.smallest) >= 0,
    );
    expectThat(bad < 0, () => ({
      happened: `Your outputs ${bad} and ${bad + 1} overlap: the first ends with "${t(tables[bad - 1]!.largest)}", the second begins with "${t(tables[bad]!.smallest)}".`,
      why: "A search asks one table of a run. With versions of one key in two of them, it asks the wrong one half of the time.",
      timeline: lines,
    }));
    const most = 4 * SHAPE.tableBytesMax;
    const large = tables.filter(({ bytes }) => bytes > most);
    expectThat(tables.length >= 3 && large.length === 0, () => ({
      happened: `${200 + hot.length} versions were compacted, and a new table should begin at ${SHAPE.tableBytesMax} bytes. Your outputs are ${count(tables.length, "table")}, the largest of ${Math.max(...tables.map(({ bytes }) => bytes))} bytes.`,
      why: "A compaction rewrites whole tables. With one huge table in a level, each later one rewrites all of it.",
      timeline: lines,
    }));
    const versions = entriesOf(io, tables).length;
    expectThat(versions >= 199 + hot.length, () => ({
      happened: `A key with ${hot.length} versions, each needed by a snapshot, and 199 other keys were compacted. ${versions} versions are in your outputs.`,
      why: "The split must not lose what lies at its border.",
      timeline: lines,
      rule: "L5",
    }));
  },
};

const failing: CompactionCheck = {
  name: "a job that fails or is given up removes its outputs, and leaves its inputs",
  kind: "fault",
  rule: "L2",
  run(subject) {
    for (const [what, end] of [
      ["the disk was full when its third table was begun", "fault"],
      ["its caller gave it up after the second slice", "return"],
    ] as const) {
      const disk = createSimulatedDisk();
      const io = createTestIo(disk);
      const big = "x".repeat(600);
      const inputs = [writeTable(io, values(200, 1000, big)), writeTable(io, values(200, 1, big))];
      const before = disk.list(DIR);
      const from = disk.operations;
      const job = jobOf(
        inputs.map((table) => [table]),
        { shape: { ...SHAPE, tableBytesMax: 20_000 } },
      );
      const run = subject.runCompaction(job, io);
      if (end === "fault")
        disk.plan({ operation: "open", fault: "ENOSPC", after: 2, path: ".sst" });
      try {
        if (end === "return") {
          for (let slice = 0; slice < 2 && run.next().done !== true; slice += 1);
          run.return(undefined as never);
        } else finish(run);
      } catch {
        // As it should be: what counts is what is left.
      }
      const after = disk.list(DIR);
      const left = after.filter((name) => !before.includes(name));
      const gone = before.filter((name) => !after.includes(name));
      expectThat(left.length === 0, () => ({
        happened: `A compaction was under way when ${what}. It left ${list(left)} behind.`,
        why: "Nobody will ever name these tables. On a disk that is full already, each attempt makes it fuller.",
        timeline: timelineOf(disk, from),
      }));
      expectThat(gone.length === 0, () => ({
        happened: `A compaction was under way when ${what}. Its input ${list(gone)} is gone.`,
        why: "The manifest still names the inputs, and nothing has taken their place.",
        rule: "L3",
        timeline: timelineOf(disk, from),
      }));
    }
  },
};

/** Memtables that hold all of {@link twoRuns}. */
const ROOMY = { memtableBytesMax: 2 ** 22, picker: MERGE_ALL } as const;

/** A store with two runs that a compaction would merge, each of many blocks. */
function twoRuns(store: Store, valueBytes = 20): void {
  for (const round of [1, 2]) {
    for (let at = 0; at < 30; at += 1) {
      store.put(
        b(`key ${String(at).padStart(2, "0")}`),
        b(`value ${at} of round ${round}`.padEnd(valueBytes)),
      );
    }
    store.flush();
  }
}

const heldFiles: CompactionCheck = {
  name: "a scan under way keeps its tables, and they go when it is over",
  kind: "unit",
  rule: "L4",
  run(subject) {
    const disk = createSimulatedDisk();
    const store = openOn(subject, disk, ROOMY);
    // More than any read-ahead takes at once: the scan must come back to its files.
    twoRuns(store, 16_000);
    const inputs = tablesIn(disk);
    const scan = store.scan();
    const found = [textOf(scan.next())];
    const from = disk.operations;
    let steps = 0;
    while (store.step() && steps < 200) steps += 1;
    // The caller's memory of open files is not to help: what is unlinked is gone.
    const error = attempt(() => {
      for (const [key, value] of scan) found.push(`${t(key)}=${t(value)}`);
    });
    const gone = inputs.filter((name) => disk.trace.some(isUnlinkOf(name)));
    expectThat(error === null && found.length === 30, () => ({
      happened: `A scan over 30 keys had given the first one. Then a compaction merged the two tables that it reads (${list(inputs)}). The scan went on and gave ${found.length} keys in all${error === null ? "" : `, and then failed: ${error}`}. Unlinked meanwhile: ${list(gone)}.`,
      why: "A report had read half of the customers. The other half came from files that were gone, or already somebody else's.",
      timeline: timelineOf(disk, from),
    }));
    const old = found.find((line) => !line.includes("round 2"));
    expectThat(old === undefined, () => ({
      happened: `A scan that was under way during a compaction gave "${(old ?? "").slice(0, 40).trim()}", a value that had been overwritten before the scan began.`,
      why: "A scan shows one moment. Half of it must not be of another.",
    }));
    while (store.step());
    const left = tablesIn(disk).filter((name) => inputs.includes(name));
    expectThat(left.length === 0, () => ({
      happened: `The scan is over, nobody reads ${list(inputs)} any more, and the manifest has let go of them. ${list(left)} ${left.length === 1 ? "is" : "are"} still in the directory.`,
      why: "Space that a compaction has freed is not free: the disk fills up until the next restart.",
      timeline: timelineOf(disk, from),
    }));
  },
};

function isUnlinkOf(name: string) {
  return ({ operation, path }: { operation: string; path: string }): boolean =>
    operation === "unlink" && path === `${DIR}/${name}`;
}

function tablesIn(disk: { list(dir: string): string[] }): string[] {
  return disk.list(DIR).filter((name) => name.endsWith(".sst"));
}

function textOf(next: IteratorResult<[Uint8Array, Uint8Array]>): string {
  return next.done === true ? "" : `${t(next.value[0])}=${t(next.value[1])}`;
}

function attempt(run: () => void): string | null {
  try {
    run();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const order: CompactionCheck = {
  name: "inputs are unlinked after the manifest has let go of them",
  kind: "unit",
  rule: "L3",
  run(subject) {
    const disk = createSimulatedDisk();
    const store = openOn(subject, disk, ROOMY);
    twoRuns(store);
    const before = contentOf(store);
    const inputs = tablesIn(disk);
    const from = disk.operations;
    while (store.step());
    const { trace } = disk;
    const edit = trace.findLast(
      ({ operation, path, sequence }) =>
        sequence >= from && operation === "sync" && path.includes("manifest-"),
    );
    const unlink = trace.find((line) => inputs.some((name) => isUnlinkOf(name)(line)));
    expectThat(edit !== undefined, () => ({
      happened: `Level 0 has two runs, and the picker says that they are to be merged. step was called until it said that nothing is left. The manifest was never told.`,
      why: "Outputs that no manifest names are rubbish at the next opening.",
      timeline: timelineOf(disk, from),
    }));
    expectThat(unlink !== undefined && unlink.sequence > edit.sequence, () => ({
      happened:
        unlink === undefined
          ? `The inputs ${list(inputs)} were merged, the manifest has let go of them, and they were never unlinked.`
          : `Your compaction unlinked an input (operation ${unlink.sequence}) before the edit that takes it out of the manifest was durable (operation ${edit.sequence}).`,
      why: "If the power goes in between, the manifest names a file that is gone. The engine does not open any more.",
      timeline: timelineOf(disk, from),
    }));
    const after = contentOf(store);
    expectThat([...before].join() === [...after].join(), () => ({
      happened: `Before the compaction a scan gave ${before.size} keys, after it ${after.size}.`,
      why: "A compaction changes where a value lies, never what it is.",
      rule: "L1",
    }));
  },
};

const powerCuts: CompactionCheck = {
  name: "a power cut in a compaction leaves the inputs or the outputs",
  kind: "crash",
  rule: "L3",
  run(subject, { seed }) {
    const history = randomHistory(seed + 3, { calls: 30, options: { picker: MERGE_ALL } });
    someCrashes(subject, history, { seed, stride: 4 });
  },
};

const slices: CompactionCheck = {
  name: "a long compaction gives the turn back between slices",
  kind: "property",
  rule: "L8",
  run(subject) {
    const io = createTestIo(createSimulatedDisk());
    const big = "x".repeat(1000);
    const shape = { ...SHAPE, blockBytes: 4096, tableBytesMax: 10_000_000 };
    const tables = [values(300, 1000, big), values(300, 1, big)].map((entries) =>
      writeTable(io, entries, shape),
    );
    const run = subject.runCompaction(
      jobOf(
        tables.map((table) => [table]),
        { shape },
      ),
      io,
    );
    let slicesRun = 1;
    while (run.next().done !== true) slicesRun += 1;
    expectThat(slicesRun >= 3, () => ({
      happened: `600 KiB were compacted. Your runCompaction did all of it in ${count(slicesRun, "slice")}.`,
      why: "There is one thread. A compaction of some gigabytes that never gives it back is an outage.",
    }));
    const left = compactAll(subject, io, { newestFirst: tables.map((table) => [table]) });
    expectThat(left.tables.length > 0, () => ({
      happened: "The same compaction, run once more, made no table.",
      why: "A job is run again after a failure: it must not depend on what an earlier one left.",
    }));
  },
};

/** The step. */
export const compacting: Step<LsmSubject> = {
  id: "04.6",
  checks: [sameForReaders, outputs, failing, order, heldFiles, powerCuts, slices],
};
