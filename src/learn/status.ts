/**
 * `cairn status`: the chapters and steps as a tree, and what each is on.
 *
 * Invariant: a damaged progress is put aside, never written over; the reader's code is not touched.
 */
import { replaceFile } from "#bytes/reference";
import { type BookChapter, findStep, isStarted } from "./book.ts";
import { isComplete, renderCompleteShort } from "./completion.ts";
import { join, readBytes, readText } from "./files.ts";
import {
  isGreen,
  modulesOfMine,
  NO_PROGRESS,
  type Progress,
  parseProgress,
  progressPath,
  readProgress,
  stepProgress,
  writeProgress,
} from "./progress.ts";
import { counted } from "./render-verdict.ts";
import type { ExitCode, Runner } from "./runner.ts";
import { currentStep } from "./test-steps.ts";
import type { StepPage } from "./types.ts";

/** As wide as the longest title of a step, and two blanks. */
const TITLE_CHARACTERS = 50;

/** The mark and the number before a title, and how far they are set in. */
const ID_CHARACTERS = 8;

/** What `cairn status` was asked for. */
export interface StatusRequest {
  readonly isRepair: boolean;
  readonly isJson: boolean;
  /** The step that is on the screen already; undefined: the one that the progress says. */
  readonly current?: string;
}

/** Runs `cairn status`. */
export function statusCommand(runner: Runner, request: StatusRequest): ExitCode {
  const { book, out } = runner;
  if (request.isRepair) return repair(runner);
  const progress = readProgress(book);
  if (request.isJson) {
    out.say(JSON.stringify(progress, null, 2));
    return 0;
  }
  const isBegun = book.chapters.some((chapter) => isStarted(book, chapter));
  const current = isBegun ? (request.current ?? currentStep(runner, progress)) : undefined;
  const chapterAtHand = current === undefined ? undefined : findStep(book, current).chapter;
  const complete =
    chapterAtHand !== undefined && isComplete(chapterAtHand, progress) ? chapterAtHand : undefined;
  // Nobody is at a step of a chapter that has none left.
  const marked = complete === undefined ? current : undefined;
  for (const chapter of book.chapters) {
    for (const line of chapterLines(runner, { chapter, progress, current: marked })) out.say(line);
  }
  const steps = book.chapters.flatMap((chapter) => chapter.steps);
  const green = steps.filter(({ id }) => isGreen(progress, id)).length;
  out.say();
  out.say(`${green} of ${counted(steps.length, "step")} passed.`);
  if (current === undefined) {
    out.say("Begin with: npx cairn start");
    return 0;
  }
  if (complete !== undefined) out.say(renderCompleteShort(book, complete, progress));
  const mine = modulesOfMine(book, progress).join(", ");
  out.say(
    mine === ""
      ? "Later chapters and cairn run use the reference everywhere. Yours instead: npx cairn use"
      : `Later chapters and cairn run use your ${mine}, and else the reference: npx cairn use`,
  );
  return 0;
}

function chapterLines(
  { book, out: { style } }: Runner,
  at: {
    readonly chapter: BookChapter;
    readonly progress: Progress;
    readonly current: string | undefined;
  },
): string[] {
  const { chapter, progress } = at;
  const name = style.paint(
    "strong",
    `${chapter.number}  ${chapter.title}`.padEnd(TITLE_CHARACTERS),
  );
  if (!isStarted(book, chapter)) {
    const minutes = chapter.steps.reduce((sum, step) => sum + step.minutes, 0);
    const text = `${counted(chapter.steps.length, "step")}, ${timeText(minutes)}, not started`;
    return [`${name}  ${style.paint("quiet", text)}`];
  }
  const green = chapter.steps.filter(({ id }) => isGreen(progress, id)).length;
  const isMine = progress.modules[chapter.module] === "mine";
  const runs = isMine ? `work/${chapter.module} runs` : "the reference runs";
  const where = `${green} of ${counted(chapter.steps.length, "step")}; ${runs}`;
  return [
    `${name}  ${style.paint("quiet", where)}`,
    ...chapter.steps.map((step) => `  ${stepText(style, step, at)}`),
  ];
}

function stepText(
  style: Runner["out"]["style"],
  { id, title }: StepPage,
  at: { readonly progress: Progress; readonly current: string | undefined },
): string {
  const { attempts, hints, passedAt, isGivenUp } = stepProgress(at.progress, id);
  const notes: string[] = [];
  if (passedAt !== undefined && !isGreen(at.progress, id)) notes.push("red again");
  if (hints > 0) notes.push(counted(hints, "hint"));
  if (isGivenUp === true) notes.push("solution seen first");
  if (attempts > 0 && passedAt === undefined)
    notes.push(counted(attempts, "try").replace("trys", "tries"));
  if (id === at.current) notes.push("you are here");
  const name = `${id}  ${title.padEnd(TITLE_CHARACTERS - ID_CHARACTERS)}`;
  return `${markOf(style, at.progress, id)} ${name}  ${notes.join(", ")}`.trimEnd();
}

function markOf(style: Runner["out"]["style"], progress: Progress, id: string): string {
  if (isGreen(progress, id)) return style.paint("good", "✓");
  const { passedAt, attempts } = stepProgress(progress, id);
  if (passedAt !== undefined) return style.paint("bad", "✗");
  return attempts > 0 ? style.paint("waiting", "○") : style.paint("quiet", "·");
}

/** `5 h 45 min` */
function timeText(minutes: number): string {
  const hours = Math.floor(minutes / 60);
  const rest = minutes % 60;
  return [hours > 0 ? `${hours} h` : "", rest > 0 ? `${rest} min` : ""].filter(Boolean).join(" ");
}

/** Puts a damaged progress aside and begins a new one. */
function repair(runner: Runner): ExitCode {
  const { book, out } = runner;
  const path = progressPath(book);
  const text = readText(book.disk, path);
  if (text === null) {
    out.say("There is no progress yet: nothing to repair.");
    return 0;
  }
  const read = parseProgress(text);
  if (typeof read !== "string") {
    out.say("work/.cairn/progress.json is sound: nothing to repair.");
    return 0;
  }
  const aside = freeName(runner);
  replaceFile(book.disk, join(book.root, aside), readBytes(book.disk, path));
  writeProgress(book, NO_PROGRESS);
  out.say(`The damaged file is now ${aside}. Your code was not touched.`);
  out.say("npx cairn test --all judges what is in work/ and fills the progress again.");
  out.say("Hints and answers that were counted are lost, unless you take them from that file.");
  return 0;
}

function freeName({ book }: Runner): string {
  for (let number = 1; ; number += 1) {
    const name = `work/.cairn/progress.damaged-${number}.json`;
    if (!book.disk.exists(join(book.root, name))) return name;
  }
}
