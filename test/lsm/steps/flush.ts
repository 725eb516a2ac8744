/**
 * Step 04.3: a memtable becomes a table, and the log may forget. Method: a real log and real tables
 * on a simulated disk, and a manifest of this check's own that says what was durable when it was
 * called; power cuts at every point; a disk that is full.
 */
import { replaceFile } from "#bytes";
import { type Check, expectThat, type Lesson, type Step } from "#learn";
import { applyEdit, createNumbers, EMPTY_STATE, type ManifestState, type VersionEdit } from "#lsm";
import { createMemtable } from "#memtable";
import type { Memtable } from "#memtable/types";
import { createSimulatedDisk, isPowerCut, seededRandom } from "#platform";
import type { DiskOperation, SimulatedDisk } from "#platform/types";
import { openWal } from "#wal";
import type { Wal } from "#wal/types";
import { arrayCursor, randomEntries } from "../array-cursor.ts";
import type { LsmSubject } from "./subject.ts";
import {
  createTestIo,
  deletions,
  entriesOf,
  finish,
  keyText,
  SHAPE,
  seenIn,
  type TestIo,
  values,
} from "./tables.ts";
import { b, count, DIR, list, t, timelineOf } from "./words.ts";

type FlushCheck = Check<LsmSubject>;

const LOG = `${DIR}/log-000001`;
const MANIFEST = `${DIR}/MANIFEST`;
const RECORDS = 24;

/** What a flush is given, and what it did. */
interface Scene {
  readonly disk: SimulatedDisk;
  readonly wal: Wal;
  readonly io: TestIo;
  readonly state: () => ManifestState;
  readonly edits: VersionEdit[];
  /** Broken promises that the manifest noticed when it was called. */
  readonly noticed: string[];
  readonly flush: (options?: { readonly records?: number }) => void;
}

function openLog(disk: SimulatedDisk, onKey: (lsn: number, key: string) => void): Wal {
  // Small segments, so that retiring the log can be seen.
  const options = { disk, dir: LOG, segmentBytesMax: 400, preallocateBytes: 0 };
  return openWal(options, ({ lsn, payload }) => onKey(lsn, t(payload))).wal;
}

/** A log with a record for each key, and a memtable with the same; all of it acknowledged. */
function setScene(subject: LsmSubject, disk: SimulatedDisk, fill = fillWithValues): Scene {
  const io = createTestIo(disk, 2);
  const wal = openLog(disk, () => {});
  for (let at = 0; at < RECORDS; at += 1) wal.append(b(keyText(at)));
  wal.sync();
  let state = EMPTY_STATE;
  const edits: VersionEdit[] = [];
  const noticed: string[] = [];
  const numbers = createNumbers(20);
  const manifest = {
    get state() {
      return state;
    },
    apply(edit: VersionEdit): void {
      const next = applyEdit(state, edit);
      for (const { table } of edit.add) {
        if (disk.durable(io.pathOf(table.id)) === undefined) {
          noticed.push(`the name of table ${table.id} was not durable`);
        }
      }
      const { logFrom } = next;
      if (wal.durableLsn < logFrom - 1) {
        noticed.push(
          `the log is durable up to record ${wal.durableLsn}, and logFrom is ${logFrom}`,
        );
      }
      const ids = next.version.runs.flatMap(({ tables }) => tables.map(({ id }) => id));
      replaceFile(disk, MANIFEST, b(JSON.stringify({ logFrom, ids })));
      edits.push(edit);
      state = next;
    },
    close: async () => {},
  };
  const target = {
    io: { ...io, allocateId: () => numbers.take() },
    ...{ shape: SHAPE, manifest, wal, numbers },
  };
  const flush: Scene["flush"] = ({ records = RECORDS } = {}) => {
    const memtable = createMemtable();
    fill(memtable, records);
    memtable.freeze();
    const frozen = { memtable, sequence: records, logBefore: records + 1 };
    const run = subject.flushMemtable(frozen, target);
    for (let slice = run.next(); slice.done !== true; ) slice = run.next();
  };
  return { disk, wal, io, state: () => state, edits, noticed, flush };
}

function fillWithValues(memtable: Memtable, records: number): void {
  for (let at = 0; at < records; at += 1) memtable.put(b(keyText(at)), b(`value ${at}`), at + 1);
}

