/**
 * Makes a damaged engine usable again, with all that can be read.
 *
 * If the manifest is sound, damaged tables are written anew from their sound blocks, and stay on
 * their level. If it is not, every table in the directory counts, and sequences decide which
 * version of a key is newer. A deletion that a compaction has dropped may then be missed, if a file
 * still lies there that the compaction had replaced: an old value comes back. The findings say so.
 *
 * Invariants: nothing that counts is changed before what takes its place is durable; one step, the
 * turning of `CURRENT`, decides; before it and behind it the repair can be repeated. Nothing is
 * deleted. A dry run runs the same code and writes nothing.
 * Chapter: 04-lsm, "Repair"
 */
import { assert, CairnError } from "#base";
import type { Disk } from "#platform/types";
import { openTable } from "#sstable";
import type { TableMeta } from "#sstable/types";
import { readSmallFile, writeCurrent } from "./current-file.ts";
import { snapshotEdit } from "./edit-codec.ts";
import {
  createNumbers,
  currentPath,
  lockPath,
  logPath,
  lostPath,
  type Numbers,
  numberOf,
  parseName,
  tablePath,
} from "./file-names.ts";
import { beginManifest } from "./manifest.ts";
import type { ManifestState, Run } from "./parts.ts";
import { type LogPlan, newestLog, planLog, walkLog } from "./repair-log.ts";
import { type FoundManifest, findManifest } from "./repair-manifest.ts";
import { groupSources, mergeSources, type TableSource } from "./repair-merge.ts";
import {
  copyToLost,
  moveToLost,
  type RepairPlace,
  withHandlesClosed,
  withLog,
  writeTables,
} from "./repair-output.ts";
import { createArraySource, lostTable, salvageTable } from "./repair-salvage.ts";
import type { RepairReport } from "./types.ts";
import { tableDamage } from "./verify.ts";
import { applyEdit, EMPTY_STATE } from "./version.ts";

/** As the engine reads its log: a group of the largest batch fits. */
const LOG_PAYLOAD_BYTES_MAX = 256 * 1024 * 1024;

/**
 * Repairs the engine in a directory that nobody has open.
 *
 * @throws `LSM_NOT_FOUND` if there is nothing of an engine; `DISK_LOCKED`; disk errors while
 * writing: what was there is then still there, and the repair can be repeated.
 */
export function repairEngine(options: {
  readonly disk: Disk;
  readonly dir: string;
  readonly dryRun: boolean;
}): RepairReport {
  const { disk, dir, dryRun } = options;
  if (!disk.exists(dir)) throw notFound(dir);
  const unlock = disk.lock(lockPath(dir));
  try {
    return new Repair(disk, dir, dryRun).run();
  } finally {
    unlock();
  }
}

class Repair {
  readonly #disk: Disk;
  readonly #dir: string;
  readonly #dryRun: boolean;
  readonly #names: readonly string[];
  readonly #numbers: Numbers;
  readonly #findings: string[] = [];
  readonly #lost: string[] = [];
  /** Names that the repaired engine does not need. */
  readonly #replaced: string[] = [];
  #rebuilt = 0;

