/**
 * The process of one reader, for reads that must be ended when their time is up.
 *
 * SQLite gives the binding no way to interrupt a statement, and a thread inside one cannot be
 * ended; a process can. Invariant: all that it does is in `reader-host.ts`.
 * Chapter: 09-sqlite.
 */
import { processStart } from "#platform";
import { ReaderHost } from "./reader-host.ts";
import type { FromReader, ReaderData, ToReader } from "./thread-protocol.ts";

const { port, data } = processStart<FromReader, ToReader, ReaderData>();
new ReaderHost(port, data).start();