const order: FlushCheck = {
  name: "the table is durable, then the manifest, then the log is retired",
  kind: "unit",
  rule: "L3",
  run(subject) {
    const disk = createSimulatedDisk();
    const scene = setScene(subject, disk);
    const from = disk.operations;
    scene.flush();
    const { trace } = disk;
    const firstRetired = trace.find(
      (line) => line.sequence >= from && line.operation === "unlink" && line.path.startsWith(LOG),
    );
    const turned = trace.findLast(({ operation, path }) => operation === "syncDir" && path === DIR);
    const manifestAt = trace.find(
      ({ sequence, path }) => sequence >= from && path.startsWith(MANIFEST),
    );
    const tooEarly =
      firstRetired !== undefined &&
      (manifestAt === undefined || firstRetired.sequence < (turned?.sequence ?? 0));
    expectThat(scene.edits.length > 0, () => ({
      happened: `A memtable with ${RECORDS} keys was flushed, and the manifest was never asked to apply an edit.`,
      why: "A table that no manifest names belongs to nobody: the next opening removes it.",
      timeline: timelineOf(disk, from),
    }));
    expectThat(!tooEarly, () => ({
      happened: `Your flush retired a segment of the log (operation ${firstRetired?.sequence}) before the manifest that names the table was durable (operation ${turned?.sequence}).`,
      why: "If the power goes in between, the writes are in a log that is gone and in a table that nobody knows. A minute of orders is in neither.",
      timeline: timelineOf(disk, from),
    }));
    expectThat(scene.noticed.length === 0, () => ({
      happened: `When your flush applied its edit, ${list(scene.noticed)}.`,
      why: "The manifest is believed without asking. What it names must be on the disk before it says so.",
      timeline: timelineOf(disk, from),
    }));
    expectThat(firstRetired !== undefined && scene.wal.firstLsn > 1, () => ({
      happened: `All ${RECORDS} records of the log are in a table that the manifest names, and none of its segments was retired: the log still begins at record ${scene.wal.firstLsn}.`,
      why: "A log that never forgets fills the disk, and each opening replays it from the first day on.",
      timeline: timelineOf(disk, from),
    }));
  },
};

const edit: FlushCheck = {
  name: "the edit says what was flushed, and where replay begins",
  kind: "unit",
  rule: "L2",
  run(subject) {
    const scene = setScene(subject, createSimulatedDisk());
    scene.flush();
    const { state, edits } = scene;
    const { logFrom, sequence, nextNumber, version } = state();
    const tables = version.runs.flatMap((run) => run.tables);
    const ids = tables.map(({ id }) => id);
    const problems = [
      logFrom === RECORDS + 1 ? "" : `logFrom is ${logFrom}, and should be ${RECORDS + 1}`,
      sequence === RECORDS ? "" : `sequence is ${sequence}, and should be ${RECORDS}`,
      ids.every((id) => id < nextNumber)
        ? ""
        : `nextNumber is ${nextNumber}, and a table has ${list(ids.map(String))}`,
      version.runs.every(({ level }) => level === 0) ? "" : "the table is not in level 0",
      tables.length === 1 ? "" : `there are ${tables.length} tables, and should be one`,
    ].filter((problem) => problem !== "");
    expectThat(problems.length === 0, () => ({
      happened: `A memtable was flushed that holds the records 1 to ${RECORDS} of the log, with sequences 1 to ${RECORDS}. After your ${count(edits.length, "edit")}: ${list(problems)}.`,
      why: "After a crash, the edit is all that is known. Replay that begins too late loses writes; one that begins too early brings back what was overwritten; a number below one in use is given out twice.",
    }));
  },
};

const newerRun: FlushCheck = {
  name: "the table of a later flush is the newer run",
  kind: "unit",
  rule: "L1",
  run(subject) {
    let round = 0;
    const scene = setScene(subject, createSimulatedDisk(), (memtable, records) => {
      round += 1;
      for (let at = 0; at < records; at += 1) {
        memtable.put(b("anna"), b(`flush ${round}`), at + 1);
      }
    });
    scene.flush({ records: 8 });
    scene.flush({ records: 16 });
    const runs = scene.state().version.runs;
    const first = runs[0] === undefined ? [] : entriesOf(scene.io, runs[0].tables);
    const value = first[0]?.value;
    expectThat(runs.length === 2 && value != null && t(value) === "flush 2", () => ({
      happened: `Two memtables with the same key were flushed, one after the other. The version has ${count(runs.length, "run")}, and a reader asks the first one first: it holds ${value == null ? "nothing" : `"${t(value)}"`}, and should hold "flush 2".`,
      why: "Of two runs in a level, the one with the larger number is newer. The other way round, each flush brings back what it should have replaced.",
      timeline: runs.map(
        ({ level, number, tables }) =>
          `level ${level}, run ${number}: ${list(tables.map(({ id }) => `table ${id}`))}`,
      ),
    }));
  },
};

