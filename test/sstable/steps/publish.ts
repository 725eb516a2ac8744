/**
 * Step 03.7: a table gets its name when it is whole and durable; and the crash lab of the chapter.
 */
import { isCairnError } from "#base";
import { type Check, type CrashLab, expectThat, fail, type Step } from "#learn";
import { isPowerCut, mixSeeds } from "#platform";
import type { DiskOperation, SimulatedDisk } from "#platform/types";
import * as reference from "#sstable/reference";
import { DIR, freshDisk, ID, PATH, replace } from "../lab.ts";
import type { Subject, Version } from "./subject.ts";
import { writeTable } from "./table-lab.ts";
import { rows } from "./versions.ts";
import { errorWords, same, thrownBy } from "./words.ts";

/** Three blocks, each of several sectors. */
const VERSIONS = rows(12, 600);
const OPTIONS = { blockBytes: 2600, filterBitsPerKey: 0 } as const;
const SEEDS_PER_POINT = 8;

/** A disk with the directory of the tables, durable. */
function laidOut(): SimulatedDisk {
  const disk = freshDisk();
  disk.syncDir(DIR);
  return disk;
}

/** Writes the table. @returns false if the power went before `finish` returned. */
function writes(subject: Subject, disk: SimulatedDisk): boolean {
  try {
    writeTable(subject, disk, VERSIONS, OPTIONS);
    return true;
  } catch (error) {
    if (isPowerCut(error)) return false;
    throw error;
  }
}

/** The operations of writing the table. */
function pointsOf(subject: Subject): number {
  const disk = laidOut();
  const before = disk.operations;
  writes(subject, disk);
  return disk.operations - before;
}

/** What the disk was asked to do, the last lines of it. */
function lastLines(disk: SimulatedDisk, last: string): string[] {
  const lines = disk.trace.map(({ operation, path, bytes }) => {
    return `${operation} ${path}${operation === "write" ? `, ${bytes} bytes` : ""}`;
  });
  return [...lines.slice(-8), last];
}

/** What is wrong with the table under the final name; null if it is whole. */
function problemWith(disk: SimulatedDisk): string | null {
  const read: Version[] = [];
  const { problems } = reference.describeTable({ disk, path: PATH }, (one) => read.push(one));
  if (problems.length > 0) return problems[0] ?? null;
  const isWhole = VERSIONS.every((one, i) => same(one, read[i]));
  return isWhole ? null : `it holds ${read.length} versions`;
}

/** Cuts the power before an operation, or behind the last one, and looks at what is there. */
function cutAt(subject: Subject, at: { readonly point: number; readonly seed: number }): void {
  const disk = laidOut();
  disk.cutPowerAt(disk.operations + at.point);
  const hasFinished = writes(subject, disk);
  const after = disk.crash(mixSeeds(at.point, at.seed));
  const timeline = lastLines(disk, "the power goes; the machine starts again");
  const again = `npx cairn crash 03 --seed ${at.seed} --point ${at.point}`;
  const isThere = after.exists(PATH);
  expectThat(isThere || !hasFinished, () => ({
    happened: `finish returned, and then the power was cut. ${PATH} is gone.`,
    why: "The engine believed finish: it has removed the log that held the same rows. They are nowhere now.",
    timeline,
    again,
  }));
  const problem = isThere ? problemWith(after) : null;
  expectThat(problem === null, () => ({
    happened: `The power was cut ${hasFinished ? "after finish had returned" : `before operation ${at.point} of writing a table`}. Under its final name, ${PATH}, lies a file that is not whole: ${problem}.`,
    why: "Whoever starts next takes the name for the table, and does not write it again from the log.",
    timeline,
    again,
  }));
  // The same number again, over whatever the crash has left.
  const error = thrownBy(() => writeTable(subject, after, VERSIONS, OPTIONS));
  const left = after.list(DIR).join(", ") || "nothing";
  expectThat(error === null && problemWith(after.crash(at.seed)) === null, () => ({
    happened: `After a power cut before operation ${at.point} the table is written again. Your writer ${errorWords(error)}. In the directory lies: ${left}.`,
    why: "The engine retries with the same number. A writer that stumbles over its own remains never starts again without a person.",
    timeline: lastLines(after, "written again"),
    again,
  }));
}

export const crashLab: CrashLab<Subject> = {
  about:
    "A table of 12 rows in three blocks is written and finished. Then the power is cut before each operation on the disk, and behind the last; what is left is looked at, and the table is written again.",
  seedsPerPoint: SEEDS_PER_POINT,
  points: (subject) => pointsOf(subject) + 1,
  run: (subject, at) => cutAt(subject, at),
};

