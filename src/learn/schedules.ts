/**
 * The four schedules of `chapters/index.md`, as the steps and talks that they are made of.
 *
 * Minutes of steps come from each chapter's `steps.json`; only talks, labs and breaks are given
 * here.
 */

/** A part of a schedule: a step, a range of steps in a chapter, or a talk with its minutes. */
export type Slot = string | { readonly talk: string; readonly minutes: number };

/** A schedule. */
export interface Schedule {
  readonly name: string;
  readonly title: string;
  readonly days: readonly (readonly Slot[])[];
}

const story = (minutes: number): Slot => ({ talk: "story, contract, predictions", minutes });
const crashLab = (chapter: string, minutes: number): Slot => ({
  talk: `crash lab: npx cairn crash ${chapter} --all-points`,
  minutes,
});
const benchLab = (chapter: string, minutes: number): Slot => ({
  talk: `benchmark lab of chapter ${chapter}, with predictions`,
  minutes,
});
const questions = (chapter: string, minutes: number): Slot => ({
  talk: `questions: npx cairn quiz ${chapter}`,
  minutes,
});
const cluster = (minutes: number): Slot => ({
  talk: "three nodes on your own log: npx cairn run --nodes 3; kill the leader",
  minutes,
});
const shown = (steps: string, minutes: number): Slot => ({
  talk: `${steps} shown by the teacher, from npx cairn solution`,
  minutes,
});
const rest = (minutes: number): Slot => ({ talk: "break", minutes });

/** By name. */
export const SCHEDULES: readonly Schedule[] = [
  {
    name: "90-minutes",
    title: "90 minutes: one promise, and how it is kept",
    days: [
      [
        story(10),
        "00.5",
        {
          talk: "power cuts on the presenter's log: npx cairn crash 01 --on reference",
          minutes: 10,
        },
        { talk: "step 01.1 to 01.3 on the board; the room codes 01.3 in pairs", minutes: 35 },
        { talk: "predict group commit, then measure it together", minutes: 15 },
        { talk: "questions", minutes: 5 },
      ],
    ],
  },
  {
    name: "half-day",
    title: "half a day: a write-ahead log",
    days: [
      [
        story(15),
        "00.5",
        "01.1-01.3",
        rest(15),
        "01.4",
        "01.7",
        crashLab("01", 10),
        questions("01", 10),
      ],
    ],
  },
  {
    name: "two-days",
    title: "two days: a storage engine, some steps shown instead of coded",
    days: [
      [
        story(20),
        "00.5",
        "01.1-01.7",
        rest(30),
        shown("01.8 and 01.9", 15),
        crashLab("01", 15),
        benchLab("01", 20),
      ],
      [
        story(20),
        "02.1",
        shown("02.2 and 02.3", 15),
        "02.4",
        "03.1",
        "03.3",
        shown("03.2, 03.4 and 03.5", 20),
        rest(30),
        "04.1-04.3",
        shown("04.4 and 04.5", 20),
        crashLab("04", 15),
        questions("04", 15),
      ],
    ],
  },
  {
    name: "five-days",
    title: "five days: chapters 00 to 04 whole, and the cluster on your log",
    days: [
      [story(20), "00", benchLab("00", 20), rest(30), "01.1-01.5"],
      [
        story(15),
        "01.6-01.9",
        rest(30),
        crashLab("01", 20),
        benchLab("01", 25),
        questions("01", 15),
        "02.1-02.2",
      ],
      [story(15), "02.3-02.6", rest(30), benchLab("02", 25), "03.1-03.4"],
      [story(15), "03.5-03.8", rest(30), crashLab("03", 15), "04.1-04.4"],
      [story(15), "04.5-04.9", rest(30), crashLab("04", 20), cluster(60)],
    ],
  },
];
