/**
 * Step 01.6: a log of many files, and a directory that forgets what was not synced.
 */
import { type Check, expectThat } from "#learn";
import { createSimulatedDisk, isPowerCut } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { mustRefuse } from "./damage-checks.ts";
import { DIR, FIRST, judge, lastLines, open, payloadOf, Story, segmentFile } from "./lab.ts";
import { FRAME_HEADER_BYTES, HEADER_BYTES } from "./raw.ts";
import type { WalSubject } from "./subject.ts";

const SMALL = { segmentBytesMax: 1000 };

/** A log of many records in small segments, all synced. */
function manySegments(
  subject: WalSubject,
  sizes: readonly number[],
  options = SMALL,
): { disk: SimulatedDisk; story: Story } {
  const disk = createSimulatedDisk();
  const story = new Story();
  const { wal } = open(subject, disk, options);
  for (const bytes of sizes) story.append(wal, bytes);
  story.sync(wal);
  return { disk, story };
}

const walFiles = (disk: SimulatedDisk): string[] =>
  disk.list(DIR).filter((name) => name.endsWith(".wal"));

const rolls: Check<WalSubject> = {
  name: "a segment ends at its limit, and all of them are read in order",
  kind: "unit",
  rule: "W9",
  run(subject) {
    const sizes = Array.from({ length: 60 }, (_, i) => 100 + i);
    const { disk, story } = manySegments(subject, sizes);
    const names = walFiles(disk);
    const large = names.find((name) => disk.content(`${DIR}/${name}`).length > 1000);
    expectThat(names.length > 9 && large === undefined, () => ({
      happened: `60 records of 100 to 159 bytes were appended, with segmentBytesMax 1000. Your log has ${names.length} files${large === undefined ? "" : `, and ${large} has ${disk.content(`${DIR}/${large}`).length} bytes`}.`,
      why: "Old records go by whole files (step 01.9). A log in one file never gives space back.",
    }));
    const cause = `They lie in ${names.length} segments, and the log was opened again.`;
    const opened = open(subject, disk, SMALL);
    judge(story, opened, { cause, disk }, { lost: "W9" });
    expectThat(opened.report.segments === names.length, () => ({
      happened: `The log has ${names.length} segments. Your report says ${opened.report.segments}.`,
      why: "The report is all that an operator sees of a recovery.",
    }));
  },
};

const largeRecord: Check<WalSubject> = {
  name: "a record larger than a segment gets one of its own",
  kind: "unit",
  rule: "W9",
  run(subject) {
    const { disk, story } = manySegments(subject, [5000, 100, 6000, 700]);
    const names = walFiles(disk);
    expectThat(names.length === 4, () => ({
      happened: `Records of 5000, 100, 6000 and 700 bytes were appended, with segmentBytesMax 1000. Four segments were expected. Your log has ${names.length}: ${names.join(", ")}.`,
      why: "A limit is no reason to refuse a record, nor to leave empty files behind.",
    }));
    const cause = "The first and the third are larger than a segment.";
    judge(story, open(subject, disk, SMALL), { cause, disk }, { lost: "W9" });
  },
};

const foreign: Check<WalSubject> = {
  name: "files of other names are ignored, and left alone",
  kind: "unit",
  rule: "W9",
  run(subject) {
    const { disk, story } = manySegments(subject, [300, 400, 500, 600]);
    const others = ["notes.txt", "1.wal", "0000000000000099.wal.old", "000000000000000x.wal"];
    for (const name of others) disk.open(`${DIR}/${name}`, "create-new").write(0, payloadOf(1, 99));
    const before = disk.list(DIR).join(", ");
    const cause = `In the log's directory lie also ${others.join(", ")}.`;
    judge(story, open(subject, disk, SMALL), { cause, disk }, { lost: "W9", invented: "W9" });
    const after = disk.list(DIR).join(", ");
    expectThat(before === after, () => ({
      happened: `The directory held ${before}. After your openWal it holds ${after}.`,
      why: "A note that an operator left there is not yours to delete.",
    }));
  },
};

const SIZES = [400, 300, 500, 820, 60, 450, 380, 900];
const SEEDS = 5;

function play(subject: WalSubject, disk: SimulatedDisk, syncEvery: number): Story {
  const story = new Story();
  try {
    const { wal } = open(subject, disk, SMALL);
    for (const [index, bytes] of SIZES.entries()) {
      story.append(wal, bytes);
      if ((index + 1) % syncEvery === 0) story.sync(wal);
    }
  } catch (error) {
    if (!isPowerCut(error)) throw error;
  }
  return story;
}

const WHY_LOST =
  "The newest segment held synced records, and went as a whole: its name, its header, or the segment before it was not on disk. Nobody had asked for that.";

const WHY_REFUSED =
  "A new segment says: all before me was durable, and so was I before I took a record. Yours said so too early. Now a sound log looks damaged, and the service does not start.";

