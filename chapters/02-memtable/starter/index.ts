/**
 * memtable: an ordered table in memory that takes every change first.
 *
 * Reading order: order.ts (given), versions.ts, sorted-array.ts, table.ts, skip-list.ts,
 * heights.ts, cursor.ts, changes.ts (given), durable-map.ts.
 * Chapter: 02-memtable
 */
// What a frozen table may give to another thread. Yours gives nothing, so this part is idle.
export { openSharedMemtable } from "#memtable/reference";
export type { Change } from "./changes.ts";
export { type DurableMap, openDurableMap } from "./durable-map.ts";
export { drawHeight, SKIP_CHANCE, SKIP_LEVELS_MAX } from "./heights.ts";
export { createSkipList, type SkipList, type SkipListOptions } from "./skip-list.ts";
export { createMemtable } from "./table.ts";
