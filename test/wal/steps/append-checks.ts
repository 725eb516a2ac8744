/**
 * Step 01.2: append and scan, on a disk that is sound.
 */
import { errorText } from "#base";
import { equalBytes } from "#bytes";
import { type Check, expectThat, fail } from "#learn";
import { createSimulatedDisk, seededRandom } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import type { Wal } from "#wal/types";
import { DIR, FIRST, judge, open, payloadOf, Story } from "./lab.ts";
import { fileExcerpt, HEADER_BYTES, joined, putFile, rawFrame, rawHeader, seedOf } from "./raw.ts";
import type { WalSubject } from "./subject.ts";

const LOST = "The scan ends too early. Whatever lies behind that place is as good as lost.";

const anySize: Check<WalSubject> = {
  name: "500 records of any size come back, in order, byte for byte",
  kind: "model",
  rule: "W3",
  run(subject, { seed }) {
    const random = seededRandom(seed);
    const disk = createSimulatedDisk();
    const { wal } = open(subject, disk);
    const story = new Story();
    for (let i = 0; i < 500; i += 1) {
      story.append(wal, random.below([20, 600, 1600][random.below(3)]!));
    }
    wal.flush();
    const cause = "The process ended, the machine ran on, and the log was opened again.";
    story.acked = story.appended.length;
    judge(story, open(subject, disk), { cause, disk, verb: "appended" }, { lost: "W3", why: LOST });
  },
};

const emptyLog: Check<WalSubject> = {
  name: "an empty log opens, again and again",
  kind: "unit",
  rule: "W3",
  run(subject) {
    const disk = createSimulatedDisk();
    for (let times = 1; times <= 3; times += 1) {
      const { wal, report } = open(subject, disk);
      const got = `${report.records} records, nextLsn ${report.nextLsn}, firstLsn ${wal.firstLsn}, durableLsn ${wal.durableLsn}`;
      const wanted = "0 records, nextLsn 1, firstLsn 1, durableLsn 0";
      expectThat(got === wanted, () => ({
        happened: `A log was opened that nobody has written to, for the ${["first", "second", "third"][times - 1]} time. Expected: ${wanted}. Your openWal: ${got}.`,
        why: "The first start of a service, and the second after a start that did nothing, are the commonest of all.",
      }));
    }
  },
};

const goesOn: Check<WalSubject> = {
  name: "after opening again, numbers go on where they ended",
  kind: "unit",
  rule: "W1",
  run(subject) {
    const disk = createSimulatedDisk();
    const story = new Story();
    for (const sizes of [[100, 700], [0, 30, 512], [900]]) {
      const { wal } = open(subject, disk);
      for (const bytes of sizes) story.append(wal, bytes);
      wal.flush();
    }
    story.acked = story.appended.length;
    const cause = "The log was opened three times in between.";
    judge(story, open(subject, disk), { cause, disk, verb: "appended" }, { lost: "W3", why: LOST });
  },
};

const ownCopy: Check<WalSubject> = {
  name: "what the caller does to its array after append changes no record",
  kind: "mistake",
  rule: "W4",
  run(subject) {
    const disk = createSimulatedDisk();
    const { wal } = open(subject, disk);
    const payload = payloadOf(1, 40);
    wal.append(payload);
    payload.fill(0xee);
    wal.flush();
    const [record] = open(subject, disk).records;
    expectThat(record !== undefined && equalBytes(record.payload, payloadOf(1, 40)), () => ({
      happened: `40 bytes were appended. Then the caller used its array for something else, and filled it with 0xee. Your log gave back ${record === undefined ? "no record" : `a record that begins with 0x${record.payload[0]?.toString(16)}`}.`,
      why: "Callers use their buffers again. The log would hold whatever came last, under a checksum that is right.",
      bytes: fileExcerpt(FIRST, disk.content(FIRST), HEADER_BYTES),
    }));
  },
};

