/**
 * The commands of the workbook, each loaded when it is asked for.
 *
 * Invariant: whoever imports the door of this module loads none of them: checks do so in a process
 * that has two seconds for everything.
 */
import type { ExitCode, Runner } from "./runner.ts";
import type { StartRequest } from "./start.ts";
import type { TestRequest } from "./test-steps.ts";

/** Runs `cairn start`. */
export async function runStart(runner: Runner, request: StartRequest): Promise<ExitCode> {
  const { startCommand } = await import("./start.ts");
  return startCommand(runner, request);
}

/** Runs `cairn test`. */
export async function runTest(runner: Runner, request: TestRequest): Promise<ExitCode> {
  const { testCommand } = await import("./test-steps.ts");
  return testCommand(runner, request);
}

/** Runs `cairn doctor`. */
export async function runDoctor(runner: Runner): Promise<ExitCode> {
  const { doctorCommand } = await import("./doctor.ts");
  return doctorCommand(runner);
}
