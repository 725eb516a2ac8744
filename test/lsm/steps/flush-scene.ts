/**
 * A flush and its surroundings, for the checks of step 04.3: a real log, real tables, and a
 * manifest that says what was durable when it was called.
 */
import { replaceFile } from "#bytes";
import { expectThat, type Lesson } from "#learn";
import { applyEdit, createNumbers, EMPTY_STATE, type ManifestState, type VersionEdit } from "#lsm";
import { createMemtable } from "#memtable";
import type { Memtable } from "#memtable/types";
import type { SimulatedDisk } from "#platform/types";
import { openWal } from "#wal";
import type { Wal } from "#wal/types";
import type { LsmSubject } from "./subject.ts";
import { createTestIo, entriesOf, keyText, SHAPE, type TestIo } from "./tables.ts";
import { b, DIR, list, t, timelineOf } from "./words.ts";

/** The log's directory. */
export const LOG = `${DIR}/log-000001`;
/** The manifest of this check. */
export const MANIFEST = `${DIR}/MANIFEST`;
/** Records of the log, and keys of the memtable. */
export const RECORDS = 24;

/** What a flush is given, and what it did. */
export interface Scene {
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
export function setScene(subject: LsmSubject, disk: SimulatedDisk, fill = fillWithValues): Scene {
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

/** What a machine finds after a crash, by the rules: tables of the manifest, and the log. */
export function judgeAfterCrash(
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
