/**
 * Judges a module, in the process that was started for it: checks of steps, crash labs,
 * experiments.
 *
 * Invariant: what is about to run is said before it runs, so that whoever waits can name it when it
 * never comes back.
 */
import { notWritten } from "#base";
import type { ChildEvent, ChildWork } from "./child-protocol.ts";
import { runCheck } from "./lesson.ts";
import type { Chapter, Check, CrashLab, Failure, Step } from "./types.ts";

/** Takes an event. The promise resolves when the other side will get it, whatever comes next. */
export type Emit = (event: ChildEvent) => Promise<void>;

type Work<Kind> = Extract<ChildWork, { kind: Kind }>;

/** Does what a request asks for. `now` is in milliseconds. */
export async function judge(
  chapter: Chapter,
  module: object,
  work: ChildWork,
  { emit, now }: { readonly emit: Emit; readonly now: () => number },
): Promise<void> {
  const judged = { chapter, module, emit, now };
  if (work.kind === "steps") await judgeSteps(judged, work);
  else if (work.kind === "crash") await judgeCrashes(judged, work);
  else await experiment(judged, work);
}

/**
 * A module in which each missing part is a stub, so that a missing function is told as one that is
 * not written.
 *
 * @param expected - the names that the starter exports as functions.
 */
export function withMissingParts(
  module: object,
  parts: readonly { readonly step: string; readonly name: string }[],
  expected: readonly string[],
): object {
  const missing = parts.filter(({ name }) => expected.includes(name) && !(name in module));
  if (missing.length === 0) return module;
  const stubs = missing.map(({ step, name }) => [name, () => notWritten(step, name)] as const);
  return { ...module, ...Object.fromEntries(stubs) };
}

interface Judged {
  readonly chapter: Chapter;
  readonly module: object;
  readonly emit: Emit;
  readonly now: () => number;
}

async function judgeSteps(judged: Judged, work: Work<"steps">): Promise<void> {
  let isGreen = true;
  const planned = work.steps.flatMap((id) =>
    stepOf(judged.chapter, id).checks.map((check) => ({ step: id, check, seed: work.seed })),
  );
  const names = planned.map(({ step, check }) => ({ step, check: check.name }));
  await judged.emit({ type: "cairn-plan", checks: names });
  for (const at of planned) {
    const failure = await judgeCheck(judged, at);
    if (failure !== null) isGreen = false;
  }
  // A reader who is red has enough to look at.
  if (isGreen) await judgeEarlier(judged, work);
}

async function judgeEarlier(judged: Judged, work: Work<"steps">): Promise<void> {
  const checks = work.earlier.flatMap((id) =>
    stepOf(judged.chapter, id).checks.map((check) => ({ step: id, check, seed: work.seed })),
  );
  const end = judged.now() + work.earlierMsMax;
  for (const [index, at] of checks.entries()) {
    if (judged.now() >= end) {
      await judged.emit({ type: "cairn-earlier-left", checks: checks.length - index });
      return;
    }
    await judgeCheck(judged, { ...at, isEarlier: true });
  }
}

async function judgeCheck(
  { chapter, module, emit, now }: Judged,
  at: {
    readonly step: string;
    readonly check: Check<unknown>;
    readonly seed: number;
    readonly isEarlier?: boolean;
  },
): Promise<Failure | null> {
  const { step, check } = at;
  const { kind, rule } = check;
  const isEarlier = at.isEarlier === true;
  const ruleText = chapter.rules[rule] ?? "";
  await emit({ type: "cairn-check", step, check: check.name, kind, rule, ruleText, isEarlier });
  const start = now();
  const failure = await runCheck(chapter, at, chapter.subjectOf(module));
  // An error that nobody caught comes up when the turn ends: it belongs to this check.
  await new Promise((resolve) => setImmediate(resolve));
  const ms = now() - start;
  await emit({ type: "cairn-verdict", step, check: check.name, isEarlier, failure, ms });
  return failure;
}

