/**
 * Why a module of the reader's cannot be loaded, in plain words, with file and line.
 *
 * Invariant: whatever the loader threw, the answer names what was thrown; where the place is known
 * it is one of the reader's own files.
 */
import { errorText } from "#base";
import type { LoadProblem } from "./child-protocol.ts";

const WHY_NOTHING_RAN = "No check could run: a module is loaded whole, or not at all.";

/** A line of a message of the compiler: `work/wal/log.ts:12:5: ERROR: Expected ";"`. */
const SYNTAX = /(work\/[\w./-]+\.[mc]?[jt]s):(\d+)(?::\d+)?: ERROR: (.+)/;

/** Explains an error that an `import()` of the reader's module has thrown. */
export function explainLoadError(error: unknown): LoadProblem {
  const text = errorText(error).replaceAll("\\", "/");
  const stack = error instanceof Error ? (error.stack ?? "").replaceAll("\\", "/") : "";
  const syntax = SYNTAX.exec(text) ?? SYNTAX.exec(stack);
  if (syntax !== null) {
    return {
      happened: `TypeScript cannot read your code here: ${syntax[3]}`,
      why: WHY_NOTHING_RAN,
      place: `${syntax[1]}:${syntax[2]}`,
    };
  }
  const place = placeInReadersCode(stack);
  const at = place === undefined ? {} : { place };
  const name = /does not provide an export named '([^']+)'/.exec(text)?.[1];
  if (name !== undefined) {
    const from = /requested module '([^']+)'/.exec(text)?.[1] ?? "that module";
    return {
      happened: `Your code imports "${name}" from ${from}, which does not export that name.`,
      why: `${WHY_NOTHING_RAN} If it is a type, import it with "import type".`,
      ...at,
    };
  }
  const { code } = (error ?? {}) as { code?: unknown };
  if (code === "ERR_MODULE_NOT_FOUND" || code === "ERR_PACKAGE_IMPORT_NOT_DEFINED") {
    return { happened: `An import leads nowhere: ${shortened(text)}`, why: WHY_NOTHING_RAN, ...at };
  }
  const kind = error instanceof Error ? error.name : typeof error;
  return {
    happened: `Loading your module threw ${kind}: ${shortened(text)}`,
    why: `${WHY_NOTHING_RAN} Code outside of all functions runs while the module is loaded.`,
    ...at,
  };
}

/**
 * Explains why checks that use given parts of the reader's module could not be loaded: a part is
 * missing. Null for any other error.
 */
export function explainMissingExport(error: unknown, module: string): LoadProblem | null {
  const name = /does not provide an export named '([^']+)'/.exec(errorText(error))?.[1];
  if (name === undefined) return null;
  return {
    happened: `Your module does not export "${name}" yet, and the checks of this chapter use it.`,
    why: `${WHY_NOTHING_RAN} Export it from the door; what it does may wait for its step.`,
    place: `work/${module}/index.ts`,
  };
}

/** Not a repository that lies in a folder called `work`: our own folders, a deeper `work`. */
const PLACE =
  /(work\/[a-z]+\/(?!\S*work\/|(?:src|chapters|test|bench|dist|node_modules)\/)[\w./-]+\.ts:\d+)/;

/** The topmost place in the reader's code that a stack names. */
export function placeInReadersCode(stack: string): string | undefined {
  return PLACE.exec(stack.replaceAll("\\", "/"))?.[1];
}

/** Paths from `work/` on: the rest is known to the reader. */
function shortened(text: string): string {
  return text.replace(/(?:file:\/\/)?[\w:/.+@~-]*\/(work\/[\w./-]+)/g, "$1");
}
