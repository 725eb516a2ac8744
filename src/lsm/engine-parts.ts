/**
 * What the pieces of one open engine share. Types only.
 * Chapter: 04-lsm
 */
import type { EngineLog } from "./engine-log.ts";
import type { Memory } from "./memory.ts";
import type { SharedNumbers } from "./numbers.ts";
import type { EngineSettings } from "./options.ts";
import type { Manifest, Picker } from "./parts.ts";
import type { Snapshots } from "./snapshots.ts";
import type { Counters } from "./statistics.ts";
import type { TableSet } from "./table-set.ts";

/** One open engine, taken apart. */
export interface EngineParts {
  readonly settings: EngineSettings;
  readonly memory: Memory;
  readonly log: EngineLog;
  readonly manifest: Manifest;
  readonly tables: TableSet;
  readonly snapshots: Snapshots;
  readonly counters: Counters;
  readonly picker: Picker;
  readonly numbers: SharedNumbers;
  /** Nobody reads keys with timestamps below it; 0: somebody may. */
  readonly horizon: { timestamp: number };
  /** Ends writing to the active memtable, if there is anything in it. */
  freeze(): void;
  /** Makes the manifest's version the one that readers see. */
  install(): void;
}
