/**
 * Bare `cairn`: runs the step that the reader is at, again at each save; one key for each command.
 *
 * Changes are seen by reading the reader's few files again and again: that works on every system
 * and every kind of drive, where watching does not. Invariant: one run at a time; a save during a
 * run is followed by another run.
 */
import { errorText } from "#base";
import {
  type BookChapter,
  type BookStep,
  findStep,
  isDoorLost,
  isStarted,
  notStarted,
  workFolder,
} from "./book.ts";
import { startChild, type WaitingChild } from "./child.ts";
import { isComplete, nextChapter, renderCompleteShort } from "./completion.ts";
import { explainCommand } from "./explain.ts";
import { filesIn, join, readText } from "./files.ts";
import { hintCommand } from "./hint.ts";
import { isGreen, modulesOfMine, readProgress } from "./progress.ts";
import { resetCommand } from "./reset.ts";
import type { ExitCode, Runner } from "./runner.ts";
import { startCommand } from "./start.ts";
import { statusCommand } from "./status.ts";
import { currentStep, testStep } from "./test-steps.ts";
import { UsageError } from "./usage-error.ts";
import { mineFor } from "./verdict.ts";

/** Often enough that nobody waits for it; reading some twenty small files takes a millisecond. */
const LOOK_MS = 150;
const SEED = 1;
const CLEAR = "\u001b[2J\u001b[3J\u001b[H";
const KEYS =
  "n next   t test   h hint   e explain   b bench   l list   x reset   r run again   q quit";

/** A keyboard, one key at a time. */
export interface Keys {
  /** Sets who takes the keys. */
  onKey(take: (key: string) => void): void;
  /** Gives the terminal back. */
  end(): void;
}

/** What the watch mode needs besides a runner. */
export interface WatchOptions {
  /** Null: nobody sits at a terminal. */
  readonly keys: Keys | null;
  /** Writes a control sequence. */
  readonly control: (sequence: string) => void;
}

/** Runs the watch mode until the reader quits. */
export async function watchCommand(runner: Runner, options: WatchOptions): Promise<ExitCode> {
  const { book } = runner;
  const isBegun = book.chapters.some((chapter) => isStarted(book, chapter));
  if (options.keys === null || !isBegun) {
    sayWhatToDo(runner, isBegun);
    options.keys?.end();
    return 0;
  }
  const watch = new Watch(runner, options.control);
  const { keys } = options;
  try {
    await new Promise<void>((resolve) => {
      keys.onKey((key) => watch.press(key, resolve));
      watch.begin();
    });
  } finally {
    watch.end();
    keys.end();
  }
  return 0;
}

function sayWhatToDo(runner: Runner, isBegun: boolean): void {
  const { out, book } = runner;
  const lost = isBegun ? undefined : book.chapters.find((chapter) => isDoorLost(book, chapter));
  if (lost !== undefined) {
    out.say(notStarted(book, lost));
    return;
  }
  if (!isBegun) {
    out.say("Cairn: a workbook in which you build a database, from bytes to a replicated SQLite.");
    out.say();
    out.say("Begin with:        npx cairn start");
    out.say("See the chapters:  npx cairn status, or chapters/index.md");
    out.say("The database:      npx cairn cluster");
    return;
  }
  const progress = readProgress(book);
  const id = currentStep(runner, progress);
  const { chapter } = findStep(book, id);
  if (isComplete(chapter, progress)) {
    out.say(renderCompleteShort(book, chapter, progress));
    out.say();
    out.say("Watching needs a terminal; without one:");
  } else {
    out.say(`You are at step ${id}. Watching needs a terminal; without one:`);
  }
  out.say();
  out.say(`  npx cairn test ${id}    judge the step`);
  out.say(`  npx cairn hint ${id}    a hint`);
  out.say("  npx cairn status       how far you are");
  out.say("  npx cairn --help       every command");
}

/** What the key that was pressed last asks for, if it asks to be pressed once more. */
type Asked = "" | "next" | "start" | "reset";

class Watch {
  readonly #runner: Runner;
  readonly #control: (sequence: string) => void;
  #timer: NodeJS.Timeout | undefined;
  #seen = "";
  #isRunning = false;
  #child: { readonly child: WaitingChild; readonly mine: string } | undefined;
  /** The step on the screen; it stays when it has passed, until the reader goes on. */
  #step: string;
  #asked: Asked = "";

  constructor(runner: Runner, control: (sequence: string) => void) {
    this.#runner = runner;
    this.#control = control;
    this.#step = currentStep(runner, readProgress(runner.book));
  }

  begin(): void {
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#run();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#child?.child.dismiss();
    this.#child = undefined;
  }

  press(key: string, quit: () => void): void {
    if (key === "q" || key === "\u0003" || key === "\u0004") {
      quit();
      return;
    }
    // A run prints when it is done; a key pressed meanwhile would be lost among its lines.
    if (this.#isRunning) return;
    const asked = this.#asked;
    this.#asked = "";
    this.#guarded(() => this.#act(key, asked));
  }

  #act(key: string, asked: Asked): void {
    const runner = this.#runner;
    if (key === "t" || key === "r") this.#run();
    else if (key === "n") this.#next(asked);
    else if (key === "x") this.#reset(asked === "reset");
    else if (key === "b") this.#show(() => this.#sayLabs());
    else if (key === "h") this.#show(() => hintCommand(runner, { step: this.#at().step.id }));
    else if (key === "e") this.#show(() => explainCommand(runner));
    else if (key === "l") {
      const current = this.#step;
      this.#show(() => statusCommand(runner, { isRepair: false, isJson: false, current }));
    }
  }

