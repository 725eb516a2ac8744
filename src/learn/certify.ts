/**
 * `cairn certify`: every started chapter judged again, from a clean copy and with fresh seeds, as a
 * file that anybody can check by running it again.
 *
 * Invariant: the file claims nothing that its `--verify` does not repeat, except what it says that
 * the reader attests: hints, attempts and answers.
 */
import { createHash } from "node:crypto";
import { nodeRandom } from "#platform";
import { type Book, type BookChapter, isStarted, openBook, workFolder } from "./book.ts";
import { startChild } from "./child.ts";
import { copyForCertificate } from "./clean-copy.ts";
import { filesIn, join, readBytes, readText, removeFolder, writeText } from "./files.ts";
import { isGreen, type Progress, readProgress, stepProgress } from "./progress.ts";
import { questionsOf } from "./quiz.ts";
import { wrap } from "./render-failure.ts";
import { counted } from "./render-verdict.ts";
import type { ExitCode, Runner } from "./runner.ts";
import type { Failure } from "./types.ts";
import { UsageError } from "./usage-error.ts";
import { judgeSteps, mineFor, requestFor } from "./verdict.ts";

const SEED_BEFORE = 1_000_000_000;
const WIDTH = 96;

/** What `cairn certify` was asked for. */
export interface CertifyRequest {
  /** Where the file goes; undefined: into `work/`. */
  readonly out?: string;
  /** A file to be checked instead. */
  readonly verify?: string;
}

/** What became of a crash lab. */
interface CertifiedCrash {
  readonly powerCuts: number;
  readonly passed: boolean;
  /** Why it has not passed, in words; only then. */
  readonly because?: string;
}

/** One chapter of a certificate. */
interface CertifiedChapter {
  readonly chapter: string;
  readonly module: string;
  /** All chance of this chapter's run comes from it. */
  readonly seed: number;
  /** SHA-256 of each file of the reader's module. */
  readonly files: Readonly<Record<string, string>>;
  /** What was run and how it came out. */
  readonly steps: readonly {
    readonly id: string;
    readonly passed: boolean;
    readonly checks: number;
  }[];
  readonly crash: CertifiedCrash | null;
  /** What the reader's own progress says. */
  readonly attested: {
    readonly hints: number;
    readonly attempts: number;
    readonly givenUp: readonly string[];
    readonly quiz: {
      readonly questions: number;
      readonly answered: number;
      readonly right: number;
    };
  };
}

interface Certificate {
  readonly kind: "cairn-certificate";
  readonly format: 1;
  readonly statement: string;
  readonly madeAt: string;
  readonly cairn: string;
  readonly node: string;
  readonly platform: string;
  readonly chapters: readonly CertifiedChapter[];
}

const STATEMENT =
  "Self-attested. Nobody watched. What was run can be run again by whoever has the same code: " +
  "npx cairn certify --verify FILE. Hints, attempts and answers are the reader's word.";

/** How chapters are judged. */
interface CertifyPlan {
  readonly seeds: ReadonlyMap<string, number>;
  /** Says of a judged chapter whether the certificate is silent about it. */
  readonly isLeftOut: (one: CertifiedChapter) => boolean;
}

/** Runs `cairn certify`. */
export async function certifyCommand(runner: Runner, request: CertifyRequest): Promise<ExitCode> {
  if (request.verify !== undefined) return verify(runner, request.verify);
  const { book, out } = runner;
  const started = book.chapters.filter((chapter) => isStarted(book, chapter));
  if (started.length === 0) throw new UsageError("Nothing is started yet: npx cairn start.");
  out.say("Every started chapter, from a clean copy of your code and with fresh seeds:");
  const seeds = new Map(started.map(({ name }) => [name, nodeRandom().below(SEED_BEFORE)]));
  const progress = readProgress(book);
  const judged = await certifyChapters(runner, started, {
    seeds,
    isLeftOut: (one) => !one.steps.some(({ id, passed }) => passed || isGreen(progress, id)),
  });
  const chapters = judged.filter(({ isLeftOut }) => !isLeftOut).map(({ one }) => one);
  if (chapters.length === 0) {
    out.say();
    out.say("No step has passed yet: there is nothing to certify, and nothing was written.");
    return 1;
  }
  const certificate: Certificate = {
    kind: "cairn-certificate",
    format: 1,
    statement: STATEMENT,
    madeAt: new Date(runner.now()).toISOString(),
    cairn: versionOf(book),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    chapters,
  };
  const day = certificate.madeAt.slice(0, "2026-01-01".length);
  const path = request.out ?? join(book.root, `work/certificate-${day}.json`);
  writeText(book.disk, path, `${JSON.stringify(certificate, null, 2)}\n`);
  out.say();
  out.say(`Written: ${shorten(book, path)}`);
  for (const line of wrap(STATEMENT.replace("FILE", shorten(book, path)), WIDTH)) out.say(line);
  return chapters.every(isPassed) ? 0 : 1;
}

