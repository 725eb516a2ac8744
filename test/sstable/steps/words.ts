/**
 * Keys, versions and results as a reader sees them in a failure; and steps that must not throw.
 */
import { type Bytes, type Cursor, errorText, isCairnError, type Lookup } from "#base";
import { hexOf, type Lesson, LessonFailure } from "#learn";
import type { Version } from "./subject.ts";

const PRINTABLE = /^[ -~]+$/;
const SHOWN_MAX = 24;

/** A key: `"apple"`, or its bytes in hexadecimal. */
export function k(key: Bytes): string {
  if (key.length === 0) return "the empty key";
  const text = String.fromCharCode(...key.subarray(0, SHOWN_MAX));
  const more = key.length > SHOWN_MAX ? `… (${key.length} bytes)` : "";
  return PRINTABLE.test(text)
    ? `"${text}"${more}`
    : `[${hexOf(key.subarray(0, SHOWN_MAX))}]${more}`;
}

/** A value, or `a deletion`. */
export function v(value: Bytes | null): string {
  if (value === null) return "a deletion";
  return value.length === 0 ? "a value of no bytes" : `value ${k(value)}`;
}

/** A version: `"bear" at sequence 7, value "x"`. */
export function version(one: Version | null | undefined): string {
  if (one === null || one === undefined) return "nothing";
  return `${k(one.key)} at sequence ${one.sequence}, ${v(one.value)}`;
}

/** What a lookup gave. */
export function found(result: Lookup): string {
  return result.kind === "value" ? v(result.value) : result.kind;
}

/** What a cursor stands at, as a copy; null if at nothing. */
export function versionAt(cursor: Cursor): Version | null {
  if (!cursor.valid) return null;
  const value = cursor.isDeletion ? null : cursor.value.slice();
  return { key: cursor.key.slice(), value, sequence: cursor.sequence };
}

/** Whether two versions, or two nothings, are the same. */
export function same(a: Version | null | undefined, b: Version | null | undefined): boolean {
  return version(a) === version(b);
}

/** Runs what must work. An error that the code under test throws becomes part of the lesson. */
export function orFail<T>(step: () => T, lesson: (error: string) => Lesson): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof LessonFailure || isWaiting(error)) throw error;
    const kind = isCairnError(error) ? error.code : error instanceof Error ? error.name : "error";
    throw new LessonFailure(lesson(`${kind}: ${errorText(error)}`), { cause: error });
  }
}

/** What a step threw; null if it returned. What is not written yet is thrown on. */
export function thrownBy(step: () => unknown): unknown {
  try {
    step();
    return null;
  } catch (error) {
    if (error instanceof LessonFailure || isWaiting(error)) throw error;
    return error ?? new Error("undefined was thrown");
  }
}

/** An error as a reader sees it: its code or name, and its message. */
export function errorWords(error: unknown): string {
  if (error === null) return "returned";
  const kind = isCairnError(error) ? error.code : error instanceof Error ? error.name : "a value";
  return `threw ${kind} (${errorText(error)})`;
}

function isWaiting(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name === "NotWrittenError") return true;
  }
  return false;
}
