/**
 * platform: disk, clock, network and chance, from the operating system and simulated.
 *
 * Reading order: types.ts; seeded-random.ts, node-random.ts; power-cut.ts, simulated-file.ts,
 * simulated-names.ts, simulated-handle.ts, disk-faults.ts, simulated-disk.ts; system-error.ts,
 * node-lock.ts, node-disk.ts; node-clock.ts, simulated-clock.ts; simulated-net.ts; address.ts,
 * tls-files.ts, tls-peers.ts, node-stream.ts, node-sockets.ts, simulated-stream.ts,
 * simulated-sockets.ts; node-names.ts; node-memory.ts; node-conditions.ts,
 * node-threads.ts, node-processes.ts.
 */

export { createNodeClock, processTime } from "./node-clock.ts";
export { conditionOfReader, modulesOfReader } from "./node-conditions.ts";
export { createNodeDisk } from "./node-disk.ts";
export { createReclaimer, type Reclaimer } from "./node-memory.ts";
export { createNodeNames, type Names, type ServicePlace } from "./node-names.ts";
export { type Child, processStart, spawnProcess } from "./node-processes.ts";
export { nodeRandom } from "./node-random.ts";
export { createNodeSockets, type NodeSocketsOptions } from "./node-sockets.ts";
export {
  atTurnEnd,
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
export { createSimulatedClock, type SimulatedClockOptions } from "./simulated-clock.ts";
export { createSimulatedDisk } from "./simulated-disk.ts";
export { createSimulatedNetwork, type SimulatedNetworkOptions } from "./simulated-net.ts";
export { createSimulatedSockets, type SimulatedSocketsOptions } from "./simulated-sockets.ts";
export {
  contextOptions,
  openTlsFiles,
  type TlsFiles,
  type TlsFilesOptions,
  type TlsMaterial,
  type TlsPaths,
} from "./tls-files.ts";
export {
  type ClientChecks,
  openSocketTls,
  peerProblem,
  type SecureSocket,
  type SocketTls,
  type SocketTlsSettings,
  serverOptions,
} from "./tls-peers.ts";
export type * from "./types.ts";
