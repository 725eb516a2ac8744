/**
 * Opens a log on your real disk, shows its records, and appends one. Given; for step 01.2 and
 * later.
 *
 * Run it from the repository's root: npx tsx --conditions=source work/wal/look.ts
 */
import { createNodeDisk } from "#platform";
import { openWal } from "./open.ts";

const { wal } = openWal({ disk: createNodeDisk(), dir: "work/look" }, ({ lsn, payload }) => {
  console.log(lsn, new TextDecoder().decode(payload));
});
wal.append(new TextEncoder().encode(`deposit ${wal.nextLsn * 100}`));
wal.flush();
