/**
 * learn: the workbook's runner, and what its steps are made of.
 *
 * Reading order: lesson.ts, render-failure.ts, render-bytes.ts (failures that teach).
 */
export { expectThat, fail, failureError, LessonFailure, runCheck } from "./lesson.ts";
export { hexOf, renderBytes } from "./render-bytes.ts";
export { renderFailure, wrap } from "./render-failure.ts";
export type {
  ByteExcerpt,
  Chapter,
  ChapterPage,
  Check,
  CheckContext,
  CheckKind,
  CrashLab,
  Experiment,
  Failure,
  Lesson,
  QuizQuestion,
  Step,
  StepPage,
} from "./types.ts";
