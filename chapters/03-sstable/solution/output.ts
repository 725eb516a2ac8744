/**
 * The file that a table is written to, and the moment at which it gets its name.
 *
 * Invariant: the final name leads to nothing, or to a whole table that survives the loss of power
 * (S5).
 * Chapter: 03-sstable, step 03.7
 */
import type { Bytes } from "#base";
import { directoryOf } from "#bytes";
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
  const temporary = path + TEMPORARY_SUFFIX;
  const handle = disk.open(temporary, "read-write");
  let bytes = 0;
  let name = temporary;
  let isDone = false;
  const output: TableOutput = {
    get bytes() {
      return bytes;
    },
    append(part) {
      handle.write(bytes, part);
      bytes += part.length;
    },
    publish() {
      handle.sync();
      handle.close();
      disk.rename(temporary, path);
      name = path;
      disk.syncDir(directoryOf(path));
      isDone = true;
    },
    abandon() {
      if (isDone) return;
      isDone = true;
      quietly(() => handle.close());
      quietly(() => {
        if (disk.exists(name)) disk.unlink(name);
      });
    },
  };
  try {
    // What a crash left there may be longer than what comes.
    handle.truncate(0);
    return output;
  } catch (error) {
    output.abandon();
    throw error;
  }
}

function quietly(step: () => void): void {
  try {
    step();
  } catch {
    // Whoever gives up has an error already that says more.
  }
}
