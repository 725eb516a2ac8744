/**
 * What a power cut may leave of a write without a sync.
 *
 * Chapter: 00-bytes, step 00.5
 */

/** What the file may be after the restart. */
export type Outcome = "old" | "new" | "torn" | "zeros" | "gone";

/** `true`: it can happen. `false`: it cannot. `null`: not predicted yet. */
export type Prediction = Readonly<Record<Outcome, boolean | null>>;

/** Written over the old content. The name was durable before, and a write does not touch it. */
export const overwritten: Prediction = {
  old: true,
  new: true,
  torn: true,
  zeros: true,
  gone: false,
};

/** Written beside, renamed, directory synced: the name is durable, what it leads to is not. */
export const renamed: Prediction = {
  old: false,
  new: true,
  torn: true,
  zeros: true,
  gone: false,
};
