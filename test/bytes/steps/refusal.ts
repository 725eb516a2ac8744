/**
 * How a check asks for a refusal: the code under test must throw a RangeError, and nothing else.
 */
import { errorText, NotWrittenError } from "#base";

/**
 * Runs `f` and tells what came of it instead of a RangeError; null if it was one.
 *
 * @throws NotWrittenError on: a part that is not written has refused nothing.
 */
export function insteadOfRangeError(f: () => unknown): string | null {
  let result: unknown;
  try {
    result = f();
  } catch (error) {
    if (error instanceof RangeError) return null;
    if (error instanceof NotWrittenError) throw error;
    const kind = error instanceof Error ? error.name : typeof error;
    return `it threw ${kind}: ${errorText(error)}`;
  }
  return result === undefined ? "it returned as if all were well" : `it returned ${String(result)}`;
}
