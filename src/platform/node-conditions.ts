/**
 * Under which conditions this process finds its modules: `--conditions=mine-wal` makes `#wal` the
 * reader's.
 *
 * Invariant: only asks how this process was started; nothing is loaded to find out.
 */
import { execArgv } from "node:process";

/** The reader's modules, as conditions: `mine-wal`. */
const MINE = "mine-";

/** Names of the conditions in a Node command line. */
export function conditionsOf(argv: readonly string[]): string[] {
  const names: string[] = [];
  for (const [index, argument] of argv.entries()) {
    const [flag, value = argv[index + 1]] = argument.split("=", 2);
    if ((flag === "--conditions" || flag === "-C") && value !== undefined) names.push(value);
  }
  return names;
}

/** The conditions of this process. */
export function ownConditions(): string[] {
  const fromEnvironment = process.env["NODE_OPTIONS"]?.split(/\s+/) ?? [];
  return [...new Set([...conditionsOf(fromEnvironment), ...conditionsOf(execArgv)])];
}

/** Modules that are the reader's in this process, such as `wal`. */
export function modulesOfReader(): string[] {
  return ownConditions()
    .filter((name) => name.startsWith(MINE))
    .map((name) => name.slice(MINE.length));
}

/** The condition that makes a module the reader's. */
export function conditionOfReader(module: string): string {
  return `${MINE}${module}`;
}