/** Judges chapters in a clean copy, which is removed at the end. */
async function certifyChapters(
  runner: Runner,
  chapters: readonly BookChapter[],
  { seeds, isLeftOut }: CertifyPlan,
): Promise<{ readonly one: CertifiedChapter; readonly isLeftOut: boolean }[]> {
  const { book, out } = runner;
  const progress = readProgress(book);
  const folder = copyForCertificate(book, chapters);
  try {
    const copy = openBook(folder, book.disk);
    const judged: { one: CertifiedChapter; isLeftOut: boolean }[] = [];
    for (const chapter of chapters) {
      const one = await certifyChapter(
        { ...runner, book: copy },
        {
          chapter,
          progress,
          seed: seeds.get(chapter.name) ?? 1,
        },
      );
      const leftOut = isLeftOut(one);
      judged.push({ one, isLeftOut: leftOut });
      out.say(leftOut ? leftOutLine(runner, one) : chapterLine(runner, one));
    }
    return judged;
  } finally {
    removeFolder(book.disk, folder);
  }
}

async function certifyChapter(
  runner: Runner,
  at: { readonly chapter: BookChapter; readonly progress: Progress; readonly seed: number },
): Promise<CertifiedChapter> {
  const { book } = runner;
  const { chapter, progress, seed } = at;
  const steps = chapter.steps.map(({ id }) => id);
  const verdict = await judgeSteps(book, progress, { chapter, steps, seed, judged: "mine" });
  return {
    chapter: chapter.name,
    module: chapter.module,
    seed,
    files: hashes(book, chapter),
    steps: steps.map((id) => {
      const checks = verdict.checks.filter(({ step }) => step === id);
      const passed = checks.length > 0 && checks.every(({ failure }) => failure === null);
      return { id, passed, checks: checks.length };
    }),
    crash: await crashesOf(book, at),
    attested: attestedOf(runner, chapter, progress),
  };
}

/** The crash lab at every point, with seeds from `seed` on; null if the chapter has none. */
async function crashesOf(
  book: Book,
  at: { readonly chapter: BookChapter; readonly progress: Progress; readonly seed: number },
): Promise<CertifiedChapter["crash"]> {
  const { chapter, progress, seed } = at;
  const child = startChild(book, mineFor(book, progress, { chapter, judged: "mine" }));
  let powerCuts = 0;
  let failure: Failure | undefined;
  let isEarly = false;
  let hasLab = true;
  const work = { kind: "crash", firstSeed: seed, isWhole: false } as const;
  const { end } = await child.ask(
    { ...requestFor(chapter, "mine"), work },
    {
      onEvent(event) {
        if (event.type === "cairn-unknown") hasLab = false;
        if (event.type === "cairn-crash-point") {
          powerCuts += event.runs;
          failure ??= event.failure ?? undefined;
        }
        if (event.type === "cairn-lab-failed") {
          failure ??= event.failure;
          isEarly = true;
        }
      },
    },
  );
  if (!hasLab) return null;
  if (failure?.isWaiting === true) {
    return { powerCuts, passed: false, because: `waits for step ${failure.waitsFor ?? ""}` };
  }
  const isWhole = powerCuts > 0 && end.how === "answered" && !isEarly;
  if (!isWhole) return { powerCuts, passed: false, because: "did not come to its end" };
  if (failure !== undefined) return { powerCuts, passed: false, because: "a promise broken" };
  return { powerCuts, passed: true };
}

function attestedOf(
  runner: Runner,
  chapter: BookChapter,
  progress: Progress,
): CertifiedChapter["attested"] {
  const steps = chapter.steps.map(({ id }) => ({ id, ...stepProgress(progress, id) }));
  const sum = (of: (step: (typeof steps)[number]) => number): number =>
    steps.reduce((total, step) => total + of(step), 0);
  let ids: string[] = [];
  try {
    ids = questionsOf(runner, chapter).map(({ id }) => id);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    // A chapter may have no questions.
  }
  const answered = ids.filter((id) => progress.quiz[id] !== undefined);
  return {
    hints: sum(({ hints }) => hints),
    attempts: sum(({ attempts }) => attempts),
    givenUp: steps.filter(({ isGivenUp }) => isGivenUp === true).map(({ id }) => id),
    quiz: {
      questions: ids.length,
      answered: answered.length,
      right: answered.filter((id) => progress.quiz[id]?.isRight === true).length,
    },
  };
}