const deletesOnly: FlushCheck = {
  name: "a memtable of deletions only is flushed like any other",
  kind: "unit",
  rule: "L5",
  run(subject) {
    const io = createTestIo(createSimulatedDisk());
    const entries = deletions(40, 1);
    const { tables } = finish(subject.runFlush(arrayCursor(entries), [], SHAPE, io));
    const found = entriesOf(io, tables);
    const kept = found.filter(({ value }) => value === null).length;
    expectThat(kept === 40 && found.length === 40, () => ({
      happened: `A memtable held nothing but 40 deletions. All of them belong into the table. Your runFlush wrote ${count(tables.length, "table")} with ${count(kept, "deletion")}.`,
      why: "The keys may live in any table below. Deletions that are lost here were acknowledged, and never happened.",
    }));
  },
};

const nothing: FlushCheck = {
  name: "nothing to write is no table",
  kind: "unit",
  rule: "L2",
  run(subject) {
    const disk = createSimulatedDisk();
    const cursor = arrayCursor([]);
    const { tables } = finish(subject.runFlush(cursor, [], SHAPE, createTestIo(disk)));
    const files = disk.list(DIR);
    expectThat(tables.length === 0 && files.length === 0, () => ({
      happened: `A memtable without entries was flushed. Your runFlush returned ${count(tables.length, "table")} and left ${list(files)} in the directory.`,
      why: "An empty table has no smallest key. Whoever asks for it later stumbles.",
    }));
    expectThat(cursor.closed, () => ({
      happened: "The cursor that runFlush was given is still open after it.",
      why: "An open cursor keeps its memtable in memory. After an hour of flushes nothing has been freed.",
    }));
  },
};

const sameForReaders: FlushCheck = {
  name: "no reader sees a difference between the memtable and its table",
  kind: "model",
  rule: "L1",
  run(subject, { seed }) {
    for (let round = 0; round < 30; round += 1) {
      const random = seededRandom(seed * 100 + round);
      const io = createTestIo(createSimulatedDisk());
      const entries = randomEntries(random, 1 + random.below(80));
      const snapshots = entries.map((_, at) => at + 1).filter(() => random.below(9) === 0);
      const { tables } = finish(subject.runFlush(arrayCursor(entries), snapshots, SHAPE, io));
      const found = entriesOf(io, tables);
      for (const at of [...snapshots, Number.MAX_SAFE_INTEGER]) {
        const [before, after] = [seenIn(entries, at), seenIn(found, at)];
        const reader = at === Number.MAX_SAFE_INTEGER ? "now" : `snapshot ${at}`;
        const lost = before.find((line) => !after.includes(line));
        const odd = after.find((line) => !before.includes(line));
        expectThat(before.join() === after.join(), () => ({
          happened: `A memtable of ${entries.length} random versions was flushed. A reader at ${reader} saw ${before.length} keys before and ${after.length} after; ${lost === undefined ? `${odd ?? "an entry"} is new` : `${lost} is missing`} (key=value in hexadecimal).`,
          why: "The memtable is dropped after the flush. What the table does not hold is gone.",
        }));
      }
      io.close();
    }
  },
};

/** What a machine finds after a crash, by the rules: tables of the manifest, and the log. */
function judgeAfterCrash(
  disk: SimulatedDisk,
  at: { readonly from: number; readonly cut: SimulatedDisk },
): void {
  const io = createTestIo(disk, 2);
  const text = disk.exists(MANIFEST) ? t(disk.content(MANIFEST)) : '{"logFrom":1,"ids":[]}';
  const { logFrom, ids } = JSON.parse(text) as { logFrom: number; ids: number[] };
  const found = new Set<string>();
  let problem = "";
  try {
    for (const id of ids) {
      const meta = { id } as Parameters<TestIo["open"]>[0];
      for (const { key } of entriesOf(io, [meta])) found.add(t(key));
    }
    openLog(disk, (lsn, key) => void (lsn >= logFrom && found.add(key)));
  } catch (error) {
    problem = ` Reading failed: ${error instanceof Error ? error.message : String(error)}.`;
  }
  const lost = Array.from({ length: RECORDS }, (_, key) => keyText(key)).filter(
    (key) => !found.has(key),
  );
  expectThat(
    lost.length === 0 && problem === "",
    (): Lesson => ({
      happened: `${RECORDS} writes were acknowledged, and their memtable was being flushed when the power was cut at operation ${at.cut.operations - 1}. After the crash the manifest names ${list(ids.map((id) => `table ${id}`))} and says that replay begins at record ${logFrom}. ${lost.length} of the writes are in no table and not in the log${lost.length > 0 ? `, "${lost[0]}" among them` : ""}.${problem}`,
      why: "Durable first, forgotten second. Each of these writes was acknowledged, and somebody has gone home believing it.",
      timeline: [...timelineOf(at.cut, at.from), "      power cut"],
    }),
  );
}

