/**
 * learn: the workbook's runner, and what its steps are made of.
 *
 * Reading order: lesson.ts, load-problem.ts, render-failure.ts, render-bytes.ts (failures that
 * teach); child-protocol.ts, judge.ts (in the process that judges); usage-error.ts, files.ts,
 * book.ts, progress.ts, keep-failure.ts, style.ts, runner.ts, child.ts, verdict.ts,
 * render-verdict.ts, completion.ts, test-steps.ts; doctor.ts, starter-files.ts, start.ts;
 * sections.ts, hint.ts, explain.ts, crash.ts, quiz.ts; code-parts.ts, solution.ts, use.ts,
 * reset.ts, status.ts; watch.ts; clean-copy.ts, certify.ts; schedules.ts, teach.ts; bench-lab.ts,
 * run-parts.ts; commands.ts.
 */
export { type Book, openBook } from "./book.ts";
export type { ChildEvent, ChildRequest } from "./child-protocol.ts";
export { codePart } from "./code-parts.ts";
export { type LearnCommand, runBenchLab, runLearn, runParts } from "./commands.ts";
export { judge, withMissingParts } from "./judge.ts";
export { keepFailure, keptFailure } from "./keep-failure.ts";
export { expectThat, fail, failureError, LessonFailure, runCheck } from "./lesson.ts";
export { explainLoadError, explainMissingExport, placeInReadersCode } from "./load-problem.ts";
export { parseProgress } from "./progress.ts";
export { hexOf, renderBytes } from "./render-bytes.ts";
export { renderFailure, wrap } from "./render-failure.ts";
export type { ExitCode, Runner } from "./runner.ts";
export { renderMarkdown, sectionOf, sectionsOf } from "./sections.ts";
export { createOutput, createStyle, type Output, type Style } from "./style.ts";
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
export { UsageError } from "./usage-error.ts";
export type { Keys } from "./watch.ts";