async function judgeCrashes(judged: Judged, work: Work<"crash">): Promise<void> {
  const { chapter, module, emit } = judged;
  const lab = chapter.crashLab;
  if (lab === undefined) {
    await emit({ type: "cairn-unknown", text: `Chapter ${chapter.name} has no crash lab.` });
    return;
  }
  const counted = await countPoints(judged, lab);
  if (counted === null) return;
  const points =
    work.point === undefined ? [...Array(counted).keys()] : [work.point].filter((p) => p < counted);
  const first = work.firstSeed ?? 1;
  const seeds =
    work.seed === undefined
      ? [...Array(lab.seedsPerPoint).keys()].map((n) => first + n)
      : [work.seed];
  const plan = { about: lab.about, points: counted, seedsPerPoint: seeds.length };
  await emit({ type: "cairn-crash-plan", ...plan });
  for (const point of points) {
    let runs = 0;
    let failure: Failure | null = null;
    for (const seed of seeds) {
      runs += 1;
      const check = crashCheck(chapter, lab, { point, seed });
      const at = { step: `crash ${chapter.name.slice(0, 2)}`, check, seed };
      failure = await runCheck(chapter, at, chapter.subjectOf(module));
      if (failure !== null) break;
    }
    await emit({ type: "cairn-crash-point", point, runs, failure });
    if (failure !== null && !work.isWhole) return;
  }
}

/** How many points there are; null if even the history cannot be written: that is then said. */
async function countPoints(
  { chapter, module, emit }: Judged,
  lab: CrashLab<unknown>,
): Promise<number | null> {
  let points = 0;
  const check: Check<unknown> = {
    name: "the history is written without a power cut",
    kind: "crash",
    rule: "",
    run: async (subject) => {
      points = await lab.points(subject);
    },
  };
  const at = { step: `crash ${chapter.name.slice(0, 2)}`, check, seed: 1 };
  const failure = await runCheck(chapter, at, chapter.subjectOf(module));
  if (failure === null) return points;
  await emit({ type: "cairn-lab-failed", failure });
  return null;
}

function crashCheck(
  chapter: Chapter,
  lab: CrashLab<unknown>,
  at: { readonly point: number; readonly seed: number },
): Check<unknown> {
  const again = `npx cairn crash ${chapter.name.slice(0, 2)} --point ${at.point} --seed ${at.seed}`;
  return {
    name: `power cut before disk operation ${at.point}`,
    kind: "crash",
    rule: "",
    run: async (subject) => {
      try {
        await lab.run(subject, at);
      } catch (error) {
        throw withAgain(error, again);
      }
    },
  };
}

/** A lesson that does not say how to see it again is told by the lab's own command. */
function withAgain(error: unknown, again: string): unknown {
  const { lesson } = (error ?? {}) as { lesson?: { again?: string } };
  if (lesson !== undefined && lesson.again === undefined) {
    Object.assign(error as object, { lesson: { ...lesson, again } });
  }
  return error;
}

async function experiment(
  { chapter, module, emit }: Judged,
  work: Work<"experiment">,
): Promise<void> {
  const found = chapter.experiments?.[work.name];
  if (found === undefined) {
    const names = Object.keys(chapter.experiments ?? {});
    const there = names.length === 0 ? "none" : names.join(", ");
    await emit({
      type: "cairn-unknown",
      text: `Chapter ${chapter.name} has no experiment "${work.name}". It has: ${there}.`,
    });
    return;
  }
  await emit({ type: "cairn-say", line: found.about });
  const check: Check<unknown> = {
    name: `the experiment ${work.name} comes to its end`,
    kind: "crash",
    rule: "",
    run: () => found.run((line) => void emit({ type: "cairn-say", line })),
  };
  const at = { step: `crash ${chapter.name.slice(0, 2)}`, check, seed: 1 };
  const failure = await runCheck(chapter, at, chapter.subjectOf(module));
  if (failure !== null) await emit({ type: "cairn-lab-failed", failure });
}

function stepOf(chapter: Chapter, id: string): Step<unknown> {
  const step = chapter.steps.find((one) => one.id === id);
  if (step === undefined) throw new Error(`${chapter.name} has no checks for step ${id}`);
  return step;
}
