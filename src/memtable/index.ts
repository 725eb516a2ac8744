/**
 * memtable: an ordered table in memory that takes every change first.
 *
 * Reading order: table.ts, arena.ts, order.ts, sorted-array.ts, skip-list.ts, heads.ts,
 * btree-nodes.ts, btree.ts, sort.ts, hash-map.ts, cursor.ts, shared.ts.
 * Chapter: 02-memtable
 */
export { type Arena, createArena, type Entries } from "./arena.ts";
export { openSharedMemtable } from "./shared.ts";
export { createSkipList, SKIP_CHANCE, SKIP_LEVELS_MAX, type SkipList } from "./skip-list.ts";
export { createMemtable } from "./table.ts";
export type {
  KeyRange,
  Memtable,
  MemtableEntry,
  MemtableModule,
  MemtableOptions,
  MemtableStructure,
  SharedMemtable,
} from "./types.ts";