/** Runs again what a file claims. */
async function verify(runner: Runner, path: string): Promise<ExitCode> {
  const { book, out } = runner;
  const claimed = readCertificate(runner, path);
  const chapters = book.chapters.filter(({ name }) =>
    claimed.chapters.some(({ chapter }) => chapter === name),
  );
  const missing = chapters.find((chapter) => !isStarted(book, chapter));
  if (missing !== undefined || chapters.length !== claimed.chapters.length) {
    const what = missing === undefined ? "a chapter of it" : `work/${missing.module}`;
    throw new UsageError(`The certificate cannot be checked here: ${what} is not there.`);
  }
  out.say(`Made ${claimed.madeAt} with cairn ${claimed.cairn} on Node ${claimed.node}. Again:`);
  const seeds = new Map(claimed.chapters.map(({ chapter, seed }) => [chapter, seed]));
  // What a certificate names is judged, however it came out there.
  const judged = await certifyChapters(runner, chapters, { seeds, isLeftOut: () => false });
  const again = judged.map(({ one }) => one);
  const differences = claimed.chapters.flatMap((was) => {
    const is = again.find(({ chapter }) => chapter === was.chapter);
    return is === undefined ? [] : differencesOf(was, is);
  });
  out.say();
  for (const line of differences) out.say(out.style.paint("bad", `✗ ${line}`));
  if (differences.length > 0) return 1;
  out.say(out.style.paint("good", "✓ The same code, and the same results."));
  return 0;
}

function differencesOf(was: CertifiedChapter, is: CertifiedChapter): string[] {
  const found: string[] = [];
  const names = new Set([...Object.keys(was.files), ...Object.keys(is.files)]);
  for (const name of names) {
    if (was.files[name] !== is.files[name])
      found.push(`work/${was.module}/${name} is another file`);
  }
  for (const step of was.steps) {
    const now = is.steps.find(({ id }) => id === step.id);
    if (now?.passed !== step.passed) {
      const words = (passed: boolean): string => (passed ? "passed" : "failed");
      found.push(`${step.id} ${words(step.passed)} there and ${words(now?.passed === true)} here`);
    }
  }
  if (was.crash?.passed !== is.crash?.passed) {
    found.push(`the crash lab of ${was.chapter} came out differently`);
  }
  return found;
}

function readCertificate({ book }: Runner, path: string): Certificate {
  const text = readText(book.disk, path);
  if (text === null) throw new UsageError(`${path} is not there.`);
  try {
    const value = JSON.parse(text) as Certificate;
    if (value.kind === "cairn-certificate" && value.format === 1) return value;
  } catch (error) {
    throw new UsageError(`${path} is no certificate: ${String(error)}`);
  }
  throw new UsageError(`${path} is no certificate of this version.`);
}

function chapterLine({ out: { style } }: Runner, one: CertifiedChapter): string {
  const passed = one.steps.filter((step) => step.passed).length;
  const mark = isPassed(one) ? style.paint("good", "✓") : style.paint("bad", "✗");
  const steps = `${passed} of ${counted(one.steps.length, "step")}`;
  return `  ${mark} ${one.chapter}  ${steps}${crashText(one.crash)}, seed ${one.seed}`;
}

function leftOutLine({ out: { style } }: Runner, { chapter }: CertifiedChapter): string {
  return `  ${style.paint("quiet", "·")} ${chapter}  left out: none of its steps has passed yet`;
}

/** A lab that waits, or that cannot be run, has broken no promise. */
function crashText(crash: CertifiedCrash | null): string {
  if (crash === null) return "";
  const cuts = `, ${counted(crash.powerCuts, "power cut")}`;
  if (crash.because === undefined) return cuts;
  if (crash.because === "a promise broken") return `${cuts}, ${crash.because}`;
  return `, crash lab: ${crash.because}`;
}

function isPassed({ steps, crash }: CertifiedChapter): boolean {
  return steps.every(({ passed }) => passed) && crash?.passed !== false;
}

function hashes(book: Book, chapter: BookChapter): Record<string, string> {
  const folder = workFolder(book, chapter);
  return Object.fromEntries(
    filesIn(book.disk, folder).map((path) => {
      const bytes = readBytes(book.disk, join(folder, path));
      return [path, createHash("sha256").update(bytes).digest("hex")];
    }),
  );
}

function versionOf(book: Book): string {
  const text = readText(book.disk, join(book.root, "package.json")) ?? "{}";
  return String((JSON.parse(text) as { version?: unknown }).version);
}

function shorten({ root }: Book, path: string): string {
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}
