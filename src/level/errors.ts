/**
 * Errors as programs for `abstract-level` databases know them: by codes that begin with `LEVEL_`.
 *
 * Invariant: our own error is never replaced, only wrapped; its code and details stay reachable as
 * the cause. Reads and writes throw our errors as they are: only opening has codes that other
 * databases share and that programs look for.
 */
import { CairnError, type ErrorCode, isCairnError } from "#base";
import type { LevelErrorCode } from "./types.ts";

/** Ours, by the names that LevelDB gives the same conditions. */
const LEVEL_CODES: Partial<Readonly<Record<ErrorCode, LevelErrorCode>>> = {
  DISK_LOCKED: "LEVEL_LOCKED",
  LSM_CORRUPT: "LEVEL_CORRUPTION",
  WAL_CORRUPT: "LEVEL_CORRUPTION",
  SSTABLE_CORRUPT: "LEVEL_CORRUPTION",
};

const OPENING_TEXTS: Partial<Readonly<Record<ErrorCode, string>>> = {
  LSM_NOT_FOUND: "does not exist, and createIfMissing is false",
  LSM_EXISTS: "exists, and errorIfExists is true",
};

/** An error that has a code of the ecosystem. */
export interface LevelError extends Error {
  readonly code: LevelErrorCode;
}

/** Makes an error with a code. */
export function levelError(
  code: LevelErrorCode,
  message: string,
  options: { readonly cause?: unknown } = {},
): LevelError {
  return Object.assign(new Error(message, options), { code });
}

/** What a reader gets whose signal was aborted. Named as on the web. */
export function abortError(signal: AbortSignal): LevelError {
  const error = levelError("LEVEL_ABORTED", "level: aborted by its signal", {
    cause: signal.reason,
  });
  error.name = "AbortError";
  return error;
}

/** What a method throws that cannot wait for the database to be open. */
export function notOpenError(method: string): LevelError {
  return levelError("LEVEL_DATABASE_NOT_OPEN", `level: ${method}: the database is not open`);
}

/**
 * An error of opening, as the cause of what `abstract-level` makes of it. Two get a text with the
 * names of the options that they are about; their code stays.
 */
export function openingError(error: unknown, location: string): unknown {
  if (!isCairnError(error)) return error;
  const text = OPENING_TEXTS[error.code];
  if (text !== undefined)
    return new CairnError(error.code, `level: ${location} ${text}`, { cause: error });
  const code = LEVEL_CODES[error.code];
  return code === undefined ? error : levelError(code, error.message, { cause: error });
}
