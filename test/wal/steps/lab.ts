/**
 * What most checks of chapter 01 do: open a log, append records that can be told apart, cut the
 * power, open it again, and compare.
 */
import { type Bytes, errorText, isCairnError } from "#base";
import { equalBytes } from "#bytes";
import { fail, type Lesson } from "#learn";
import type { SimulatedDisk } from "#platform/types";
import type { Lsn, RecoveryReport, Wal, WalOptions, WalRecord } from "#wal/types";
import { FRAME_HEADER_BYTES, fileExcerpt, framesBehind, HEADER_BYTES } from "./raw.ts";
import type { WalSubject } from "./subject.ts";

export const DIR = "log";
/** A segment's path. */
export const segmentFile = (number: number): string =>
  `${DIR}/${String(number).padStart(16, "0")}.wal`;
export const FIRST = segmentFile(1);

type Shape = Omit<WalOptions, "disk" | "dir">;
/** No room ahead: what lies in a file is then what was written. */
const PLAIN: Shape = { preallocateBytes: 0 };

/** An open log and what opening it has handed out. */
export interface Opened {
  readonly wal: Wal;
  readonly report: RecoveryReport;
  readonly records: readonly WalRecord[];
}

/** What a refusal is called where it is no surprise. */
export interface Refusal extends Partial<Pick<Lesson, "rule" | "why" | "timeline">> {
  /** What happened before. Ends with a full stop. */
  readonly told?: string;
}

/** Opens a log in which nothing is damaged. Fails the check if it is refused. */
export function open(
  subject: WalSubject,
  disk: SimulatedDisk,
  options: Shape = {},
  refusal: Refusal = {},
): Opened {
  const records: WalRecord[] = [];
  try {
    const all = { ...PLAIN, ...options, disk, dir: DIR };
    const opened = subject.openWal(all, (record) => {
      if (records.push(record) > RECORDS_MAX) fail(endless(record.lsn));
    });
    return { ...opened, records };
  } catch (error) {
    if (!isCairnError(error, "WAL_CORRUPT")) throw error;
    const { told, ...changes } = refusal;
    return fail({ ...refused(disk, errorText(error), told), ...changes }, error);
  }
}

/** Far more than any check appends. */
const RECORDS_MAX = 10_000;

function endless(lsn: Lsn): Lesson {
  return {
    happened: `Your openWal handed out record after record: ${RECORDS_MAX} by now, LSN ${lsn} the last. Far fewer were appended.`,
    why: "A scan that does not move on never ends, and the service never starts.",
    rule: "W4",
  };
}

const SOUND =
  "Nothing in this log is damaged: a crash may leave this of writes that nobody was promised.";

function refused(disk: SimulatedDisk, text: string, told = SOUND): Lesson {
  const where = Number(/byte (\d+)/.exec(text)?.[1] ?? HEADER_BYTES);
  const path = /(log\/\d+\.wal)/.exec(text)?.[1] ?? FIRST;
  const behind = told === SOUND && disk.exists(path) ? noWitness(disk.content(path)) : "";
  return {
    happened: `${told} Your openWal refused the log with WAL_CORRUPT: ${text}.${behind}`,
    why: "After a power cut the service does not start any more, and somebody has to repair by hand what was never broken.",
    rule: "W6",
    ...(disk.exists(path) && { bytes: fileExcerpt(path, disk.content(path), where) }),
  };
}

/** What lies behind the bad place and was perhaps believed. Empty if nothing does. */
function noWitness(file: Bytes): string {
  const { bad, behind } = framesBehind(file);
  const [first] = behind;
  if (first === undefined || behind.some(({ watermark }) => watermark >= bad)) return "";
  return ` Behind the place, at byte ${first.at}, lies a whole record ${first.lsn}. Its watermark is ${first.watermark}: it does not say that record ${bad} was durable, and is no witness.`;
}

/**
 * Before step 01.6 nobody has to think of names and headers: this makes those of segment 1 durable.
 */
