/**
 * replica: Raft meets disk, network and a state machine (chapter 08).
 *
 * Reading order: types.ts, log-types.ts, entry.ts, configuration.ts, configuration-history.ts,
 * json-file.ts, identity.ts, membership-file.ts, log-record.ts, entry-table.ts, log-recovery.ts,
 * raft-log.ts; then proposals.ts,
 * durability.ts, outbox.ts, apply-feed.ts, compaction.ts, read-table.ts, membership-plan.ts,
 * changes.ts, digest-check.ts, input-recorder.ts, log-writer.ts, replica-parts.ts,
 * replica-status.ts and driver.ts (the heart); snapshots: snapshot-files.ts, snapshot-sender.ts,
 * snapshot-receiver.ts, snapshot-driver.ts; then the wire: frame.ts, frame-stream.ts,
 * message-fields.ts, message-codec.ts, peer-note.ts, messenger.ts, peer-port.ts, peer-link.ts,
 * tcp-net.ts, rpc.ts; then the node around it: recovery.ts, reinstall.ts and replica-host.ts;
 * then the threads: packed-batch.ts, machine-host.ts, port-applier.ts, local-applier.ts,
 * consensus-protocol.ts, consensus-worker.ts, consensus-thread.ts; and kv/, the replicated
 * key-value store, whose own door lists its files.
 */
export {
  configurationFrom,
  createConfiguration,
  decodeConfiguration,
  encodeConfiguration,
} from "./configuration.ts";
export {
  type ConsensusSettings,
  fromWireError,
  type Outcome,
  type ReadGrant,
  toWireError,
  type WireError,
} from "./consensus-protocol.ts";
export { type ConsensusThread, openConsensusThread } from "./consensus-thread.ts";
export { createReplica } from "./driver.ts";
export {
  type DecodedEntry,
  decodeEntry,
  ENTRY_BYTES_MAX,
  ENTRY_HEADER_BYTES,
  encodeEntry,
  sealEntry,
} from "./entry.ts";
export {
  createFrameReader,
  FRAME_BYTES_MAX,
  FRAME_HEADER_BYTES,
  type FrameReader,
  frame,
} from "./frame.ts";
export {
  createFrameStream,
  decodeHello,
  encodeHello,
  type FrameStream,
  type Hello,
  PROTOCOL_VERSION,
} from "./frame-stream.ts";
export { openIdentity } from "./identity.ts";
export { decodeInputs, type Recording, replayInputs } from "./input-recorder.ts";
export {
  checkKey,
  checkRange,
  createJointMachine,
  decodeKvAnswer,
  decodeKvCommand,
  decodeKvFound,
  encodeKvAnswer,
  encodeKvCommand,
  encodeKvFound,
  type FirstMachine,
  isKvCommand,
  type JointMachine,
  type JointMachineParts,
  KEY_BYTES_MAX,
  openKvMachine,
  RANGE_LIMIT_MAX,
  readCopyBlocks,
  readCopyHeader,
  VALUE_BYTES_MAX,
  writeCopy,
} from "./kv/index.ts";
export type * from "./kv/types.ts";
export {
  createLocalApplier,
  type LocalApplierParts,
  type StoppableApplier,
} from "./local-applier.ts";
export { decodeLogRecord, encodeLogRecord, type LogRecord } from "./log-record.ts";
export {
  createMachineHost,
  type HostedMachine,
  type MachineHost,
  type MachineHostParts,
  type Results,
} from "./machine-host.ts";
export { readMembership } from "./membership-file.ts";
export { planChange } from "./membership-plan.ts";
export {
  type Chunk,
  type DecodedMessage,
  decodeMessage,
  encodeMessage,
  type MessageBytes,
} from "./message-codec.ts";
export { packEntries, unpackEntries } from "./packed-batch.ts";
export { decodeNote, encodeNote, type PeerNote } from "./peer-note.ts";
export { openPeerPort, type PeerPort } from "./peer-port.ts";
export {
  type AppliedNotice,
  type ApplierAnswer,
  type ApplierBatch,
  type ApplierRequest,
  createPortApplier,
  type FromMachine,
  serveApplier,
  type ToMachine,
} from "./port-applier.ts";
export { openRaftLog } from "./raft-log.ts";
export { describeRecovery, previewRecovery, type RecoveryPreview } from "./recovery.ts";
export {
  type HostEvents,
  type HostParts,
  openReplicaHost,
  type ReplicaHost,
} from "./replica-host.ts";
export { createRpcClient, type RpcClient, type RpcHandler, serveRpc } from "./rpc.ts";
export { finishInstall } from "./snapshot-files.ts";
export { createTcpNet, type TcpNet, type TcpNetOptions } from "./tcp-net.ts";