/** Reads a range from an open log; an error inside is a lesson about offsets. */
function readRange(wal: Wal, from: number, before: number): string {
  const found: string[] = [];
  try {
    wal.read({ from, before }, ({ lsn, payload }) => {
      const isRight = equalBytes(payload, payloadOf(lsn, 100 + lsn));
      found.push(`${lsn}${isRight ? "" : " (other bytes)"}`);
    });
  } catch (error) {
    if (error instanceof Error && error.name === "NotWrittenError") throw error;
    fail(
      {
        happened: `Records 1 to 6 were appended. Reading ${from} to ${before - 1} from the open log threw: ${errorText(error)}.`,
        why: "A follower that was away asks for exactly such a range. In the starter, read looks a record up in segment.offsets: both append and scanSegment have to note each one there.",
      },
      error,
    );
  }
  return found.join(", ");
}

const readsBack: Check<WalSubject> = {
  name: "any range can be read from the open log, old records and new",
  kind: "unit",
  rule: "W3",
  run(subject) {
    const disk = createSimulatedDisk();
    const first = open(subject, disk).wal;
    for (let lsn = 1; lsn <= 4; lsn += 1) first.append(payloadOf(lsn, 100 + lsn));
    first.flush();
    const { wal } = open(subject, disk);
    for (let lsn = 5; lsn <= 6; lsn += 1) wal.append(payloadOf(lsn, 100 + lsn));
    for (const [from, before, wanted] of [
      [1, 7, "1, 2, 3, 4, 5, 6"],
      [4, 6, "4, 5"],
      [6, 99, "6"],
    ] as const) {
      const got = readRange(wal, from, before);
      expectThat(got === wanted, () => ({
        happened: `Records 1 to 4 were appended, the log was opened again, then 5 and 6 were. Reading from ${from} (included) to ${before} (excluded) should give ${wanted}. Your log gave ${got === "" ? "nothing" : got}.`,
        why: "A follower that was away asks for exactly such a range.",
      }));
    }
  },
};

function soundFile(subject: WalSubject, disk: SimulatedDisk, records: number): void {
  const found = subject.describeSegment({ disk, path: FIRST });
  const got = `${found.verdict}, ${found.records} records`;
  const problem =
    found.problem === null
      ? ""
      : ` It stumbles at byte ${found.problem.offset}: ${found.problem.text}.`;
  expectThat(got === `sound, ${records} records`, () => ({
    happened: `${records} records were appended. Somebody else's reader, the one behind npx cairn inspect, looked at your file and found: ${got}.${problem}`,
    why: "Only what another program can read is a format. Yours of next year is another program.",
    bytes: fileExcerpt(FIRST, disk.content(FIRST), found.problem?.offset ?? 0),
  }));
}

const forEverybody: Check<WalSubject> = {
  name: "the file is sound in the eyes of another reader",
  kind: "unit",
  rule: "W5",
  run(subject) {
    const disk = createSimulatedDisk();
    const { wal } = open(subject, disk);
    for (let lsn = 1; lsn <= 3; lsn += 1) wal.append(payloadOf(lsn, 200 * lsn));
    wal.flush();
    soundFile(subject, disk, 3);
  },
};

const marks: Check<WalSubject> = {
  name: "a mark in a log of the reference's is no record and takes no number",
  kind: "unit",
  rule: "W1",
  run(subject) {
    const disk = createSimulatedDisk();
    disk.makeDir(DIR);
    const header = rawHeader(1, 1);
    const seed = seedOf(header);
    const record = (lsn: number) =>
      rawFrame({ type: 1, lsn, watermark: lsn - 1, payload: payloadOf(lsn, 60) }, seed);
    const mark = rawFrame({ type: 2, lsn: 2, watermark: 1, payload: new Uint8Array(0) }, seed);
    putFile(disk, FIRST, joined(header, record(1), mark, record(2), new Uint8Array(300)));
    const story = new Story();
    story.appended.push(payloadOf(1, 60), payloadOf(2, 60));
    story.acked = 2;
    const cause = "A mark lies between them, and zeros behind, as the reference leaves them.";
    const opened = open(subject, disk);
    judge(story, opened, { cause, disk, verb: "appended" }, { lost: "W1", invented: "W1" });
    story.append(opened.wal, 50);
  },
};

export const appendChecks: readonly Check<WalSubject>[] = [
  emptyLog,
  anySize,
  goesOn,
  ownCopy,
  readsBack,
  forEverybody,
  marks,
];