  constructor(disk: Disk, dir: string, dryRun: boolean) {
    this.#disk = disk;
    this.#dir = dir;
    this.#dryRun = dryRun;
    this.#names = disk.list(dir);
    const lost = disk.exists(lostPath(dir)) ? disk.list(lostPath(dir)) : [];
    const used = [...this.#names, ...lost].map((name) => numberOf(name.replace(/\.\d+$/, "")));
    this.#numbers = createNumbers(used.reduce((max, number) => Math.max(max, number), 0) + 1);
  }

  run(): RepairReport {
    const kinds = new Set(this.#names.map((name) => parseName(name).kind));
    if (!["current", "manifest", "table", "log"].some((kind) => kinds.has(kind as "log"))) {
      throw notFound(this.#dir);
    }
    const found = findManifest(this.#disk, this.#dir, this.#names);
    this.#findings.push(...found.findings);
    this.#numbers.raise(found.state?.nextNumber ?? 0);
    const isSound = found.state !== null;
    const runs = found.state === null ? this.#rebuildAll() : this.#repairRuns(found.state);
    const log = this.#planLog(found.state, runs);
    const isNeeded =
      !isSound ||
      found.isNew ||
      this.#rebuilt > 0 ||
      this.#lost.length > 0 ||
      log.copyBefore !== null;
    if (isNeeded && !this.#dryRun) this.#carryOut(found, runs, log);
    if (!isNeeded) this.#findings.push("nothing is damaged, nothing has to be done");
    const tables = runs.flatMap((run) => run.tables);
    return {
      dryRun: this.#dryRun,
      findings: this.#findings,
      tablesKept: tables.length,
      tablesRebuilt: this.#rebuilt,
      entriesKept: tables.reduce((sum, { entries }) => sum + entries, 0),
      lost: this.#lost,
    };
  }

  get #place(): RepairPlace {
    return { disk: this.#disk, dir: this.#dir, numbers: this.#numbers, dryRun: this.#dryRun };
  }

  /** The levels are known: damaged tables are written anew in their places. */
  #repairRuns(state: ManifestState): Run[] {
    const runs = state.version.runs.map((run) => ({
      ...run,
      tables: run.tables.flatMap((meta) => this.#repairTable(meta)),
    }));
    return runs.filter(({ tables }) => tables.length > 0);
  }

  #repairTable(meta: TableMeta): TableMeta[] {
    const path = tablePath(this.#dir, meta.id);
    if (!this.#disk.exists(path)) {
      this.#findings.push(`${path}: named by the manifest, but missing`);
      this.#lost.push(lostTable(path, meta));
      return [];
    }
    const damage = tableDamage({ disk: this.#disk, dir: this.#dir }, meta);
    if (damage === null) return [meta];
    this.#findings.push(damage);
    return this.#rewrite(path, meta);
  }

  /** Writes what can be read of a damaged table into new ones. */
  #rewrite(path: string, meta: TableMeta): TableMeta[] {
    const { entries, lost } = salvageTable(this.#disk, path, meta);
    this.#lost.push(...lost);
    this.#rebuilt += 1;
    this.#replaced.push(path.slice(this.#dir.length + 1));
    const source = { meta, isSound: false, open: () => createArraySource(entries) };
    return writeTables(this.#place, mergeSources([source]));
  }

  /** The levels are not known: tables are put in order by their sequences. */
  #rebuildAll(): Run[] {
    const sources = this.#names.flatMap((name) => this.#sourceOf(name));
    const runs: Run[] = [];
    for (const [i, group] of groupSources(sources).entries()) {
      const place = { level: 0, number: i + 1 };
      const [only, ...others] = group.sources;
      assert(only !== undefined, "lsm: a group has a table");
      if (others.length === 0 && only.isSound) {
        runs.unshift({ ...place, tables: [only.meta] });
        continue;
      }
      const ids = group.sources.map(({ meta }) => meta.id).join(", ");
      this.#findings.push(`tables ${ids}: merged by sequence, since their levels are not known`);
      for (const { meta, isSound } of group.sources) {
        if (isSound) this.#replaced.push(tablePath("", meta.id).slice(1));
      }
      runs.unshift({ ...place, tables: writeTables(this.#place, mergeSources(group.sources)) });
    }
    if (sources.length > 0) {
      this.#findings.push(
        "every table counts: an old value may be back whose deletion was dropped",
      );
    }
    return runs;
  }

  /** What a file in the directory gives, if it is a table. */
  #sourceOf(name: string): TableSource[] {
    const file = parseName(name);
    if (file.kind !== "table") return [];
    const [disk, path, id] = [this.#disk, `${this.#dir}/${name}`, file.number];
    const meta = soundMeta(disk, path, id, this.#findings);
    if (meta !== null) return [{ meta, isSound: true, open: () => openSource(disk, path, id) }];
    const { entries, lost } = salvageTable(disk, path, null);
    this.#lost.push(...lost);
    this.#rebuilt += 1;
    this.#replaced.push(name);
    const [first, last] = [entries[0], entries[entries.length - 1]];
    if (first === undefined || last === undefined) return [];
    const sequences = entries.map(({ sequence }) => sequence);
    const salvaged = {
      ...{ id, bytes: 0, entries: entries.length, smallest: first.key, largest: last.key },
      deletions: entries.filter(({ value }) => value === null).length,
      sequenceMin: sequences.reduce((min, sequence) => Math.min(min, sequence), Infinity),
      sequenceMax: sequences.reduce((max, sequence) => Math.max(max, sequence), 0),
    };
    return [{ meta: salvaged, isSound: false, open: () => createArraySource(entries) }];
  }

  #planLog(state: ManifestState | null, runs: readonly Run[]): LogPlan {
    const inTables = runs
      .flatMap(({ tables }) => tables)
      .reduce((max, { sequenceMax }) => Math.max(max, sequenceMax), 0);
    const logs = this.#names.map(parseName).flatMap((file) => (file.kind === "log" ? [file] : []));
    const numbers = logs.map(({ number }) => number);
    const plan = planLog(
      this.#disk,
      this.#dir,
      state === null
        ? { number: newestLog(this.#disk, this.#dir, numbers), logFrom: null, sequence: inTables }
        : { number: state.logNumber, logFrom: state.logFrom, sequence: state.sequence },
    );
    this.#lost.push(...plan.lost);
    for (const number of numbers) {
      const isNeeded = number === plan.number && plan.copyBefore === null;
      if (!isNeeded) this.#replaced.push(logPath("", number).slice(1));
    }
    return plan;
  }

  #carryOut(found: FoundManifest, runs: readonly Run[], log: LogPlan): void {
    const [disk, dir] = [this.#disk, this.#dir];
    const place = log.copyBefore === null ? log : this.#copyLog(log, log.copyBefore);
    const number = this.#numbers.take();
    const sequence = Math.max(log.sequence, found.state?.sequence ?? 0);
    const numbers = { logNumber: place.number, logFrom: place.logFrom, sequence };
    const version = { version: { runs } };
    const wanted = { ...numbers, ...version, nextNumber: this.#numbers.next };
    // Through an edit, so that all rules of a version are checked once more.
    const state = applyEdit(EMPTY_STATE, snapshotEdit(wanted));
    withHandlesClosed(disk, (noting) => void beginManifest(noting, dir, { number, state }));
    if (found.isCurrentDamaged) {
      copyToLost(disk, dir, "CURRENT", readSmallFile(disk, currentPath(dir)));
    }
    writeCurrent(disk, dir, number);
    for (const name of this.#names) {
      const isManifest = parseName(name).kind === "manifest";
      if (isManifest || this.#replaced.includes(name)) moveToLost(disk, dir, name);
    }
    disk.syncDir(dir);
  }

  /** Writes the sound part of a log into a new one. */
  #copyLog(log: LogPlan, before: number): { readonly number: number; readonly logFrom: number } {
    const number = this.#numbers.take();
    const [from, to] = [logPath(this.#dir, log.number), logPath(this.#dir, number)];
    const options = { disk: this.#disk, dir: to, payloadBytesMax: LOG_PAYLOAD_BYTES_MAX };
    withLog(options, (wal) => {
      walkLog(this.#disk, from, (lsn, payload) => {
        if (lsn >= log.logFrom && lsn < before) wal.append(payload);
      });
    });
    return { number, logFrom: 1 };
  }
}

function soundMeta(disk: Disk, path: string, id: number, findings: string[]): TableMeta | null {
  try {
    const table = openTable({ disk, path, id });
    try {
      table.verify();
      return table.meta;
    } finally {
      table.close();
    }
  } catch (error) {
    // Our own bugs are not damage.
    if (!(error instanceof CairnError)) throw error;
    findings.push(error.message);
    return null;
  }
}

function openSource(disk: Disk, path: string, id: number): ReturnType<TableSource["open"]> {
  const table = openTable({ disk, path, id });
  const cursor = table.cursor({ fillCache: false });
  cursor.seekFirst();
  return {
    get valid() {
      return cursor.valid;
    },
    get key() {
      return cursor.key;
    },
    get value() {
      return cursor.value;
    },
    get sequence() {
      return cursor.sequence;
    },
    get isDeletion() {
      return cursor.isDeletion;
    },
    next: () => cursor.next(),
    close: () => {
      cursor.close();
      table.close();
    },
  };
}

function notFound(dir: string): CairnError {
  return new CairnError("LSM_NOT_FOUND", `lsm: ${dir}: there is nothing of an engine here`);
}
