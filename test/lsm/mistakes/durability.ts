/**
 * Planted mistakes that show when power or disk fail: what is durable when, and in which order.
 */
import { forwarding, type Mistake, neverSynced } from "./mistake.ts";

export const durabilityMistakes: readonly Mistake[] = [
  {
    name: "no directory sync",
    rule: "L3",
    caughtBy: "power cuts",
    wrap: (disk) => forwarding(disk, { syncDir: () => {} }),
  },
  {
    name: "the manifest names tables that were never synced",
    rule: "L3",
    caughtBy: "power cuts",
    wrap: (disk) =>
      forwarding(disk, {
        handle: (handle, path) => (path.includes(".sst") ? neverSynced(handle) : handle),
      }),
  },
  {
    name: "the log is retired though the manifest was never synced",
    rule: "L3",
    caughtBy: "power cuts",
    wrap: (disk) =>
      forwarding(disk, {
        handle: (handle, path) => (path.includes("manifest-") ? neverSynced(handle) : handle),
      }),
  },
  {
    name: "a synced write is acknowledged when it is in the page cache",
    rule: "L3",
    caughtBy: "power cuts",
    wrap: (disk) =>
      forwarding(disk, {
        handle: (handle, path) => (path.includes("log-") ? neverSynced(handle) : handle),
      }),
  },
];
