/**
 * Assertions that stay on in production.
 *
 * A failed assertion is our bug. The process stops and recovers from its disk, which is
 * always safer than going on with a state that nobody has thought about.
 */

/**
 * Our own bug: an invariant does not hold. Never caught to go on; the process stops and recovers.
 */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/**
 * Throws unless the condition holds.
 *
 * @param message - the rule in words, `module: what always holds`; values belong in it.
 * @throws {@link InvariantError} when `condition` is false.
 */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/**
 * Marks a branch that the types say cannot be reached, such as the end of a `switch` over a union.
 *
 * @throws {@link InvariantError} always.
 */
export function unreachable(value: never): never {
  throw new InvariantError(`base: unreachable value ${JSON.stringify(value)}`);
}

/**
 * Throws unless the value is a whole number that a JavaScript number holds exactly.
 *
 * @throws {@link InvariantError} for fractions, NaN and anything from 2^53 on.
 */
export function assertSafeInteger(value: number, name: string): void {
  assert(Number.isSafeInteger(value), `base: ${name} is a safe integer, got ${value}`);
}