const powerCuts: FlushCheck = {
  name: "a power cut at any point of a flush loses no acknowledged write",
  kind: "crash",
  rule: "L3",
  run(subject, { seed }) {
    const whole = createSimulatedDisk();
    const scene = setScene(subject, whole);
    const from = whole.operations;
    scene.flush();
    for (let point = from; point <= whole.operations; point += 1) {
      const disk = createSimulatedDisk({ seed });
      const { flush } = setScene(subject, disk);
      disk.cutPowerAt(point);
      try {
        flush();
      } catch (error) {
        if (!isPowerCut(error)) throw error;
      }
      for (let s = 0; s < 3; s += 1) {
        judgeAfterCrash(disk.crash(seed * 7 + s), { from, cut: disk });
      }
    }
  },
};

const fullDisk: FlushCheck = {
  name: "a flush that fails leaves nothing behind, and can be tried again",
  kind: "fault",
  rule: "L2",
  run(subject) {
    const kinds: DiskOperation[] = ["open", "write", "sync", "rename", "syncDir"];
    for (const operation of kinds) {
      const disk = createSimulatedDisk();
      const scene = setScene(subject, disk);
      const from = disk.operations;
      const path = operation === "syncDir" ? DIR : ".sst";
      disk.plan({ operation, fault: "ENOSPC", after: 0, path });
      const fault = `the disk was full at the first ${operation} of the table`;
      let failed = false;
      try {
        scene.flush();
      } catch {
        failed = true;
      }
      expectThat(failed, () => ({
        happened: `A flush was run, and ${fault}. Your flushMemtable returned as if nothing had happened.`,
        why: "Its caller now drops the memtable. The writes are gone from memory, and soon from the log.",
        timeline: timelineOf(disk, from),
      }));
      const left = disk.list(DIR).filter((name) => name.includes(".sst"));
      const isAsBefore = scene.edits.length === 0 && scene.wal.firstLsn === 1;
      expectThat(left.length === 0 && isAsBefore, () => ({
        happened: `A flush was run, and ${fault}. After the error ${left.length > 0 ? `${list(left)} is left in the directory` : `${count(scene.edits.length, "edit")} had been applied, and the log begins at record ${scene.wal.firstLsn}`}.`,
        why: "A full disk is when rubbish hurts most: the retry that could have worked finds the space taken by the first attempt.",
        timeline: timelineOf(disk, from),
      }));
      scene.flush();
      const keys = entriesOf(
        scene.io,
        scene.state().version.runs.flatMap(({ tables }) => tables),
      );
      expectThat(keys.length === RECORDS, () => ({
        happened: `A flush failed: ${fault}. Then there was room, and the flush was tried again. The table holds ${keys.length} of ${RECORDS} keys.`,
        why: "A full disk is a bad afternoon. It must not become a loss.",
        timeline: timelineOf(disk, from),
      }));
    }
  },
};

const slices: FlushCheck = {
  name: "a long flush gives the turn back between slices",
  kind: "property",
  rule: "L8",
  run(subject) {
    const io = createTestIo(createSimulatedDisk());
    const big = "x".repeat(1000);
    const entries = values(800, 1, big);
    const shape = { ...SHAPE, blockBytes: 4096 };
    const run = subject.runFlush(arrayCursor(entries), [], shape, io);
    let slicesRun = 1;
    for (let slice = run.next(); slice.done !== true; slice = run.next()) slicesRun += 1;
    expectThat(slicesRun >= 4, () => ({
      happened: `800 KiB were flushed. Your runFlush did all of it in ${count(slicesRun, "slice")}; with a yield after every 64 KiB or so there would be about 13.`,
      why: "There is one thread. While the flush holds it, no read is answered and no heartbeat is sent: with a memtable of 64 MiB that is a second of silence, and the others elect a new leader.",
    }));
  },
};

/** The step. */
export const flushing: Step<LsmSubject> = {
  id: "04.3",
  checks: [
    order,
    edit,
    newerRun,
    deletesOnly,
    nothing,
    sameForReaders,
    powerCuts,
    fullDisk,
    slices,
  ],
};
