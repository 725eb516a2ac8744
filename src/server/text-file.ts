/**
 * Small text files that configure a node: read whole, and never followed beyond a limit.
 *
 * Invariant: an error names the path and says what is wrong with it.
 */
import { CairnError, errorText } from "#base";
import { createNodeDisk } from "#platform";

/** A file of users or of certificates has some kilobytes; a device or a log is not meant. */
const TEXT_BYTES_MAX = 16 * 1024 * 1024;

/** Whether there is something at `path`. */
export function fileExists(path: string): boolean {
  return createNodeDisk().exists(path);
}

/** Reads a file as UTF-8. @throws `SERVER_CONFIG_INVALID`, naming the path. */
export function readTextFile(path: string): string {
  try {
    const file = createNodeDisk().open(path, "read");
    try {
      const size = file.size();
      if (size > TEXT_BYTES_MAX) throw new Error(`${size} bytes are more than ${TEXT_BYTES_MAX}`);
      const bytes = new Uint8Array(size);
      const read = file.read(0, bytes);
      return new TextDecoder().decode(bytes.subarray(0, read));
    } finally {
      file.close();
    }
  } catch (error) {
    throw new CairnError("SERVER_CONFIG_INVALID", `${path}: ${errorText(error)}`, { cause: error });
  }
}

/** Reads a file as JSON. @throws `SERVER_CONFIG_INVALID`, naming the path. */
export function readJsonFile(path: string): unknown {
  const text = readTextFile(path);
  try {
    return JSON.parse(text);
  } catch (error) {
    const problem = `${path} is not JSON: ${errorText(error)}`;
    throw new CairnError("SERVER_CONFIG_INVALID", problem, { cause: error });
  }
}
