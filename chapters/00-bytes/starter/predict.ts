/**
 * What you expect of a power cut. No code, only yes and no: replace each `null`.
 *
 * The disk holds a file with 1024 bytes, all "o", for old; its name is durable. A program wants
 * 2048 bytes in it, all "n", for new. It forgets to sync, and the power is cut.
 * Chapter: 00-bytes, step 00.5
 */

/** What the file may be after the restart. */
export type Outcome = "old" | "new" | "torn" | "zeros" | "gone";

/** `true`: it can happen. `false`: it cannot. `null`: not predicted yet. */
export type Prediction = Readonly<Record<Outcome, boolean | null>>;

/** The program wrote the new content over the old: `open`, `write`, and no `sync`. */
export const overwritten: Prediction = {
  /** All of the old content, as if nothing had been written. */
  old: null,
  /** All of the new content. */
  new: null,
  /** Old and new side by side, or only a part of the new. */
  torn: null,
  /** Zeros that nobody wrote, where content should be. */
  zeros: null,
  /** No file of that name. */
  gone: null,
};

/**
 * The program wrote a second file without a sync, renamed it over the first, and synced the
 * directory: `open`, `write`, `rename`, `syncDir`.
 */
export const renamed: Prediction = {
  old: null,
  new: null,
  torn: null,
  zeros: null,
  gone: null,
};
