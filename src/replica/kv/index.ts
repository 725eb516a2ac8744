/**
 * The replicated key-value store (chapter 08): the worked example of a state machine, and `/kv`.
 *
 * Reading order: types.ts, limits.ts, command-codec.ts, answer-codec.ts; layout.ts, view.ts,
 * sessions.ts, apply.ts; snapshot-codec.ts, copy.ts, restore.ts; machine.ts; joint-copy.ts,
 * joint-machine.ts.
 */
export {
  decodeKvAnswer,
  decodeKvFound,
  encodeKvAnswer,
  encodeKvFound,
} from "./answer-codec.ts";
export { decodeKvCommand, encodeKvCommand, isKvCommand } from "./command-codec.ts";
export {
  createJointMachine,
  type FirstMachine,
  type JointMachine,
  type JointMachineParts,
} from "./joint-machine.ts";
export {
  checkKey,
  checkRange,
  KEY_BYTES_MAX,
  RANGE_LIMIT_MAX,
  VALUE_BYTES_MAX,
} from "./limits.ts";
export { openKvMachine } from "./machine.ts";
export { readCopyBlocks, readCopyHeader, writeCopy } from "./snapshot-codec.ts";
export type * from "./types.ts";
