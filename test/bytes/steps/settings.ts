/**
 * The disk of step 00.6 and of the crash lab: one file with old content, about to be replaced.
 *
 * Invariant: the old content is durable before the code under test runs, and was not put there by
 * it.
 */
import type { Bytes } from "#base";
import { createSimulatedDisk, isPowerCut } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { aside, contentAt, storyOf } from "./disk-story.ts";

export const DIR = "state";
export const PATH = "state/settings";
/** Not a whole number of sectors, and more than one: a tear shows. */
export const OLD: Bytes = new Uint8Array(900).fill(0x6f);
export const NEW: Bytes = new Uint8Array(1400).fill(0x6e);
/** For a call after another one that failed. */
export const THIRD: Bytes = new Uint8Array(300).fill(0x74);

/** What is at the path. `mixed`: none of the contents that anybody wrote. */
export type Found = "old" | "new" | "third" | "missing" | "mixed";

/** A disk whose file has the old content, or no file at all. */
export function diskWith(
  content: "old" | "nothing",
  options: { readonly capacityBytes?: number } = {},
): SimulatedDisk {
  const disk = createSimulatedDisk(options);
  disk.makeDir(DIR);
  if (content === "nothing") return disk;
  const file = disk.open(PATH, "create-new");
  file.write(0, OLD);
  file.sync();
  file.close();
  disk.syncDir(DIR);
  return disk;
}

/** The story of a disk from {@link diskWith}: what it had at first, then what was done. */
export function settingsStory(disk: SimulatedDisk, content: "old" | "nothing" = "old"): string[] {
  const first =
    content === "old" ? `${PATH} has ${OLD.length} bytes, old and durable` : `${DIR} is empty`;
  return [aside(first), ...storyOf(disk, diskWith(content).operations)];
}

/** What a reader finds. */
export function foundOn(disk: SimulatedDisk): Found {
  const content = contentAt(disk, PATH);
  if (content === null) return "missing";
  const isSame = (other: Bytes) => Buffer.compare(content, other) === 0;
  if (isSame(OLD)) return "old";
  if (isSame(NEW)) return "new";
  return isSame(THIRD) ? "third" : "mixed";
}

/** Names that are on the disk and belong to nobody. */
export function leftovers(disk: SimulatedDisk): string[] {
  return [
    ...disk.list("").filter((name) => name !== DIR),
    ...disk.list(DIR).filter((name) => `${DIR}/${name}` !== PATH),
  ];
}

/**
 * Runs `f` on a disk whose power may be cut in it.
 *
 * @returns false if it was: code that swallows the cut is as dead as any other.
 * @throws what `f` throws else.
 */
export function returnsBeforeCut(disk: SimulatedDisk, f: () => void): boolean {
  try {
    f();
    disk.exists(PATH);
    return true;
  } catch (error) {
    if (isPowerCut(error)) return false;
    throw error;
  }
}
