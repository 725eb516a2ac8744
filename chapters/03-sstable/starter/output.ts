/**
 * The file that a table is written to, and the moment at which it gets its name.
 *
 * Given for now: it writes under the final name from the first byte on, and syncs nothing. Step
 * 03.7 shows what that costs, and is where you make it safe.
 *
 * Invariant (from step 03.7 on): the final name leads to nothing, or to a whole table that survives
 * the loss of power (S5).
 * Chapter: 03-sstable, step 03.7
 */
import type { Bytes } from "#base";
import type { Disk } from "#platform/types";

/** Behind the name of a table that is being written. Whoever finds one at start may remove it. */
export const TEMPORARY_SUFFIX = ".tmp";

/** A file that grows at its end, and is published once. */
export interface TableOutput {
  /** Bytes so far: where the next one goes. */
  readonly bytes: number;
  /** Writes behind the last byte. @throws disk errors. */
  append(bytes: Bytes): void;
  /** Makes content and name durable. @throws disk errors; call `abandon` then. */
  publish(): void;
  /** Gives up: leaves neither name behind, as well as it can. Never throws. */
  abandon(): void;
}

/** Opens the output of a table with this final name. @throws disk errors. */
export function createOutput(disk: Disk, path: string): TableOutput {
  const handle = disk.open(path, "create-new");
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    append(part) {
      handle.write(bytes, part);
      bytes += part.length;
    },
    publish() {
      handle.close();
    },
    abandon() {
      handle.close();
    },
  };
}
