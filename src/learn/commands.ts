/**
 * The commands of the workbook, each loaded when it is asked for.
 *
 * Invariant: whoever imports the door of this module loads none of them: checks do so in a process
 * that has two seconds for everything.
 */
import type { CertifyRequest } from "./certify.ts";
import type { CrashRequest } from "./crash.ts";
import type { HintRequest } from "./hint.ts";
import type { QuizRequest } from "./quiz.ts";
import type { ExitCode, Runner } from "./runner.ts";
import type { SolutionRequest } from "./solution.ts";
import type { StartRequest } from "./start.ts";
import type { StatusRequest } from "./status.ts";
import type { TeachRequest } from "./teach.ts";
import type { TestRequest } from "./test-steps.ts";
import type { WatchOptions } from "./watch.ts";

/** A command with its request. */
export type LearnCommand =
  | { readonly name: "start"; readonly request: StartRequest }
  | { readonly name: "watch"; readonly request: WatchOptions }
  | { readonly name: "test"; readonly request: TestRequest }
  | { readonly name: "hint"; readonly request: HintRequest }
  | { readonly name: "explain" }
  | { readonly name: "crash"; readonly request: CrashRequest }
  | { readonly name: "quiz"; readonly request: QuizRequest }
  | { readonly name: "solution"; readonly request: SolutionRequest }
  | { readonly name: "diff"; readonly step: string }
  | { readonly name: "use"; readonly choices: readonly string[] }
  | { readonly name: "reset"; readonly what: string }
  | { readonly name: "undo"; readonly stash: string }
  | { readonly name: "status"; readonly request: StatusRequest }
  | { readonly name: "doctor" }
  | { readonly name: "certify"; readonly request: CertifyRequest }
  | { readonly name: "teach"; readonly request: TeachRequest };

/** Runs a command of the workbook. @throws UsageError for what cannot be done as asked. */
export async function runLearn(runner: Runner, command: LearnCommand): Promise<ExitCode> {
  switch (command.name) {
    case "start":
      return (await import("./start.ts")).startCommand(runner, command.request);
    case "watch":
      return (await import("./watch.ts")).watchCommand(runner, command.request);
    case "test":
      return (await import("./test-steps.ts")).testCommand(runner, command.request);
    case "hint":
      return (await import("./hint.ts")).hintCommand(runner, command.request);
    case "explain":
      return (await import("./explain.ts")).explainCommand(runner);
    case "crash":
      return (await import("./crash.ts")).crashCommand(runner, command.request);
    case "quiz":
      return (await import("./quiz.ts")).quizCommand(runner, command.request);
    case "solution":
      return (await import("./solution.ts")).solutionCommand(runner, command.request);
    case "diff":
      return (await import("./solution.ts")).diffCommand(runner, command.step);
    case "use":
      return (await import("./use.ts")).useCommand(runner, command.choices);
    case "reset":
      return (await import("./reset.ts")).resetCommand(runner, command.what);
    case "undo":
      return (await import("./reset.ts")).undoCommand(runner, command.stash);
    case "status":
      return (await import("./status.ts")).statusCommand(runner, command.request);
    case "doctor":
      return (await import("./doctor.ts")).doctorCommand(runner);
    case "certify":
      return (await import("./certify.ts")).certifyCommand(runner, command.request);
    case "teach":
      return (await import("./teach.ts")).teachCommand(runner, command.request);
  }
}

/**
 * Runs `cairn bench`. Its flags are read where they are used.
 *
 * @param args - what stands behind the command's name.
 */
export async function runBenchLab(args: readonly string[]): Promise<ExitCode> {
  return (await import("./bench-lab.ts")).runBenchLab(args);
}

/** Runs `cairn run`. @param args - what stands behind the command's name. */
export async function runParts(args: readonly string[]): Promise<ExitCode> {
  return (await import("./run-parts.ts")).runParts(args);
}
