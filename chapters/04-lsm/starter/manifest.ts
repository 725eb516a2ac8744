/**
 * The manifest: which tables count (04.4).
 *
 * A directory, `manifestPath(dir, number)`, with a log of yours in it. The first record is
 * `encodeSnapshot(state)`, each later one `encodeEdit(edit)`. The file `CURRENT` says which
 * manifest counts.
 *
 * Given, in "#lsm/reference": `encodeEdit`, `encodeSnapshot`, `decodeEdit`, `EditKind`; `applyEdit`
 * and `EMPTY_STATE`; `readCurrent` and `writeCurrent`, which uses `replaceFile`; `manifestPath`,
 * `parseName`, `numberOf`; `createNumbers`.
 * Chapter: 04-lsm, step 04.4
 */
import { notWritten } from "#base";
import type { OpenedStoreManifest, StoreManifestOptions } from "./types.ts";

/**
 * Opens the manifest of a directory, or begins one. The directory is made if it is missing.
 *
 * `apply` makes an edit durable, then adopts it. After a failure the state is the old one, nothing
 * more is added to that file, and the next `apply` begins a new manifest. So does an `apply` that
 * finds `rollBytes` of edits behind the snapshot.
 *
 * @throws `LSM_CORRUPT` or `WAL_CORRUPT` when something durable is damaged; then nothing changes.
 */
export function openManifest(_options: StoreManifestOptions): OpenedStoreManifest {
  return notWritten("04.4", "openManifest");
}
