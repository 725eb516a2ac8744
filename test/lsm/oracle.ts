/**
 * The oracle: what an engine may hold, alive and after a crash.
 *
 * After a crash: the state after some prefix of the writes, in call order, that contains every
 * write acknowledged as durable; nothing invented, nothing half done (rule L9). Alive: exactly the
 * newest state. Keys and values are small numbers here, so that a whole state is a short array and
 * a judge costs microseconds; the bytes behind a number are checked one by one when they are read.
 */
import type { Bytes } from "#base";
import { compareBytes, copyBytes, equalBytes } from "#bytes";
import type { Engine, IteratorOptions, Snapshot } from "#lsm/types";

/** What the oracle throws. Anything else that a test throws is a broken test. */
export class OracleViolation extends Error {
  override readonly name = "OracleViolation";
}

/** Stands for the bytes of one value. No two values of four bytes or more are alike. */
export type ValueId = number;
/** The key is not there. */
export const DELETED: ValueId = 0;
/** A value of no bytes, which is a value. */
export const EMPTY: ValueId = 1;

/** For each key of the key space, by position: its value. */
export type State = Int32Array;

/** Keys that occur, ascending. */
export type KeySpace = readonly Bytes[];

/** One change of a write. */
export interface Change {
  readonly key: number;
  readonly value: ValueId;
}

/**
 * How far a write has come. `open`: called and not answered. `acked`: survives the end of the
 * process. `synced`: survives a power cut. `refused`: nothing was changed. `unknown`: it failed,
 * and may have changed something. `hidden`: it failed, readers do not see it, and it may come back
 * with a crash.
 */
export type WriteOutcome = "open" | "acked" | "synced" | "refused" | "unknown" | "hidden";

/** One call that changes something, whole or not at all. */
export interface ModelWrite {
  readonly changes: readonly Change[];
  /** Writes of one number were called together, and may be one record of the log. */
  readonly group: number;
  outcome: WriteOutcome;
}

/** What the caller of an engine knows. */
export interface Model {
  readonly keys: KeySpace;
  /** Durable before the first write. */
  readonly base: State;
  readonly writes: ModelWrite[];
  /** What readers see when no call is open. */
  readonly now: State;
}

/** A model of an engine whose content is known and durable. */
export function createModel(keys: KeySpace, base: State = new Int32Array(keys.length)): Model {
  return { keys, base, writes: [], now: base.slice() };
}

/** Notes a write that is about to be called. */
export function beginWrite(
  model: Model,
  changes: readonly Change[],
  group = model.writes.length,
): ModelWrite {
  const write: ModelWrite = { changes, group, outcome: "open" };
  model.writes.push(write);
  return write;
}

/** Notes how a write ended. Writes must be ended in the order of their calls. */
export function endWrite(model: Model, write: ModelWrite, outcome: WriteOutcome): void {
  write.outcome = outcome;
  if (outcome !== "acked" && outcome !== "synced") return;
  applyChanges(model.now, write.changes);
  // There is a log that works, and it is another one than that which had the hidden write.
  for (const other of model.writes) if (other.outcome === "hidden") other.outcome = "refused";
}

/** What readers see now is durable: a flush or a close has returned. */
export function allDurable(model: Model): void {
  for (const write of model.writes) if (write.outcome === "acked") write.outcome = "synced";
}

/** What a crash may take: `power` all that is not synced, `process` what is not acknowledged. */
export type Loss = "power" | "process";

/** Compares what a recovery found with what it may find. @throws OracleViolation */
export function judgeRecovered(model: Model, found: State, loss: Loss): void {
  const unknown = model.writes.filter((write) => write.outcome === "unknown");
  if (unknown.length > UNKNOWN_MAX) throw new Error(`${unknown.length} writes are unknown`);
  // At most one record can stand where a log has failed.
  const hidden = model.writes.filter((write) => write.outcome === "hidden");
  const from = required(model, loss);
  for (const group of new Set([-1, ...hidden.map((write) => write.group)])) {
    for (let kept = 0; kept < 2 ** unknown.length; kept += 1) {
      const isKept = (write: ModelWrite): boolean => {
        if (write.outcome === "refused") return false;
        if (write.outcome === "hidden") return write.group === group;
        return write.outcome !== "unknown" || ((kept >> unknown.indexOf(write)) & 1) === 1;
      };
      if (isPrefix(model, found, { from, isKept })) return;
    }
  }
  throw new OracleViolation(
    `L9: not a state after ${from} to ${model.writes.length} writes; against ` +
      `all of them: ${differences(model.keys, model.now, found)}`,
  );
}