const cuts: Check<Subject> = {
  name: "after a power cut at any point there is no table, or a whole one",
  kind: "crash",
  rule: "S5",
  run(subject, { seed }) {
    const points = pointsOf(subject);
    for (let point = 0; point < points; point += 1) {
      for (let i = 0; i < SEEDS_PER_POINT; i += 1) cutAt(subject, { point, seed: seed + i });
    }
  },
};

const survives: Check<Subject> = {
  name: "when finish has returned, the table survives the loss of power",
  kind: "crash",
  rule: "S5",
  run(subject, { seed }) {
    const point = pointsOf(subject);
    for (let i = 0; i < SEEDS_PER_POINT * 4; i += 1) cutAt(subject, { point, seed: seed + i });
  },
};

const otherName: Check<Subject> = {
  name: "until a table is finished it has another name",
  kind: "unit",
  rule: "S5",
  run(subject) {
    const disk = laidOut();
    const writer = subject.createTableWriter({ disk, path: PATH, id: ID, ...OPTIONS });
    for (const { key, value, sequence } of VERSIONS) writer.add(key, value, sequence);
    expectThat(!disk.exists(PATH), () => ({
      happened: `12 rows were added, and finish was not called yet. ${PATH} is there already.`,
      why: "A name is a promise. Backups copy it, and the next start opens it.",
      timeline: lastLines(disk, "12 rows added"),
    }));
    writer.abandon();
  },
};

const remains: Check<Subject> = {
  name: "what a crash left behind is overwritten, however long it is",
  kind: "mistake",
  rule: "S5",
  run(subject) {
    const disk = laidOut();
    replace(disk, new Uint8Array(100_000).fill(7), `${PATH}${temporarySuffix(subject)}`);
    const error = thrownBy(() => writeTable(subject, disk, VERSIONS, OPTIONS));
    const problem = error === null ? problemWith(disk) : null;
    expectThat(error === null && problem === null, () => ({
      happened: `A temporary file of 100,000 bytes was left by a crash. Your writer ${errorWords(error)}${problem === null ? "" : `, and the table that it made: ${problem}`}.`,
      why: "A file is found by its end. What a longer file leaves behind the footer hides the footer.",
    }));
  },
};

/** The reader's own, or that of the contract. */
function temporarySuffix(subject: Subject): string {
  const suffix: unknown = Reflect.get(subject, "TEMPORARY_SUFFIX");
  return typeof suffix === "string" ? suffix : ".tmp";
}

const FAILING: readonly DiskOperation[] = ["open", "write", "sync", "rename", "syncDir"];

const failing: Check<Subject> = {
  name: "when the disk fails, the error comes out, and giving up leaves no file behind",
  kind: "fault",
  rule: "S5",
  run(subject) {
    for (const operation of FAILING) {
      for (let after = 0; after < 3; after += 1) {
        const disk = laidOut();
        disk.plan({ operation, fault: operation === "write" ? "ENOSPC" : "EIO", after });
        failOnce(subject, disk, operation);
      }
    }
  },
};

function failOnce(subject: Subject, disk: SimulatedDisk, operation: DiskOperation): void {
  let writer: ReturnType<Subject["createTableWriter"]> | null = null;
  const error = thrownBy(() => {
    writer = subject.createTableWriter({ disk, path: PATH, id: ID, ...OPTIONS });
    for (const { key, value, sequence } of VERSIONS) writer.add(key, value, sequence);
    writer.finish();
  });
  if (error === null && !disk.trace.some(({ failed }) => failed)) return;
  const isDisk = isCairnError(error, "DISK_IO") || isCairnError(error, "DISK_FULL");
  expectThat(isDisk, () => ({
    happened: `A ${operation} failed while a table was written. The disk's own error was expected; your writer ${errorWords(error)}.`,
    why: "Whoever is told that all is well removes the log.",
    timeline: lastLines(disk, `${operation} failed`),
  }));
  const abandoned = thrownBy(() => (writer as { abandon(): void } | null)?.abandon());
  const left = disk.list(DIR);
  expectThat(abandoned === null && left.length === 0, () => ({
    happened: `A ${operation} failed, and abandon was called: it ${errorWords(abandoned)}. In the directory lies: ${left.join(", ") || "nothing"}.`,
    why: "On a full disk the half of a table that nobody wants is what keeps it full.",
    timeline: lastLines(disk, "abandon"),
  }));
  const again = thrownBy(() => writeTable(subject, disk, VERSIONS, OPTIONS));
  if (again === null && problemWith(disk) === null) return;
  fail({
    happened: `A ${operation} failed, abandon was called, and the table was written again: your writer ${errorWords(again)}.`,
    why: "A disk that was full for a minute must not stop the engine for good.",
  });
}

export const publishSteps: readonly Step<Subject>[] = [
  { id: "03.7", checks: [otherName, cuts, survives, remains, failing] },
];
