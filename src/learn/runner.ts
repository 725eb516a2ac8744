/**
 * What every command of the workbook is given, and what it answers.
 */
import type { Book } from "./book.ts";
import type { Output } from "./style.ts";

/** Where a command works, and where it prints. */
export interface Runner {
  readonly book: Book;
  readonly out: Output;
  /** The wall clock, in milliseconds. */
  readonly now: () => number;
  /** Asks the reader one line; null where there is nobody to ask. */
  readonly ask: ((question: string) => Promise<string>) | null;
}

/** 0: done, or passed. 1: red, or failed. 2: wrong usage. */
export type ExitCode = 0 | 1 | 2;
