/**
 * What a node prints, in a file, with its last lines in memory for whoever must explain a failure.
 *
 * Invariant: a log that cannot be written never stops a node; its last lines are kept all the same.
 */
import { errorText } from "#base";
import type { Disk, FileHandle } from "#platform/types";

/** A node says a line or two per election; more than this is a loop, and its end says enough. */
const LOG_BYTES_MAX = 16 * 1024 * 1024;
const TAIL_LINES = 12;

/** A log file. */
export interface NodeLogFile {
  readonly path: string;
  write(chunk: Uint8Array): void;
  /** The last lines since this was opened, oldest first. */
  tail(): readonly string[];
  close(): void;
}

class DiskLogFile implements NodeLogFile {
  readonly path: string;
  readonly #decoder = new TextDecoder();
  #file: FileHandle | undefined;
  #bytes = 0;
  #lines: string[] = [];
  #partial = "";

  constructor(disk: Disk, path: string) {
    this.path = path;
    this.#attempt(() => {
      this.#file = disk.open(path, "read-write");
      this.#bytes = this.#file.size();
    });
  }

  write(chunk: Uint8Array): void {
    this.#remember(this.#decoder.decode(chunk, { stream: true }));
    this.#attempt(() => {
      if (this.#bytes + chunk.length > LOG_BYTES_MAX) {
        this.#file?.truncate(0);
        this.#bytes = 0;
      }
      this.#file?.write(this.#bytes, chunk);
      this.#bytes += chunk.length;
    });
  }

  tail(): readonly string[] {
    const lines = this.#partial === "" ? this.#lines : [...this.#lines, this.#partial];
    return lines.slice(-TAIL_LINES);
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #remember(text: string): void {
    const lines = (this.#partial + text).split("\n");
    this.#partial = lines.pop() ?? "";
    this.#lines = [...this.#lines, ...lines].slice(-TAIL_LINES);
  }

  #attempt(operation: () => void): void {
    try {
      operation();
    } catch (error) {
      this.close();
      this.#remember(`(this log is not written any more: ${errorText(error)})\n`);
    }
  }
}

/** Opens a log at its end; makes it if it is missing. */
export function openNodeLog(disk: Disk, path: string): NodeLogFile {
  return new DiskLogFile(disk, path);
}