export function settleFirstSegment(disk: SimulatedDisk): void {
  const handle = disk.open(FIRST, "read-write");
  handle.sync();
  handle.close();
  disk.syncDir(DIR);
}

/** Bytes that no other record has: `lsn` and `salt` are in all of them. */
export function payloadOf(lsn: Lsn, bytes: number, salt = 0): Bytes {
  const payload = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i += 1) payload[i] = 1 + ((lsn * 37 + salt * 101 + i * 7) % 255);
  return payload;
}

/** What somebody who uses a log knows about it. */
export class Story {
  /** Payloads by LSN, from 1 on. */
  readonly appended: Bytes[] = [];
  acked: Lsn = 0;

  /** Appends one record, and checks its number. */
  append(wal: Wal, bytes: number, salt = 0): Lsn {
    const expected = this.appended.length + 1;
    const payload = payloadOf(expected, bytes, salt);
    // Noted first: power may fail inside, and then the record may or may not be there.
    this.appended.push(payload);
    const lsn = wal.append(payload);
    if (lsn !== expected) fail(wrongNumber(lsn, expected));
    return lsn;
  }

  /** Syncs, and counts everything as acknowledged. */
  sync(wal: Wal): void {
    wal.sync();
    this.acked = this.appended.length;
  }

  /** From here on, what recovery has handed out is the log. */
  adopt(records: readonly WalRecord[]): void {
    this.appended.splice(0, this.appended.length, ...records.map(({ payload }) => payload));
    this.acked = records.length;
  }
}

function wrongNumber(lsn: Lsn, expected: Lsn): Lesson {
  return {
    happened: `Your append returned LSN ${lsn}. ${expected - 1} records had been appended, so this one is ${expected}.`,
    why: "Whoever keeps LSNs, a replica for one, finds another record under its number, or none.",
    rule: "W1",
  };
}

/** What happened before a recovery, for a failure's text. */
export interface Scene {
  /** `Power was cut before the sync of record 7.` Ends with a full stop. */
  readonly cause: string;
  readonly disk: SimulatedDisk;
  readonly timeline?: readonly string[];
  readonly again?: string;
  /** What was done to the first records. Default: acknowledged. */
  readonly verb?: string;
}

/** The rules that a loss, a hole or an invention is shown under. */
export interface JudgedBy {
  readonly lost?: string;
  readonly invented?: string;
  readonly why?: string;
}

/** Fails unless recovery handed out a prefix with everything acknowledged, and nothing else. */
export function judge(
  story: Story,
  { records, report }: Opened,
  scene: Scene,
  by: JudgedBy = {},
): void {
  const told = toldOf(story, scene.verb);
  const shared = { timeline: scene.timeline ?? [], ...(scene.again && { again: scene.again }) };
  const lesson = (rule: string, observed: string, why: string, badLsn: Lsn): Lesson => ({
    happened: `${told} ${scene.cause} Your openWal then ${observed}`,
    why: by.why ?? why,
    rule,
    ...excerptOf(story, scene.disk, badLsn),
    ...(shared.timeline.length > 0 && { timeline: shared.timeline }),
    ...(shared.again !== undefined && { again: shared.again }),
  });
  for (const [index, { lsn, payload }] of records.entries()) {
    const expected = story.appended[index];
    const handed = `handed out ${records.length} records`;
    if (expected === undefined) {
      const text = `${handed}. Record ${lsn} has ${payload.length} bytes, and nobody appended it.`;
      fail(lesson(by.invented ?? "W4", text, INVENTED, lsn));
    }
    if (lsn !== index + 1) {
      fail(lesson("W1", `${handed}. Number ${index + 1} of them has LSN ${lsn}.`, GAP, index + 1));
    }
    if (!equalBytes(expected, payload)) {
      const text = `handed out a record ${lsn} of ${payload.length} bytes. Another record was appended under that number, of ${expected.length} bytes.`;
      fail(lesson(by.invented ?? "W4", text, INVENTED, lsn));
    }
  }
  if (records.length < story.acked) {
    const isGone = records.length === 0 && wasMadeAnew(scene.disk);
    const gone = isGone ? " There was no file 1.wal any more: its name had not lasted (D1)." : "";
    const text = `returned ${countOf(records.length)}.${gone}`;
    fail(lesson(by.lost ?? (isGone ? "W9" : "W2"), text, LOST, records.length + 1));
  }
  if (report.records !== records.length || report.nextLsn !== records.length + 1) {
    const text = `handed out ${countOf(records.length)}, and reported records ${report.records}, nextLsn ${report.nextLsn}.`;
    fail(lesson("W1", text, "Whoever believes the report writes under a number that is taken.", 1));
  }
}

