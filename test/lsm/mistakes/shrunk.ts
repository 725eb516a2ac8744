/**
 * The engine with small limits where no option reaches: segments of the log, the manifest before it
 * is begun anew, the first sorted level. So that short histories get to them too. Only `close`
 * leaves more edits in the manifest than it does in earnest, so that there are some to be damaged.
 */
import type { LsmModule } from "#lsm/types";
import { plantStack, type StackPatch } from "../../support/plant.ts";

const SHRINKING: readonly StackPatch[] = [
  { file: "new-log.ts", from: "SEGMENT_BYTES_MIN = 64 * KIB", to: "SEGMENT_BYTES_MIN = 1200" },
  { file: "manifest.ts", from: "ROLL_BYTES_DEFAULT = MIB", to: "ROLL_BYTES_DEFAULT = 300" },
  { file: "manifest.ts", from: "EDITS_AT_CLOSE_MAX = 4", to: "EDITS_AT_CLOSE_MAX = 16" },
  {
    file: "leveled-picker.ts",
    from: "LEVEL_BYTES_BASE_DEFAULT = 64 * MIB",
    to: "LEVEL_BYTES_BASE_DEFAULT = 3000",
  },
];

/** Loads the shrunk engine, with further patches applied. @throws as `plantStack`. */
export function plantShrunk(patches: readonly StackPatch[] = []): Promise<LsmModule> {
  return plantStack<LsmModule>("lsm", [...SHRINKING, ...patches]);
}
