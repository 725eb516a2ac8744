/**
 * What the runner throws when it was asked for something that cannot be done as asked.
 *
 * Invariant: the message is meant for the reader, and says what to do instead.
 */

/** Wrong usage: exit code 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