/** True if opening found no first segment, and made one. */
function wasMadeAnew({ trace }: SimulatedDisk): boolean {
  const [first] = trace;
  const isMade = first?.operation === "open" && first.path === FIRST;
  return (
    isMade && trace.every(({ operation, bytes }) => operation !== "write" || bytes <= HEADER_BYTES)
  );
}

const LOST = "Somebody holds a receipt for a record that is gone.";
const INVENTED =
  "A log that finds what nobody wrote is worse than one that loses: nobody misses it.";
const GAP = "A record skipped is a deposit without which the withdrawal behind it makes no sense.";

function countOf(count: number): string {
  return count === 1 ? "1 record" : `${count === 0 ? "no" : count} records`;
}

function toldOf({ acked, appended }: Story, verb = "acknowledged"): string {
  const more = appended.length - acked;
  const behind = more > 0 ? `; ${countOf(more)} more had been appended, promised to nobody` : "";
  const range = acked <= 1 ? `LSN ${acked}` : `LSN 1 to ${acked}`;
  const promised = acked === 0 ? `Nothing was ${verb}` : `${wereOf(acked)} ${verb} (${range})`;
  return `${promised}${behind}.`;
}

function wereOf(count: number): string {
  return `${countOf(count)} ${count === 1 ? "was" : "were"}`;
}

/** Where the record should lie, if the log is in one segment. */
function excerptOf(story: Story, disk: SimulatedDisk, lsn: Lsn): Pick<Lesson, "bytes"> {
  if (!disk.exists(FIRST) || disk.list(DIR).filter((name) => name.endsWith(".wal")).length > 1) {
    return {};
  }
  const before = story.appended.slice(0, lsn - 1);
  const offset = before.reduce(
    (sum, { length }) => sum + FRAME_HEADER_BYTES + length,
    HEADER_BYTES,
  );
  return { bytes: fileExcerpt(FIRST, disk.content(FIRST), offset) };
}

/** The last lines of a disk's trace, for a timeline. */
export function lastLines(disk: SimulatedDisk, count = 8): string[] {
  const { trace } = disk;
  const first = Math.max(0, trace.length - count);
  const lines = trace.map(({ sequence, operation, path, offset, bytes, failed }) => {
    const name = path.replace(/^log\/0*(\d+\.wal)$/, "$1");
    const range = operation === "write" ? ` ${bytes} bytes at ${offset}` : "";
    const size = operation === "truncate" ? ` to ${offset} bytes` : "";
    return `${String(sequence).padStart(3)}  ${operation} ${name}${range}${size}${failed ? "  FAILED" : ""}`;
  });
  // Where the file was made stays: a name that was never synced leaves no other trace.
  const made = trace.findLastIndex(({ operation }, at) => at < first && operation === "open");
  const head = made < 0 ? [] : lines.slice(made, made + 1);
  const gap = first - head.length > 0 ? ["  …"] : [];
  return [...head, ...gap, ...lines.slice(first)];
}

/** Counts operations of one kind. */
export function countOps(disk: SimulatedDisk, operation: string, from = 0): number {
  return disk.trace.slice(from).filter((line) => line.operation === operation).length;
}
