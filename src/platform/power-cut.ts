/**
 * What a dead machine throws.
 *
 * Not a `CairnError`: no code under test may handle it, just as no code runs after a power cut.
 * Only the test that cut the power catches it.
 */

class PowerCutError extends Error {
  override readonly name = "PowerCutError";
}

/** Makes the error of a call on a disk whose machine, or process, is gone. */
export function powerCut(message: string): Error {
  return new PowerCutError(message);
}

/** Longest chain of causes looked through: nobody wraps that often, and a cycle must end. */
const CAUSES_MAX = 16;

/** Tells whether `error`, or what caused it, is the power cut of a simulated disk. */
export function isPowerCut(error: unknown): boolean {
  let current = error;
  for (let depth = 0; depth < CAUSES_MAX && current instanceof Error; depth += 1) {
    if (current instanceof PowerCutError) return true;
    current = current.cause;
  }
  return false;
}