  #at(): BookStep {
    return findStep(this.#runner.book, this.#step);
  }

  #look(): void {
    if (this.#isRunning) return;
    const text = this.#textOfAll();
    if (text === this.#seen) return;
    this.#run();
  }

  /** Everything that a verdict depends on: the module at hand, and those that are in use. */
  #textOfAll(): string {
    const { book } = this.#runner;
    const { chapter } = this.#at();
    const modules = new Set([chapter.module, ...modulesOfMine(book, readProgress(book))]);
    let text = "";
    for (const module of modules) {
      const folder = workFolder(book, { module });
      for (const path of filesIn(book.disk, folder)) {
        text += `${module}/${path}\n${readText(book.disk, join(folder, path)) ?? ""}\n`;
      }
    }
    return text;
  }

  #run(): void {
    this.#isRunning = true;
    this.#asked = "";
    this.#judge()
      .catch((error: unknown) => this.#sayError(error))
      .finally(() => {
        this.#isRunning = false;
        this.#sayKeys();
      });
  }

  async #judge(): Promise<void> {
    const at = this.#at();
    this.#seen = this.#textOfAll();
    const child = this.#takeChild(at);
    const request = { isAll: false, seed: SEED, judged: "mine" } as const;
    this.#clear();
    await testStep(this.#runner, at, request, child);
    this.#warmUp(at);
  }

  /** The child that waits already, if it has the right modules. */
  #takeChild(at: BookStep): WaitingChild {
    const { book } = this.#runner;
    const mine = mineFor(book, readProgress(book), { ...at, judged: "mine" });
    const waiting = this.#child;
    this.#child = undefined;
    if (waiting?.mine === mine.join()) return waiting.child;
    waiting?.child.dismiss();
    return startChild(book, mine);
  }

  #warmUp(at: BookStep): void {
    const { book } = this.#runner;
    const mine = mineFor(book, readProgress(book), { ...at, judged: "mine" });
    this.#child = { child: startChild(book, mine), mine: mine.join() };
  }

  #next(asked: Asked): void {
    const { book, out } = this.#runner;
    const progress = readProgress(book);
    const { chapter, step } = this.#at();
    if (!isGreen(progress, step.id) && asked !== "next" && asked !== "start") {
      this.#asked = "next";
      out.say(`Step ${step.id} is not green yet. Press n once more to go on all the same.`);
      return;
    }
    const later = chapter.steps.find(({ id }) => id > step.id && !isGreen(progress, id));
    const open = later ?? chapter.steps.find(({ id }) => !isGreen(progress, id) && id !== step.id);
    if (open !== undefined) {
      this.#step = open.id;
      this.#run();
      return;
    }
    const following = nextChapter(book, chapter, progress);
    if (following === undefined) {
      out.say("That was the last step of the book.");
      return;
    }
    if (!isStarted(book, following) && asked !== "start") {
      this.#asked = "start";
      const { number, title, module } = following;
      out.say(`That was the last step of chapter ${chapter.number}.`);
      out.say(`Press n once more to start chapter ${number} (${title}): it makes work/${module}.`);
      return;
    }
    this.#start(following);
  }

  #start({ number }: BookChapter): void {
    const { book } = this.#runner;
    this.#isRunning = true;
    this.#clear();
    startCommand(this.#runner, { chapter: number, isBare: false, withGit: false })
      .catch((error: unknown) => this.#sayError(error))
      .finally(() => {
        this.#step = currentStep(this.#runner, readProgress(book));
        this.#seen = this.#textOfAll();
        this.#isRunning = false;
        this.#sayKeys();
      });
  }

  #reset(isSecond: boolean): void {
    const { id } = this.#at().step;
    if (isSecond) {
      this.#show(() => resetCommand(this.#runner, id));
      return;
    }
    this.#asked = "reset";
    this.#runner.out.say(`Press x once more to reset step ${id}. A copy is kept.`);
  }

  #sayLabs(): void {
    const { chapter } = this.#at();
    const { out } = this.#runner;
    if (chapter.labs.length === 0) out.say(`Chapter ${chapter.number} has no benchmark lab.`);
    for (const { slug, title } of chapter.labs) {
      out.say(`${title}\n  npx cairn bench ${chapter.number}.${slug}`);
    }
  }

  #show(command: () => unknown): void {
    this.#clear();
    this.#guarded(command);
    this.#sayKeys();
  }

  #guarded(action: () => unknown): void {
    try {
      action();
    } catch (error) {
      this.#sayError(error);
    }
  }

  #sayError(error: unknown): void {
    const { out } = this.#runner;
    const text = error instanceof UsageError ? error.message : `cairn: ${errorText(error)}`;
    out.say(out.style.paint("bad", text));
  }

  #clear(): void {
    const { style, say } = this.#runner.out;
    if (style.isPlain) say("--------");
    else this.#control(CLEAR);
  }

  #sayKeys(): void {
    const { out } = this.#runner;
    out.say();
    out.say(out.style.paint("quiet", KEYS));
  }
}
