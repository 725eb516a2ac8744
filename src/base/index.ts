/**
 * base: what everything else stands on. No I/O, no imports.
 *
 * Reading order: types.ts, assert.ts, errors.ts, not-written.ts.
 */
export { assert, assertSafeInteger, InvariantError, unreachable } from "./assert.ts";
export {
  CairnError,
  ERROR_CODES,
  type ErrorCode,
  type ErrorCodeRow,
  type ErrorDetails,
  errorText,
  isCairnError,
} from "./errors.ts";
export { NotWrittenError, notWritten } from "./not-written.ts";
export type { Bytes, Cancel, Cursor, Lookup, Ms, Sequence } from "./types.ts";
