/**
 * The crash lab of chapter 01: twelve records, one per sync, over a few segments. The power is cut
 * before any operation; then recovery, three records more, a second power cut, recovery.
 */
import { type CrashLab, LessonFailure } from "#learn";
import { createSimulatedDisk, isPowerCut } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { judge, lastLines, open, Story } from "./lab.ts";
import type { WalSubject } from "./subject.ts";

/** From 20 to 920 bytes: most lie across the border of a sector of 512 bytes. */
const SIZES = [20, 480, 700, 33, 920, 512, 250, 487, 600, 90, 810, 300];
const OPTIONS = { segmentBytesMax: 2048 };
const SEEDS_PER_POINT = 50;

function play(subject: WalSubject, disk: SimulatedDisk): Story {
  const story = new Story();
  try {
    const { wal } = open(subject, disk, OPTIONS);
    for (const bytes of SIZES) {
      story.append(wal, bytes);
      story.sync(wal);
    }
  } catch (error) {
    if (!isPowerCut(error)) throw error;
  }
  return story;
}

/** One run: crash, recovery, three records, crash, recovery, and recovery once more. */
function crashAndGoOn(
  subject: WalSubject,
  at: { readonly point: number; readonly seed: number },
): void {
  const again = `npx cairn crash 01 --point ${at.point} --seed ${at.seed}`;
  const disk = createSimulatedDisk({ seed: at.point + 1 });
  disk.cutPowerAt(at.point);
  const story = play(subject, disk);
  const crashed = disk.crash(at.seed);
  const timeline = [...lastLines(disk), "     the power is cut"];
  const opened = open(subject, crashed, OPTIONS, { timeline });
  const cause = `The power was cut before operation ${at.point}.`;
  judge(story, opened, { cause, disk: crashed, timeline, again });
  const after = new Story();
  after.adopt(opened.records);
  for (let i = 0; i < 3; i += 1) {
    // The first as large as the one that was lost there: what lies behind that one still fits.
    const lost = i === 0 ? story.appended[after.appended.length]?.length : undefined;
    after.append(opened.wal, lost ?? 20 + ((at.seed * 211 + i * 397) % 900), 9);
    if (i < 2) after.sync(opened.wal);
  }
  const second = crashed.crash(at.seed);
  const told = `The power was cut before operation ${at.point}; recovery found ${opened.records.length}; more were appended. The power was cut again.`;
  const moreLines = [...lastLines(crashed), "     the power is cut again"];
  const scene = { cause: told, disk: second, timeline: moreLines, again };
  const reopened = open(subject, second, OPTIONS, { timeline: moreLines });
  judge(after, reopened, scene);
  const same = new Story();
  same.adopt(reopened.records);
  const once = { ...scene, cause: "The log was opened twice in a row.", verb: "handed out" };
  judge(same, open(subject, second, OPTIONS), once, { lost: "W8", invented: "W8" });
}

export const crashLab: CrashLab<WalSubject> = {
  about:
    "Twelve records of 20 to 920 bytes, one per sync, in segments of 2048 bytes. The power is cut, recovery runs, three records more are appended, the power is cut again, recovery runs again.",
  seedsPerPoint: SEEDS_PER_POINT,
  points(subject) {
    const disk = createSimulatedDisk();
    play(subject, disk);
    return disk.operations;
  },
  run(subject, at) {
    try {
      crashAndGoOn(subject, at);
    } catch (error) {
      if (!(error instanceof LessonFailure) || error.lesson.again !== undefined) throw error;
      const again = `npx cairn crash 01 --point ${at.point} --seed ${at.seed}`;
      throw new LessonFailure({ ...error.lesson, again }, { cause: error.cause });
    }
  },
};
