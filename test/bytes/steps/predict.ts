/**
 * Step 00.5: what the reader expects of a power cut, held against a hundred of them.
 */
import { notWritten } from "#base";
import { type Check, fail } from "#learn";
import { mixSeeds } from "#platform";
import { aside, contentInWords, storyOf } from "./disk-story.ts";
import type { BytesSubject, Outcome } from "./subject.ts";
import {
  diskWithOld,
  type End,
  endOf,
  type History,
  OLD,
  OUTCOMES,
  PATH,
  sectorsInWords,
} from "./unsynced.ts";

const POWER_CUTS = 100;

/** The rule that decides an outcome, and what it says about it here. */
type Reasons = Readonly<Record<Outcome, { readonly rule: string; readonly why: string }>>;

const OVERWRITTEN: Reasons = {
  old: {
    rule: "D0",
    why: "The write was in the page cache and nowhere else. Somebody was told that it is saved.",
  },
  new: {
    rule: "D2",
    why:
      "The kernel writes pages out when it likes. That an unsynced write may survive is why " +
      "the missing sync is not found by trying.",
  },
  torn: {
    rule: "D2",
    why:
      "Sectors of 512 bytes reach the disk one by one, in any order. A reader that takes a " +
      "file as a whole gets a mixture that no program ever wrote.",
  },
  zeros: {
    rule: "D3",
    why:
      "The new size can reach the disk before the new bytes do. Space that no write has " +
      "reached reads as zeros, and zeros look like data: a length of 0, a balance of 0.",
  },
  gone: {
    rule: "D1",
    why:
      "The name was durable before, and a write changes no name. A power cut takes only what " +
      "was not synced: if it could take more, nothing could ever be safe.",
  },
};

const RENAMED: Reasons = {
  old: {
    rule: "D1",
    why:
      "The directory was synced after the rename, so the name leads to the second file for " +
      "good. The old content has no name any more: whatever became of the new is all there is.",
  },
  new: OVERWRITTEN.new,
  torn: {
    rule: "D0",
    why:
      "A rename moves a name. It waits for no byte of the file: only a sync does. The old " +
      "content is lost, and the new one is not there.",
  },
  zeros: {
    rule: "D3",
    why:
      "The size of the second file reached the disk, its bytes did not. This is how settings " +
      "files became zeros after a power cut, with a rename and all.",
  },
  gone: OVERWRITTEN.gone,
};

function endsAsPredicted(history: History, reasons: Reasons): Check<BytesSubject> {
  return {
    name: `a file that is ${history} without a sync ends as you predicted`,
    kind: "crash",
    rule: "D2",
    run(subject, { seed }) {
      const prediction = subject[history];
      if (OUTCOMES.some((outcome) => typeof prediction[outcome] !== "boolean")) {
        notWritten("00.5", `Your prediction \`${history}\``);
      }
      const ends = Array.from({ length: POWER_CUTS }, (_, cut) =>
        endOf(history, mixSeeds(seed, cut)),
      );
      const seen = (outcome: Outcome) => ends.filter((end) => end.outcome === outcome).length;
      const wrong = OUTCOMES.filter((outcome) => prediction[outcome] !== seen(outcome) > 0);
      const [first] = wrong;
      if (first === undefined) return;
      const { rule, why } = reasons[first];
      const end = ends.find(({ outcome }) => outcome === first);
      const right = OUTCOMES.length - wrong.length;
      const score = `${right} of your ${OUTCOMES.length} answers are right.`;
      fail({
        happened:
          end === undefined
            ? `You predicted for \`${history}\` that "${first}" can happen. In ${POWER_CUTS} ` +
              `power cuts it never did. ${score}`
            : `You predicted for \`${history}\` that "${first}" cannot happen. In ${POWER_CUTS} ` +
              `power cuts it came up ${seen(first)} times, first in power cut ` +
              `${ends.indexOf(end) + 1}. ${score}`,
        why,
        rule,
        timeline: timelineOf(history, end),
      });
    },
  };
}

function timelineOf(history: History, end: End | undefined): string[] {
  const disk = end?.disk ?? endOf(history, 0).disk;
  const lines = [
    aside(`${PATH} has ${OLD.length} bytes, old and durable`),
    ...storyOf(disk, diskWithOld().operations),
    aside("the power is cut"),
  ];
  if (end === undefined) return lines;
  const found = end.content === null ? [] : sectorsInWords(end.content);
  return [
    ...lines,
    aside(`restart: ${PATH} ${contentInWords(end.content)}`),
    ...found.map((line) => aside(`  ${line}`)),
  ];
}

/** The checks of step 00.5. */
export const predictChecks: readonly Check<BytesSubject>[] = [
  endsAsPredicted("overwritten", OVERWRITTEN),
  endsAsPredicted("renamed", RENAMED),
];
