/**
 * `cairn quiz`: questions, and after an answer the reason for each option.
 *
 * Invariant: no explanation is shown before the reader has committed to an answer, and the first
 * answer is the one that is remembered.
 */
import { type BookChapter, findChapter } from "./book.ts";
import { join, readText } from "./files.ts";
import { type Progress, readProgress, updateProgress } from "./progress.ts";
import { wrap } from "./render-failure.ts";
import type { ExitCode, Runner } from "./runner.ts";
import type { QuizQuestion } from "./types.ts";
import { UsageError } from "./usage-error.ts";

const WIDTH = 96;
const OPTION_INDENT = 5;
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** What `cairn quiz` was asked for. */
export interface QuizRequest {
  /** `01` or `wal`. */
  readonly chapter: string;
  /** `q1=b` or `01.q1=b`. */
  readonly answers: readonly string[];
  /** Forget the answers of this chapter first. */
  readonly isAgain: boolean;
}

/** Runs `cairn quiz`. */
export async function quizCommand(runner: Runner, request: QuizRequest): Promise<ExitCode> {
  const { book, out } = runner;
  const chapter = findChapter(book, request.chapter);
  const questions = questionsOf(runner, chapter);
  if (request.isAgain) forget(runner, questions);
  const given = request.answers.map((text) => parseAnswer(chapter, questions, text));
  for (const { question, letter } of given) commit(runner, question, letter);
  const count = questions.length;
  if (given.length > 0) {
    for (const { question } of given) sayQuestion(runner, question, readProgress(book));
  } else {
    out.say(out.style.paint("strong", `${chapter.number}  ${chapter.title}: ${count} questions`));
    for (const question of questions) {
      if (!(await askOne(runner, question))) break;
    }
  }
  sayScore(runner, chapter, questions);
  return 0;
}

/** The questions of a chapter. @throws UsageError if it has none. */
export function questionsOf({ book }: Pick<Runner, "book">, chapter: BookChapter): QuizQuestion[] {
  const text = readText(book.disk, join(book.root, "chapters", chapter.name, "quiz.json"));
  if (text === null) throw new UsageError(`Chapter ${chapter.number} has no questions yet.`);
  return JSON.parse(text) as QuizQuestion[];
}

/** Shows a question, asks if there is somebody. @returns false to stop. */
async function askOne(runner: Runner, question: QuizQuestion): Promise<boolean> {
  const { book, out, ask } = runner;
  sayQuestion(runner, question, readProgress(book));
  if (ask === null || readProgress(book).quiz[question.id] !== undefined) return true;
  const letters = LETTERS.slice(0, question.options.length);
  for (;;) {
    const last = letters.at(-1) ?? "";
    const answer = (await ask(`Your answer (a to ${last}; s skips, q stops): `)).trim();
    if (answer === "q") return false;
    if (answer === "s") return true;
    if (answer.length === 1 && letters.includes(answer)) {
      commit(runner, question, answer);
      sayVerdict(runner, question, readProgress(book));
      return true;
    }
    out.say(`Not an answer: "${answer}".`);
  }
}

function sayQuestion(runner: Runner, question: QuizQuestion, progress: Progress): void {
  const { out } = runner;
  out.say();
  const [first = "", ...rest] = wrap(`${shortId(question)}  ${question.question}`, WIDTH);
  out.say(out.style.paint("strong", first));
  for (const line of rest) out.say(out.style.paint("strong", line));
  for (const [index, { text }] of question.options.entries()) {
    sayItem(runner, `  ${LETTERS[index]}  `, text);
  }
  if (progress.quiz[question.id] !== undefined) sayVerdict(runner, question, progress);
}

/** What was answered, and why each option is right or wrong. */
function sayVerdict(runner: Runner, question: QuizQuestion, progress: Progress): void {
  const { out } = runner;
  const answer = progress.quiz[question.id];
  if (answer === undefined) return;
  out.say();
  out.say(
    answer.isRight
      ? out.style.paint("good", `  ✓ ${answer.answer} is right`)
      : out.style.paint("bad", `  ✗ ${answer.answer} is not right`),
  );
  for (const [index, { isRight, explanation }] of question.options.entries()) {
    const mark = isRight ? out.style.paint("good", "✓") : out.style.paint("quiet", "·");
    sayItem(runner, `${mark} ${LETTERS[index]}  `, explanation);
  }
}

function sayItem({ out }: Runner, head: string, text: string): void {
  for (const [index, line] of wrap(text, WIDTH - OPTION_INDENT).entries()) {
    out.say(`${index === 0 ? head : " ".repeat(OPTION_INDENT)}${line}`);
  }
}

function sayScore(runner: Runner, chapter: BookChapter, questions: readonly QuizQuestion[]): void {
  const { book, out, ask } = runner;
  const { quiz } = readProgress(book);
  const answered = questions.filter(({ id }) => quiz[id] !== undefined);
  const right = answered.filter(({ id }) => quiz[id]?.isRight === true);
  out.say();
  out.say(`${answered.length} of ${questions.length} answered, ${right.length} right at once.`);
  const open = questions.find(({ id }) => quiz[id] === undefined);
  if (open !== undefined && ask === null) {
    out.say(`Answer with: npx cairn quiz ${chapter.number} --answer ${shortId(open)}=a`);
  }
}

function commit({ book }: Runner, question: QuizQuestion, letter: string): void {
  const isRight = question.options[LETTERS.indexOf(letter)]?.isRight === true;
  updateProgress(book, (before) => {
    if (before.quiz[question.id] !== undefined) return before;
    return { ...before, quiz: { ...before.quiz, [question.id]: { answer: letter, isRight } } };
  });
}

function forget({ book }: Runner, questions: readonly QuizQuestion[]): void {
  const ids = questions.map(({ id }) => id);
  updateProgress(book, (before) => {
    const kept = Object.entries(before.quiz).filter(([id]) => !ids.includes(id));
    return { ...before, quiz: Object.fromEntries(kept) };
  });
}

function parseAnswer(
  chapter: BookChapter,
  questions: readonly QuizQuestion[],
  text: string,
): { readonly question: QuizQuestion; readonly letter: string } {
  const [name = "", letter = ""] = text.trim().toLowerCase().split("=");
  const id = name.includes(".") ? name : `${chapter.number}.${name}`;
  const question = questions.find((one) => one.id === id);
  if (question === undefined) {
    const ids = questions.map(shortId).join(", ");
    throw new UsageError(`There is no question "${name}". There is: ${ids}.`);
  }
  const letters = LETTERS.slice(0, question.options.length);
  if (letter.length !== 1 || !letters.includes(letter)) {
    throw new UsageError(
      `"${text}" is no answer. Write it as ${shortId(question)}=a, with a to ${letters.at(-1)}.`,
    );
  }
  return { question, letter };
}

/** `q1` */
function shortId({ id }: QuizQuestion): string {
  return id.split(".")[1] ?? id;
}
