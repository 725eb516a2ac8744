/**
 * Runs a scenario: each block's commands, then what came out of them against what the text says.
 *
 * Invariant: a scenario passes only if every command could be carried out, every expectation held,
 * no invariant broke, and every outcome is the text's to the byte. Chapter: 11-simulation.
 */
import { errorText } from "#base";
import { createRaftCore } from "#raft";
import { isBrokenInvariant } from "../invariants/index.ts";
import { Arguments } from "./arguments.ts";
import type { Context, ScenarioOptions, Verb } from "./context.ts";
import { type Block, type Command, parseScript, renderScript, ScenarioError } from "./script.ts";
import { VERBS } from "./verbs.ts";

/** Why a scenario failed. */
export interface ScenarioFailure {
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** The id of the invariant that broke; undefined for anything else. */
  readonly invariant: string | undefined;
}

/** How a scenario came out. */
export interface ScenarioReport {
  readonly title: string;
  readonly passed: boolean;
  readonly commands: number;
  /** The first thing that went wrong. */
  readonly failure: ScenarioFailure | undefined;
  /** The text with the outcomes that came; where it failed, everything up to there. */
  readonly text: string;
}

/**
 * Runs the text of a scenario.
 *
 * @param options - by default, the core of chapter 07.
 */
export async function runScenario(
  text: string,
  options: Partial<ScenarioOptions> = {},
): Promise<ScenarioReport> {
  let script: ReturnType<typeof parseScript>;
  try {
    script = parseScript(text);
  } catch (error) {
    const failure = failureOf(error, undefined);
    return { title: "", passed: false, commands: 0, failure, text };
  }
  const context: Context = {
    options: { createRaftCore, ...options },
    world: undefined,
    bench: undefined,
    net: undefined,
    counted: new Map(),
    breaks: undefined,
    said: [],
  };
  const outcomes: string[][] = [];
  let commands = 0;
  let failure: ScenarioFailure | undefined;
  for (const block of script.blocks) {
    const outcome: string[] = [];
    outcomes.push(outcome);
    const stopped = await runBlock(context, block, outcome);
    commands += block.commands.length;
    failure ??= stopped ?? mismatch(block, outcome);
    if (stopped !== undefined) break;
  }
  failure ??= finish(context, script.blocks.at(-1));
  const rest = script.blocks.slice(outcomes.length).map(({ expected }) => expected);
  const written = renderScript(script, [...outcomes, ...rest]);
  return { title: script.title, passed: failure === undefined, commands, failure, text: written };
}

/** Runs the commands of a block and gathers their lines. */
async function runBlock(
  context: Context,
  block: Block,
  outcome: string[],
): Promise<ScenarioFailure | undefined> {
  for (const command of block.commands) {
    try {
      await runCommand(context, command);
      outcome.push(...linesOf(context));
    } catch (error) {
      outcome.push(...linesOf(context));
      if (!isBrokenInvariant(error, context.breaks ?? "")) return failureOf(error, command);
      outcome.push(`breaks ${error.message}`);
      context.breaks = undefined;
      context.world = undefined;
    }
  }
  return undefined;
}

/** What was said since the last time. */
function linesOf(context: Context): string[] {
  return [...(context.world?.trace.take() ?? []), ...context.said.splice(0)];
}

async function runCommand(context: Context, command: Command): Promise<void> {
  const [first, second] = command.words;
  const long = `${first!.text} ${second?.text}`;
  const isLong = Object.hasOwn(VERBS, long);
  const name = isLong ? long : first!.text;
  const verb: Verb | undefined = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (verb === undefined) {
    throw new ScenarioError(command.line, first!.column, `"${name}" is no verb`);
  }
  if (verb.isBefore !== true) context.world?.begin();
  const { world } = context;
  if (world !== undefined) world.trace.isMass = verb.isMass === true;
  const args = new Arguments(command, isLong ? 2 : 1);
  await verb.run(context, args);
  args.end();
}

function failureOf(error: unknown, command: Command | undefined): ScenarioFailure {
  if (error instanceof ScenarioError) {
    const { line, column, message } = error;
    return { line, column, message, invariant: undefined };
  }
  const { line = 1, words } = command ?? {};
  const column = words?.[0]?.column ?? 1;
  const invariant = isBrokenInvariant(error) ? error.id : undefined;
  return {
    line,
    column,
    message: `line ${line}, column ${column}: ${errorText(error)}`,
    invariant,
  };
}

/** The first line in which the outcome is not the text's. */
function mismatch(block: Block, outcome: readonly string[]): ScenarioFailure | undefined {
  const lines = Math.max(block.expected.length, outcome.length);
  for (let i = 0; i < lines; i += 1) {
    const expected = block.expected[i] ?? "(the end of the outcome)";
    const actual = outcome[i] ?? "(nothing more)";
    if (expected === actual) continue;
    const line = block.outcomeLine + i;
    const both = `the text says\n  ${expected}\nand this came out:\n  ${actual}`;
    const message = `line ${line}, column 1: ${both}`;
    return { line, column: 1, message, invariant: undefined };
  }
  return undefined;
}

/** The last look at everything. */
function finish(context: Context, last: Block | undefined): ScenarioFailure | undefined {
  try {
    context.world?.finish();
    if (context.breaks !== undefined) throw new Error(`nothing has broken ${context.breaks}`);
    return undefined;
  } catch (error) {
    return failureOf(error, last?.commands.at(-1));
  }
}
