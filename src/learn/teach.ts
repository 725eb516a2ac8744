/**
 * `cairn teach`: for whoever runs a room, and for whoever wants to know whether the book can be
 * trusted.
 *
 * Invariant: nothing here reads or changes a reader's files, except `catch-up`, which changes what
 * `cairn use` says.
 */
import { spawn } from "node:child_process";
import { allSteps, type BookStep, findStep } from "./book.ts";
import { join } from "./files.ts";
import { updateProgress, type Whose } from "./progress.ts";
import { counted } from "./render-verdict.ts";
import type { ExitCode, Runner } from "./runner.ts";
import { SCHEDULES, type Schedule, type Slot } from "./schedules.ts";
import { UsageError } from "./usage-error.ts";

/** What `cairn teach` was asked for. */
export type TeachRequest =
  | { readonly what: "check"; readonly chapters: readonly string[] }
  | { readonly what: "agenda"; readonly schedule?: string }
  | { readonly what: "catch-up"; readonly step: string };

/** Runs `cairn teach`. */
export async function teachCommand(runner: Runner, request: TeachRequest): Promise<ExitCode> {
  if (request.what === "check") return check(runner, request.chapters);
  if (request.what === "agenda") return agenda(runner, request.schedule);
  return catchUp(runner, request.step);
}

/** The four-way table, printed by a process of its own as it goes. */
function check({ book }: Runner, chapters: readonly string[]): Promise<ExitCode> {
  const main = join(book.root, "test/support/four-way-table.ts");
  const table = spawn(
    process.execPath,
    ["--conditions=source", "--import", "tsx", main, ...chapters],
    { cwd: book.root, stdio: ["ignore", "inherit", "inherit"], windowsHide: true },
  );
  return new Promise((resolve, reject) => {
    table.once("error", reject);
    table.once("close", (code) => resolve(code === 0 ? 0 : code === 2 ? 2 : 1));
  });
}

function agenda(runner: Runner, asked: string | undefined): ExitCode {
  const { out } = runner;
  const chosen = SCHEDULES.filter(({ name }) => asked === undefined || name === asked);
  if (chosen.length === 0) {
    const names = SCHEDULES.map(({ name }) => name).join(", ");
    throw new UsageError(`There is no schedule "${asked}". There is: ${names}.`);
  }
  for (const schedule of chosen) sayAgenda(runner, schedule);
  out.say("Minutes of steps are those of a reader alone; a room takes half as long again.");
  return 0;
}

function sayAgenda(runner: Runner, schedule: Schedule): void {
  const { out } = runner;
  out.say(out.style.paint("strong", `${schedule.name}  ${schedule.title}`));
  for (const [index, day] of schedule.days.entries()) {
    const slots = day.flatMap((slot) => slotLines(runner, slot));
    const minutes = slots.reduce((sum, slot) => sum + slot.minutes, 0);
    if (schedule.days.length > 1) out.say(`  Day ${index + 1}`);
    for (const slot of slots) out.say(`  ${String(slot.minutes).padStart(5)} min  ${slot.text}`);
    out.say(`  ${String(minutes).padStart(5)} min  in all`);
  }
  out.say();
}

function slotLines(runner: Runner, slot: Slot): { minutes: number; text: string }[] {
  if (typeof slot !== "string") return [{ minutes: slot.minutes, text: slot.talk }];
  return stepsOf(runner, slot).map(({ step }) => ({
    minutes: step.minutes,
    text: `${step.id}  ${step.title}`,
  }));
}

/** The steps of `01`, `01.3` or `01.3-01.5`; those that do not exist yet are left out. */
function stepsOf({ book }: Runner, slot: string): BookStep[] {
  const [from = "", to = from] = slot.split("-");
  return allSteps(book).filter(({ step, chapter }) => {
    if (!slot.includes(".")) return chapter.number === slot;
    return step.id >= from && step.id <= to;
  });
}

/** Puts every module of the chapters before a step on the reference. */
function catchUp(runner: Runner, asked: string): ExitCode {
  const { book, out } = runner;
  const { chapter, step } = findStep(book, asked);
  const before = book.chapters.slice(0, book.chapters.indexOf(chapter));
  const modules = Object.fromEntries(before.map(({ module }) => [module, "reference" as Whose]));
  updateProgress(book, (progress) => ({
    ...progress,
    current: step.id,
    modules: { ...progress.modules, ...modules },
  }));
  const names = before.map(({ module }) => module).join(", ");
  out.say(
    `You are at ${step.id}. On the reference: ${names === "" ? "nothing before it" : names}.`,
  );
  out.say("No file in work/ was changed; npx cairn use puts your own modules back.");
  const earlier = chapter.steps.filter(({ id }) => id < step.id);
  const last = earlier.at(-1);
  if (last !== undefined) {
    out.say(
      `${counted(earlier.length, "earlier step")} of this chapter are in the same module: ` +
        `npx cairn solution ${last.id} --give-up ${last.id} shows the last one.`,
    );
  }
  return 0;
}
