/**
 * Step 00.6: a file replaced as a whole. Method: power cuts at every point of one call, with and
 * without an old file, and calls that follow one that was cut.
 */
import { errorText, NotWrittenError } from "#base";
import { type Check, expectThat, fail, type Lesson } from "#learn";
import { createSimulatedDisk, mixSeeds } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { aside, contentAt, contentInWords, storyOf } from "./disk-story.ts";
import {
  DIR,
  diskWith,
  type Found,
  foundOn,
  leftovers,
  NEW,
  OLD,
  PATH,
  returnsBeforeCut,
  settingsStory,
  THIRD,
} from "./settings.ts";
import type { BytesSubject } from "./subject.ts";

const CRASHES_PER_POINT = 40;
/** A call of more operations than this is taken for one that never ends. */
const POINTS_MAX = 200;
/** A file in the directory in which the program was started. */
const NAME = "settings";

/** One power cut in a call of `replaceFile`, or after it. */
interface Cut {
  readonly disk: SimulatedDisk;
  /** Operations that the call carried out before. */
  readonly point: number;
  readonly returned: boolean;
  readonly after: SimulatedDisk;
  readonly found: Found;
}

/** Every power cut of a call with the new content, the last ones after it has returned. */
function* powerCuts(subject: BytesSubject, start: "old" | "nothing", seed: number): Generator<Cut> {
  for (let point = 0; point < POINTS_MAX; point += 1) {
    const disk = diskWith(start);
    disk.cutPowerAt(disk.operations + point);
    const returned = returnsBeforeCut(disk, () => subject.replaceFile(disk, PATH, NEW));
    for (let crash = 0; crash < CRASHES_PER_POINT; crash += 1) {
      const after = disk.crash(mixSeeds(seed, point, crash));
      yield { disk, point, returned, after, found: foundOn(after) };
    }
    if (returned) return;
  }
}

const replaces: Check<BytesSubject> = {
  name: "the new content takes the place of the old, and nothing else is left",
  kind: "unit",
  rule: "D5",
  run(subject) {
    for (const start of ["nothing", "old"] as const) {
      const disk = diskWith(start);
      for (const [content, wanted] of [
        [NEW, "new"],
        [THIRD, "third"],
      ] as const) {
        subject.replaceFile(disk, PATH, content);
        const others = leftovers(disk);
        if (foundOn(disk) === wanted && others.length === 0) continue;
        fail({
          happened:
            `replaceFile was to put ${content.length} bytes at ${PATH}, and returned. The file ` +
            `${contentInWords(contentAt(disk, PATH))}; beside it there is ` +
            `${others.length === 0 ? "nothing" : others.join(", ")}. Nothing had gone wrong.`,
          why: "Whoever opens the file next finds something else than what was saved.",
          timeline: settingsStory(disk, start),
        });
      }
    }
  },
};

const bareName: Check<BytesSubject> = {
  name: "a path without a directory works as any other",
  kind: "unit",
  rule: "D5",
  run(subject) {
    const disk = createSimulatedDisk();
    try {
      subject.replaceFile(disk, NAME, NEW);
    } catch (error) {
      if (error instanceof NotWrittenError) throw error;
      fail(
        {
          happened:
            `replaceFile was to put ${NEW.length} bytes at "${NAME}". Without a slash, the ` +
            `file lies in the directory ".". It threw: ${errorText(error)}`,
          why: "Somebody will start the program in the folder of its data, and it cannot save.",
          timeline: storyOf(disk),
        },
        error,
      );
    }
    const after = disk.crash(1);
    const content = contentAt(after, NAME);
    expectThat(content !== null && Buffer.compare(content, NEW) === 0, () => ({
      happened:
        `replaceFile put ${NEW.length} bytes at "${NAME}", a path without a slash, and returned. ` +
        `Then the power was cut. After the restart the file ${contentInWords(content)}.`,
      why: 'The name lies in the directory ".", and it is that one that must be synced.',
      timeline: storyOf(disk),
    }));
  },
};

const oldOrNew: Check<BytesSubject> = {
  name: "a power cut at any point leaves all of the old content or all of the new",
  kind: "crash",
  rule: "D5",
  run(subject, { seed }) {
    for (const start of ["old", "nothing"] as const) {
      const allowed: readonly Found[] = start === "old" ? ["old", "new"] : ["missing", "new"];
      for (const cut of powerCuts(subject, start, seed)) {
        if (!allowed.includes(cut.found) && !cut.returned) fail(lossDuring(start, cut));
      }
    }
  },
};

