#!/usr/bin/env node
/**
 * `cairn`: the program for people.
 *
 * Invariant: exit code 0 means that what was asked for was done; a failure is one line that says
 * what to do, never a stack.
 */
import { CommanderError } from "commander";
import { errorText } from "#base";
import { createProgram } from "./program.ts";

const WRONG_USAGE = 2;

/** The version, if that is what is asked for: it stands in the heaviest module of all. */
async function version(): Promise<string> {
  if (!process.argv.some((flag) => flag === "-V" || flag === "--version")) return "";
  const { CAIRN_VERSION } = await import("#server");
  return CAIRN_VERSION;
}

// A reader such as `head` may have gone before the end.
process.stdout.on("error", () => process.exit());
try {
  const args = process.argv.slice(2);
  // Alone, or with nothing but how it looks, it watches.
  const isBare = args.every((arg) => arg === "--plain");
  const whole = isBare ? [...args, "watch"] : args;
  await createProgram(await version()).parseAsync(whole, { from: "user" });
} catch (error) {
  // What commander has to say it has said already.
  const isUsage = error instanceof CommanderError;
  if (!isUsage) process.stderr.write(`cairn: ${errorText(error)}\n`);
  process.exitCode = isUsage ? (error.exitCode === 0 ? 0 : WRONG_USAGE) : 1;
}
