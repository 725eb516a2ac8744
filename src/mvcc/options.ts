/**
 * Defaults and limits of a store of transactions, checked once at the gate.
 *
 * Invariant: behind this file every setting is present and inside its range.
 * Chapter: 06-mvcc
 */
import type { Ms } from "#base";
import type { ReaderLimits } from "./readers.ts";
import type { BeginOptions, IsolationLevel, MvccOptions, RunOptions } from "./types.ts";

const READER_AGE_MS_MAX_DEFAULT: Ms = 60_000;
const READER_VERSIONS_MAX_DEFAULT = 1_000_000;
const ATTEMPTS_MAX_DEFAULT = 10;
const BACKOFF_MS_DEFAULT: Ms = 1;
const BACKOFF_MS_MAX_DEFAULT: Ms = 100;

const LEVELS: readonly unknown[] = ["snapshot", "serializable"];

/** How a transaction is tried again. */
export interface Retries {
  readonly attemptsMax: number;
  readonly backoffMs: Ms;
  readonly backoffMsMax: Ms;
}

/** @throws RangeError for a value outside its range, naming it. */
export function checkReaderLimits(options: MvccOptions): ReaderLimits {
  const { retentionMs = 0, readerAgeMsMax = READER_AGE_MS_MAX_DEFAULT, onOldReader } = options;
  const { readerVersionsMax = READER_VERSIONS_MAX_DEFAULT } = options;
  atLeast(0, { retentionMs, readerAgeMsMax, readerVersionsMax });
  return { retentionMs, readerAgeMsMax, readerVersionsMax, onOldReader };
}

/** @throws RangeError for any other: a misspelt level would protect from less than asked for. */
export function checkLevel({ level = "snapshot" }: BeginOptions): IsolationLevel {
  if (LEVELS.includes(level)) return level;
  throw new RangeError(`mvcc: level: ${String(level)} is neither snapshot nor serializable`);
}

/** @throws RangeError for a value outside its range, naming it. */
export function checkRetries(options: RunOptions): Retries {
  const { attemptsMax = ATTEMPTS_MAX_DEFAULT, backoffMs = BACKOFF_MS_DEFAULT } = options;
  const { backoffMsMax = BACKOFF_MS_MAX_DEFAULT } = options;
  atLeast(1, { attemptsMax });
  atLeast(0, { backoffMs, backoffMsMax });
  return { attemptsMax, backoffMs, backoffMsMax };
}

/** Without an end, where somebody wants that; but never what is no number. */
function atLeast(least: number, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value >= least) continue;
    throw new RangeError(`mvcc: ${name}: ${value} is not a number from ${least}`);
  }
}
