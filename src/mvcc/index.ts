/**
 * mvcc: transactions over the storage engine, which read as of one moment and commit as a whole.
 *
 * Reading order: version-key.ts, value.ts, meta.ts (the formats); key-text.ts, version-store.ts,
 * timestamped-store.ts, turns.ts, appended-store.ts, undo-store.ts (versions in the engine);
 * options.ts, write-set.ts, read-set.ts, transaction.ts (one transaction); visible.ts,
 * commit-history.ts, readers.ts, retry.ts, open-mvcc.ts (all of them).
 * Chapter: 06-mvcc
 */
export { openMvcc } from "./open-mvcc.ts";
export type * from "./types.ts";
export { decodeVersion, encodeVersion } from "./version-key.ts";
