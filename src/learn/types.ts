/**
 * What the workbook is made of, for its runner and its tests: chapters, steps, checks, labs.
 *
 * A chapter has a folder in `chapters/` with what its reader reads, and one in
 * `test/<module>/steps` with what judges the reader's code. Both the reference and the reader's
 * code are judged by the same files.
 */
import type { Bytes } from "#base";

/**
 * How a check tries to break its sentence. `unit`: an example. `model`: random operations against
 * a naive model. `crash`: power cuts. `fault`: failing disk, flipped bits. `property`: statistics
 * and the like. `mistake`: made because an ordinary test let a mistake live.
 */
export type CheckKind = "unit" | "model" | "crash" | "fault" | "property" | "mistake";

/** Bytes to be shown with a failure. */
export interface ByteExcerpt {
  /** What they are, such as `0000000000000001.wal`. */
  readonly title: string;
  readonly bytes: Bytes;
  /** Where `bytes` begins in the file or frame. Default 0. */
  readonly offset?: number;
  /** Fields to be named under the bytes, in order; offsets within `bytes`. */
  readonly fields?: readonly {
    readonly at: number;
    readonly bytes: number;
    readonly name: string;
  }[];
}

/** What a failed check has to say: a lesson, not an assertion. */
export interface Lesson {
  /**
   * What was done, what was expected and what was observed, in one to three sentences. Concrete
   * values. Speaks to the reader: "your openWal returned 7 records".
   */
  readonly happened: string;
  /** Why it matters, in one or two sentences: what somebody would lose. */
  readonly why: string;
  readonly bytes?: ByteExcerpt;
  /** What happened in order, one short line each. */
  readonly timeline?: readonly string[];
  /** The rule that was broken, if it is another than the check's own. */
  readonly rule?: string;
  /** The command that shows it again. Default: the step's test with its seed. */
  readonly again?: string;
}

/** What a check may use besides the code under test. */
export interface CheckContext {
  /** Every random choice comes from it. Printed with a failure. */
  readonly seed: number;
}

/** One sentence that is true of correct code, and the code that tries to break it. */
export interface Check<Subject> {
  /** The sentence, without the step's number: `a torn tail is cut off`. No full stop. */
  readonly name: string;
  readonly kind: CheckKind;
  /** The rule of the contract that it stands for, such as `W6`. */
  readonly rule: string;
  /**
   * Returns if the sentence holds.
   *
   * @throws LessonFailure (through `fail`) if it does not.
   */
  run(subject: Subject, context: CheckContext): void | Promise<void>;
}

/** What a reader does in one sitting. */
export interface Step<Subject> {
  /** `01.3` */
  readonly id: string;
  readonly checks: readonly Check<Subject>[];
}

/** Power cuts at every point of a history. */
export interface CrashLab<Subject> {
  /** The history, for people: what is written, and in which order. */
  readonly about: string;
  /** Seeds that are tried at each point where none is asked for. */
  readonly seedsPerPoint: number;
  /** How many points the history has: the operations on the disk. */
  points(subject: Subject): number | Promise<number>;
  /**
   * Cuts the power before operation `point`, lets the crash keep what `seed` says, recovers, and
   * judges.
   *
   * @throws LessonFailure when a promise is broken.
   */
  run(
    subject: Subject,
    at: { readonly point: number; readonly seed: number },
  ): void | Promise<void>;
}

/** An experiment of a crash lab that is no judgement, such as killing a process a hundred times. */
export interface Experiment {
  /** What it shows, in one sentence. */
  readonly about: string;
  /** Runs it. @param say - takes one line for the reader. */
  run(say: (line: string) => void): void | Promise<void>;
}

/** The judging half of a chapter. */
export interface Chapter<Subject = unknown> {
  /** `01-wal` */
  readonly name: string;
  /** `wal` */
  readonly module: string;
  /** Each rule in one sentence, for failures. By number: `W5`. */
  readonly rules: Readonly<Record<string, string>>;
  readonly steps: readonly Step<Subject>[];
  readonly crashLab?: CrashLab<Subject>;
  /** By name: `cairn crash 01 --experiment kill9`. */
  readonly experiments?: Readonly<Record<string, Experiment>>;
  /**
   * Makes what is judged out of a loaded module. A module of the reader's exports everything; the
   * reference lacks what is an exercise only, and gets it here from the chapter's solution.
   */
  subjectOf(module: object): Subject;
}

/** A check that failed. */
export interface Failure {
  readonly step: string;
  readonly check: string;
  readonly kind: CheckKind;
  readonly rule: string;
  /** The rule in one sentence. */
  readonly ruleText: string;
  readonly lesson: Lesson;
  readonly seed: number;
  /** A part that is not written yet: expected, and no mistake. */
  readonly isWaiting: boolean;
  /** The step in which that part is written. */
  readonly waitsFor?: string;
  /** The reader's file and line, `work/wal/log.ts:42`, when their code threw. */
  readonly place?: string;
}

/** One step in `chapters/NN-name/steps.json`. */
export interface StepPage {
  readonly id: string;
  readonly title: string;
  readonly minutes: number;
  /** The reader's files for this step, in `work/<module>`. */
  readonly files: readonly string[];
  /** The exports, functions and methods that this step is about. */
  readonly parts: readonly string[];
  readonly rules: readonly string[];
}

/** `chapters/NN-name/steps.json`. */
export interface ChapterPage {
  readonly name: string;
  readonly module: string;
  readonly title: string;
  readonly steps: readonly StepPage[];
  /** Benchmark labs, by slug: `group-commit` is `cairn bench 01.group-commit`. */
  readonly labs: readonly {
    readonly slug: string;
    readonly title: string;
    readonly file: string;
  }[];
}

/** One question in `chapters/NN-name/quiz.json`, which is a list of these. */
export interface QuizQuestion {
  /** `01.q1` */
  readonly id: string;
  readonly question: string;
  /** Exactly one is right. Each explains itself: why it is wrong, or why it is right. */
  readonly options: readonly {
    readonly text: string;
    readonly isRight: boolean;
    readonly explanation: string;
  }[];
}