/** More would take too long, and means that the test asks for nothing. */
const UNKNOWN_MAX = 10;

function required(model: Model, loss: Loss): number {
  const holds = loss === "power" ? ["synced"] : ["synced", "acked"];
  return model.writes.findLastIndex((write) => holds.includes(write.outcome)) + 1;
}

function isPrefix(
  model: Model,
  found: State,
  options: { readonly from: number; readonly isKept: (write: ModelWrite) => boolean },
): boolean {
  const state = model.base.slice();
  let wrong = 0;
  for (let key = 0; key < state.length; key += 1) if (state[key] !== found[key]) wrong += 1;
  if (options.from === 0 && wrong === 0) return true;
  for (const [index, write] of model.writes.entries()) {
    if (options.isKept(write)) {
      for (const { key, value } of write.changes) {
        if (state[key] === found[key]) wrong += 1;
        state[key] = value;
        if (value === found[key]) wrong -= 1;
      }
    }
    if (wrong === 0 && index + 1 >= options.from) return true;
  }
  return false;
}

/** The model after recovery: what was found is what there is, and durable. */
export function adopt(model: Model, found: State): Model {
  return createModel(model.keys, found.slice());
}

/** Compares what readers see with what they must see. @throws OracleViolation */
export function judgeAlive(keys: KeySpace, expected: State, found: State): void {
  for (let key = 0; key < expected.length; key += 1) {
    if (expected[key] !== found[key]) {
      throw new OracleViolation(`L1: readers see ${differences(keys, expected, found)}`);
    }
  }
}

/**
 * Writes whose outcome is unknown are settled by looking: one that is visible counts as
 * acknowledged.
 *
 * @throws OracleViolation when no choice of them explains what is seen.
 */
export function settleUnknown(model: Model, found: State): void {
  const unknown = model.writes.filter((write) => write.outcome === "unknown");
  for (let kept = 0; kept < 2 ** unknown.length; kept += 1) {
    const state = model.base.slice();
    for (const write of model.writes) {
      const isVisible =
        write.outcome === "unknown"
          ? ((kept >> unknown.indexOf(write)) & 1) === 1
          : write.outcome !== "refused" && write.outcome !== "hidden";
      if (isVisible) applyChanges(state, write.changes);
    }
    if (!isSame(state, found)) continue;
    for (const [bit, write] of unknown.entries()) {
      write.outcome = ((kept >> bit) & 1) === 1 ? "acked" : "hidden";
    }
    model.now.set(found);
    return;
  }
  judgeAlive(model.keys, model.now, found);
  throw new OracleViolation("L1: what readers see fits no choice of the failed writes");
}

/** Applies changes to a state. */
export function applyChanges(state: State, changes: readonly Change[]): void {
  for (const { key, value } of changes) state[key] = value;
}

function isSame(left: State, right: State): boolean {
  return left.every((value, key) => value === right[key]);
}

function differences(keys: KeySpace, expected: State, found: State): string {
  const lines: string[] = [];
  for (let key = 0; key < expected.length && lines.length < 4; key += 1) {
    const [is, should] = [found[key], expected[key]];
    if (is === should) continue;
    lines.push(`"${Buffer.from(keys[key]!).toString("latin1")}" is ${is}, not ${should}`);
  }
  return lines.length === 0 ? "no difference" : lines.join("; ");
}

/* ---- values ---- */

/** Sizes by value. DELETED and EMPTY have no bytes. */
const sizes: number[] = [0, 0];
const ID_BYTES = 4;

/** Makes a value of that many bytes, at least four unless none, that differs from all others. */
export function newValue(bytes: number): ValueId {
  if (bytes === 0) return EMPTY;
  sizes.push(Math.max(bytes, ID_BYTES));
  return sizes.length - 1;
}

