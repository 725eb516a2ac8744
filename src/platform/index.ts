/**
 * platform: disk, clock, network and chance, from the operating system and simulated.
 *
 * Reading order: types.ts; seeded-random.ts, node-random.ts, node-threads.ts; power-cut.ts, simulated-file.ts,
 * simulated-names.ts, disk-faults.ts, simulated-disk.ts.
 */

export { nodeRandom } from "./node-random.ts";
export {
  createPortPair,
  type Port,
  spawnThread,
  type Thread,
  type ThreadOptions,
  threadStart,
  wrapPort,
} from "./node-threads.ts";
export { isPowerCut } from "./power-cut.ts";
export { mixSeeds, seededRandom } from "./seeded-random.ts";
export { createSimulatedDisk } from "./simulated-disk.ts";
export type * from "./types.ts";