/** When the power was cut: `after operation 5, the unlink`. */
function momentOf(disk: SimulatedDisk, point: number): string {
  const last = point === 0 ? undefined : disk.trace[disk.trace.length - 1];
  return last === undefined ? "at once" : `after operation ${point}, the ${last.operation}`;
}

function lossDuring(start: "old" | "nothing", cut: Cut): Lesson {
  const { disk, point, after, found } = cut;
  const content = contentAt(after, PATH);
  const before = start === "old" ? `had ${OLD.length} bytes of old content` : "did not exist";
  const wasRenamed = disk.trace.some(({ operation }) => operation === "rename");
  return {
    happened:
      `${PATH} ${before}. replaceFile was to put ${NEW.length} bytes there, and the power was ` +
      `cut ${momentOf(disk, point)}. After the restart  the file ${contentInWords(content)}: ` +
      (found === "missing" ? "the old content is lost." : "that is neither the old nor the new."),
    why: wasRenamed
      ? "The rename was on disk before the content was. The name then leads to bytes that were " +
        "never synced, and nothing leads to the old ones any more."
      : "These may be the settings that the program needs to start. It had good ones a moment ago.",
    // Bytes that were lost behind a good name are a sync's matter; else the whole way is wrong.
    rule: wasRenamed && found !== "missing" ? "D0" : "D5",
    timeline: [
      ...settingsStory(disk, start),
      aside("the power is cut"),
      aside(`restart: ${PATH} ${contentInWords(content)}`),
    ],
  };
}

const newOnReturn: Check<BytesSubject> = {
  name: "once replaceFile has returned, a power cut leaves the new content",
  kind: "crash",
  rule: "D5",
  run(subject, { seed }) {
    for (const start of ["old", "nothing"] as const) {
      for (const { disk, returned, after, found } of powerCuts(subject, start, seed)) {
        if (!returned || found === "new") continue;
        const isName = found === "old" || found === "missing";
        const content = contentInWords(contentAt(after, PATH));
        fail({
          happened:
            `replaceFile put ${NEW.length} bytes at ${PATH} and returned. Then the power was ` +
            `cut. After the restart ${PATH} ${content}` +
            (found === "old" ? ": the old content, as if the call had never been made." : "."),
          why: isName
            ? "All that was written is on disk, under a name that is not. Synced bytes that " +
              "nothing leads to are lost all the same."
            : "The caller was told that the new content is safe, and has forgotten the old.",
          rule: isName ? "D1" : "D0",
          timeline: [
            ...settingsStory(disk, start),
            aside("replaceFile returns"),
            aside("the power is cut"),
            aside(`restart: ${PATH} ${content}`),
          ],
        });
      }
    }
  },
};

const cleansUp: Check<BytesSubject> = {
  name: "what a power cut left behind does not disturb the next call, and is gone after it",
  kind: "crash",
  rule: "D5",
  run(subject, { seed }) {
    for (const { disk, after } of powerCuts(subject, "old", seed)) {
      const left = after.list(DIR).join(", ");
      const timeline = [
        ...settingsStory(disk),
        aside("the power is cut"),
        aside(`restart: ${DIR} has ${left}; replaceFile is called again`),
      ];
      try {
        subject.replaceFile(after, PATH, THIRD);
      } catch (error) {
        fail(
          {
            happened:
              `The power was cut in a first call. After the restart ${DIR} has ${left}. The ` +
              `next call then threw: ${errorText(error)}`,
            why: "One power cut, and the settings can never be saved again.",
            timeline: [...timeline, ...storyOf(after)],
          },
          error,
        );
      }
      const others = leftovers(after);
      expectThat(foundOn(after) === "third" && others.length === 0, () => ({
        happened:
          `The power was cut in a first call, of ${NEW.length} bytes. After the restart ${DIR} ` +
          `has ${left}. The next call, of ${THIRD.length} bytes, returned: ${PATH} ` +
          `${contentInWords(contentAt(after, PATH))}, and beside it there is ` +
          `${others.length === 0 ? "nothing" : others.join(", ")}.`,
        why:
          others.length === 0
            ? "The rest of a longer file that was never finished is now the end of a good one."
            : "Each power cut leaves one more file that nobody reads, until the disk is full.",
        timeline: [...timeline, ...storyOf(after)],
      }));
    }
  },
};

/** The checks of step 00.6 with a disk that works, apart from its power. */
export const replaceChecks: readonly Check<BytesSubject>[] = [
  replaces,
  bareName,
  oldOrNew,
  newOnReturn,
  cleansUp,
];