/** Power cut at every point, three records more, and once again. */
function everyPoint(subject: WalSubject, syncEvery: number): void {
  const whole = createSimulatedDisk();
  play(subject, whole, syncEvery);
  for (let point = 0; point <= whole.operations; point += 1) {
    const disk = createSimulatedDisk({ seed: point + 1 });
    disk.cutPowerAt(point);
    const story = play(subject, disk, syncEvery);
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      const crashed = disk.crash(seed);
      const timeline = [...lastLines(disk), "     the power is cut"];
      const opened = open(subject, crashed, SMALL, { rule: "W9", why: WHY_REFUSED, timeline });
      const scene = { cause: "The power was cut.", disk: crashed, timeline };
      judge(story, opened, scene, { lost: "W9", why: WHY_LOST });
      const after = new Story();
      after.adopt(opened.records);
      for (const bytes of [300, 700, 20]) {
        after.append(opened.wal, bytes, 5);
        after.sync(opened.wal);
      }
      const again = crashed.crash(seed);
      const cause = "Three of them were appended after a power cut. The power was cut again.";
      const second = { cause, disk: again, timeline: lastLines(crashed) };
      const reopened = open(subject, again, SMALL, { rule: "W9", why: WHY_REFUSED });
      judge(after, reopened, second, { lost: "W9", why: WHY_LOST });
    }
  }
}

const durableFirst: Check<WalSubject> = {
  name: "records in a new segment survive, whenever the power is cut",
  kind: "crash",
  rule: "W9",
  run: (subject) => everyPoint(subject, 1),
};

const durableBefore: Check<WalSubject> = {
  name: "a segment is made only when everything before it is durable",
  kind: "crash",
  rule: "W9",
  run: (subject) => everyPoint(subject, 4),
};

const sealed: Check<WalSubject> = {
  name: "damage in a segment that is not the last is refused, with its place",
  kind: "fault",
  rule: "W6",
  run(subject) {
    const { disk } = manySegments(subject, [200, 200, 200, 200, 200, 200]);
    const end = disk.content(FIRST).length;
    for (let at = HEADER_BYTES; at < end; at += 7) {
      const damaged = disk.kill();
      damaged.flipBit(FIRST, at, at % 8);
      const frame = HEADER_BYTES + Math.floor((at - HEADER_BYTES) / 225) * 225;
      const told = `A log has two segments, and the first is full. One bit of it rotted: bit ${at % 8} of byte ${at}. The second segment exists, so all of the first was durable.`;
      const place = { path: FIRST, segment: 1, from: frame, to: at };
      mustRefuse(subject, { disk: damaged, told, ...place, options: SMALL });
    }
  },
};

const missing: Check<WalSubject> = {
  name: "a segment that is missing, cut short or without a header is refused",
  kind: "fault",
  rule: "W6",
  run(subject) {
    const { disk } = manySegments(subject, [500, 500, 500, 500], { segmentBytesMax: 600 });
    const options = { segmentBytesMax: 600 };
    const gone = disk.kill();
    gone.unlink(segmentFile(2));
    const firstEnd = HEADER_BYTES + FRAME_HEADER_BYTES + 500;
    mustRefuse(subject, {
      ...{ disk: gone, path: FIRST, segment: 1, from: firstEnd, to: firstEnd, options },
      isAnywhere: true,
      told: "A log has segments 1 to 4, one record in each, all synced. Then 0000000000000002.wal was deleted.",
    });
    for (const bytes of [HEADER_BYTES, 400]) {
      const short = disk.kill();
      short.open(segmentFile(2), "read-write").truncate(bytes);
      mustRefuse(subject, {
        ...{ disk: short, path: segmentFile(2), segment: 2, from: 0, to: bytes, options },
        told: `A log has segments 1 to 4, one record in each, all synced. Then 0000000000000002.wal lost its end: ${bytes} bytes are left.`,
      });
    }
    for (const segment of [2, 4]) {
      const headless = disk.kill();
      headless.flipBit(segmentFile(segment), 17, 0);
      mustRefuse(subject, {
        ...{ disk: headless, path: segmentFile(segment), segment, from: 0, to: 17, options },
        told: `A log has segments 1 to 4, one record in each, all synced. Then a bit rotted in the header of segment ${segment}. A record lies behind it, so that header was durable once.`,
      });
    }
  },
};

const recycled: Check<WalSubject> = {
  name: "old records of another segment are not replayed",
  kind: "mistake",
  rule: "W4",
  run(subject) {
    const sizes = [300, 300, 200, 100];
    const old = manySegments(subject, sizes, { segmentBytesMax: 4000 });
    const stale = old.disk.content(FIRST).slice(HEADER_BYTES + 325 + 325 + 225);
    // The same numbers, the same sizes, but record 3 lies in a second segment.
    const { disk, story } = manySegments(subject, sizes.slice(0, 3), { segmentBytesMax: 700 });
    const file = disk.open(segmentFile(2), "read-write");
    file.write(file.size(), stale);
    file.sync();
    file.close();
    const cause =
      "Right behind record 3, in segment 2, lie bytes of an earlier life of that disk block: a whole record 4, written for segment 1 of another log.";
    const opened = open(subject, disk, { segmentBytesMax: 700 });
    judge(story, opened, { cause, disk }, { invented: "W4", why: STALE });
  },
};

const STALE =
  "File systems and recycled segments give blocks a second life. The number fits, the checksum is right, and the record was written for somebody else.";

export const segmentChecks: readonly Check<WalSubject>[] = [
  rolls,
  largeRecord,
  foreign,
  durableFirst,
  durableBefore,
  sealed,
  missing,
  recycled,
];