/** The bytes of a value: its number, then a pattern that depends on it. */
export function valueBytes(value: ValueId): Bytes {
  const bytes = new Uint8Array(sizes[value]!);
  for (let i = 0; i < bytes.length; i += 1) bytes[i] = patternByte(value, i);
  return bytes;
}

/** The value that bytes stand for. @throws OracleViolation when they stand for none. */
export function readValue(bytes: Bytes): ValueId {
  if (bytes.length === 0) return EMPTY;
  let value = 0;
  for (let i = 0; i < ID_BYTES; i += 1) value += (bytes[i] ?? 0) * 256 ** i;
  if (sizes[value] !== bytes.length) {
    throw new OracleViolation(`S3: ${bytes.length} bytes that were never written`);
  }
  for (let i = ID_BYTES; i < bytes.length; i += 1) {
    if (bytes[i] !== patternByte(value, i)) {
      throw new OracleViolation(`S3: value ${value} differs at byte ${i}`);
    }
  }
  return value;
}

function patternByte(value: ValueId, i: number): number {
  return i < ID_BYTES ? (value >> (8 * i)) & 0xff : (value * 151 + i * 7 + (i >> 6)) & 0xff;
}

/* ---- reading ---- */

/** Which way a whole state is read. */
export type Way = "forward" | "reverse" | "get";

/** Reads everything, and checks order on the way. @throws OracleViolation */
export function readState(engine: Engine, keys: KeySpace, way: Way, snapshot?: Snapshot): State {
  const options = snapshot === undefined ? {} : { snapshot };
  const state = new Int32Array(keys.length);
  if (way === "get") {
    for (const [key, bytes] of keys.entries()) {
      const value = engine.get(bytes, options);
      state[key] = value === undefined ? DELETED : readValue(value);
    }
    return state;
  }
  const iterator = engine.iterator({ ...options, reverse: way === "reverse" });
  try {
    let at = way === "reverse" ? keys.length - 1 : 0;
    const step = way === "reverse" ? -1 : 1;
    while (iterator.next()) {
      at = findFrom(keys, { at, step, key: iterator.key });
      state[at] = readValue(iterator.value);
      at += step;
    }
  } finally {
    iterator.close();
  }
  return state;
}

/** The position of a key, looked for in the direction of travel. */
function findFrom(
  keys: KeySpace,
  from: { readonly at: number; readonly step: number; readonly key: Bytes },
): number {
  for (let at = from.at; at >= 0 && at < keys.length; at += from.step) {
    if (equalBytes(keys[at]!, from.key)) return at;
  }
  const text = Buffer.from(from.key).toString("latin1");
  throw new OracleViolation(`M3: an iterator gave "${text}": out of order, twice, or invented`);
}

/** First position whose key is at or above `key`; the length of the space if there is none. */
export function lowerBound(keys: KeySpace, key: Bytes): number {
  let [from, before] = [0, keys.length];
  while (from < before) {
    const middle = (from + before) >> 1;
    if (compareBytes(keys[middle]!, key) < 0) from = middle + 1;
    else before = middle;
  }
  return from;
}

/** Positions from `from` (included) to `before` (excluded) that lie within the bounds. */
export function boundedRange(
  keys: KeySpace,
  { gt, gte, lt, lte }: IteratorOptions,
): { readonly from: number; readonly before: number } {
  const after = (key: Bytes): number => {
    const at = lowerBound(keys, key);
    return at < keys.length && equalBytes(keys[at]!, key) ? at + 1 : at;
  };
  const from = gte !== undefined ? lowerBound(keys, gte) : gt !== undefined ? after(gt) : 0;
  const end = lte !== undefined ? after(lte) : lt !== undefined ? lowerBound(keys, lt) : null;
  return { from, before: end ?? keys.length };
}

/** Sorts keys and removes repeats. */
export function keySpace(keys: readonly Bytes[]): KeySpace {
  const sorted = keys.map((key) => copyBytes(key)).sort(compareBytes);
  return sorted.filter((key, i) => i === 0 || compareBytes(sorted[i - 1]!, key) !== 0);
}
