/**
 * The thread of one reader.
 *
 * Quick to reach, and it cannot be ended while SQLite is inside a statement; reads with a time
 * limit go to `reader-process.ts`. Invariant: all that it does is in `reader-host.ts`.
 * Chapter: 09-sqlite.
 */
import { threadStart } from "#platform";
import { ReaderHost } from "./reader-host.ts";
import type { FromReader, ReaderData, ToReader } from "./thread-protocol.ts";

const { port, data } = threadStart<FromReader, ToReader, ReaderData>();
new ReaderHost(port, data).start();
