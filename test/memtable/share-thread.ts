/**
 * A thread that reads a memtable which it is given, and says back what it has found.
 */
import { openSharedMemtable } from "#memtable";
import type { SharedMemtable } from "#memtable/types";
import { threadStart } from "#platform";
import { backwards, forwards } from "./checks.ts";

const { port } = threadStart<readonly string[], SharedMemtable, null>();
port.onMessage((shared) => {
  const cursor = openSharedMemtable(shared);
  port.post([forwards(cursor), backwards(cursor)]);
  cursor.close();
});
