/**
 * The crash lab of chapter 00: settings that are replaced three times, with a power cut at every
 * point.
 */
import type { Bytes } from "#base";
import { type CrashLab, expectThat } from "#learn";
import type { SimulatedDisk } from "#platform/types";
import { aside, contentAt, contentInWords, storyOf } from "./disk-story.ts";
import {
  DIR,
  diskWith,
  leftovers,
  NEW,
  OLD,
  PATH,
  returnsBeforeCut,
  settingsStory,
  THIRD,
} from "./settings.ts";
import type { BytesSubject } from "./subject.ts";

/** What the file holds, one after the other: longer, shorter, longer again. */
const CONTENTS: readonly Bytes[] = [OLD, NEW, THIRD, NEW.subarray(0, 1100)];

/** Replaces the content again and again. @returns how many calls returned before the power cut. */
function replaceAll(subject: BytesSubject, disk: SimulatedDisk): number {
  let returned = 0;
  for (const content of CONTENTS.slice(1)) {
    if (!returnsBeforeCut(disk, () => subject.replaceFile(disk, PATH, content))) break;
    returned += 1;
  }
  return returned;
}

export const crashLab: CrashLab<BytesSubject> = {
  about:
    "settings of 900 bytes are replaced three times, by 1400, 300 and 1100 bytes; the power is " +
    "cut before each operation on the disk",
  seedsPerPoint: 50,

  points(subject) {
    const disk = diskWith("old");
    const before = disk.operations;
    replaceAll(subject, disk);
    // The last one: after everything has returned.
    return disk.operations - before + 1;
  },

  run(subject, { point, seed }) {
    const disk = diskWith("old");
    disk.cutPowerAt(disk.operations + point);
    const returned = replaceAll(subject, disk);
    const after = disk.crash(seed);
    const content = contentAt(after, PATH);
    const isAt = (call: number) => {
      const wanted = CONTENTS[call];
      return content !== null && wanted !== undefined && Buffer.compare(content, wanted) === 0;
    };
    const timeline = [
      ...settingsStory(disk),
      aside(`the power is cut (seed ${seed}); ${returned} calls have returned`),
      aside(`restart: ${PATH} ${contentInWords(content)}`),
    ];
    const again = `npx cairn crash 00 --point ${point} --seed ${seed}`;
    expectThat(isAt(returned) || isAt(returned + 1), () => ({
      happened:
        `${returned} calls of replaceFile had returned, and the next one was under way, when ` +
        `the power was cut. The file should have ${CONTENTS[returned]?.length} ` +
        `bytes${returned + 1 < CONTENTS.length ? ` or ${CONTENTS[returned + 1]?.length}` : ""}, ` +
        `whole. It ${contentInWords(content)}.`,
      why: "The program will not start with these settings, and the good ones are gone.",
      timeline,
      again,
    }));
    subject.replaceFile(after, PATH, THIRD);
    const others = leftovers(after);
    expectThat(Buffer.compare(after.content(PATH), THIRD) === 0 && others.length === 0, () => ({
      happened:
        `After the restart replaceFile was called once more, with ${THIRD.length} bytes. The ` +
        `file ${contentInWords(contentAt(after, PATH))}, and ${DIR} has ` +
        `${after.list(DIR).join(", ")}.`,
      why: "What a power cut leaves behind must not get into what is saved after it.",
      timeline: [...timeline, ...storyOf(after)],
      again,
    }));
  },
};
