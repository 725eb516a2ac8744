/**
 * Three oracles that need no search: the simulator tells them what was committed, which no client
 * can know, and they notice a broken promise at the moment at which it is broken.
 *
 * Invariant: constant time for each event, memory for each write. Chapter: 11-simulation.
 */
import type {
  PredecessorOracle,
  PromiseOracle,
  ReadOracle,
  RegisterValue,
  Violation,
} from "./types.ts";

/** G11: an empty oracle; index 0 is committed from the beginning. */
export function createReadOracle(): ReadOracle {
  let highest = 0;
  return {
    committed(index) {
      highest = Math.max(highest, index);
    },
    called: () => highest,
    returned(calledAtIndex, index) {
      if (index >= calledAtIndex) return undefined;
      const text = `${calledAtIndex} was committed when it was called`;
      return { rule: "G11", text: `a read returned at index ${index}; ${text}` };
    },
  };
}

/** What is known of a write. */
interface WriteRecord {
  committedAt: number | undefined;
  appliedAt: number | undefined;
  acknowledgedAt: number | undefined;
  isRefused: boolean;
}

/** G13: an empty oracle. */
export function createPromiseOracle(): PromiseOracle {
  const writes = new Map<string, WriteRecord>();
  const recordOf = (write: string): WriteRecord => {
    let record = writes.get(write);
    if (record === undefined) {
      record = {
        committedAt: undefined,
        appliedAt: undefined,
        acknowledgedAt: undefined,
        isRefused: false,
      };
      writes.set(write, record);
    }
    return record;
  };
  const broken = (write: string, what: string): Violation => ({
    rule: "G13",
    text: `write ${write} ${what}`,
  });
  return {
    committed(write, index) {
      // A client that repeats a write may get it into the log twice; it must be applied once.
      recordOf(write).committedAt ??= index;
    },
    applied(write, index) {
      const record = recordOf(write);
      const { appliedAt } = record;
      if (record.isRefused) return broken(write, `was refused, and is applied at index ${index}`);
      if (record.committedAt === undefined)
        return broken(write, `is applied at index ${index}, and was never committed`);
      if (appliedAt !== undefined && appliedAt !== index)
        return broken(write, `is applied at index ${index}, and was applied at ${appliedAt}`);
      record.appliedAt = index;
      return undefined;
    },
    acknowledged(write, index) {
      const record = recordOf(write);
      record.acknowledgedAt = index;
      if (record.isRefused) return broken(write, "was refused, and is acknowledged");
      if (record.committedAt === undefined)
        return broken(write, `is acknowledged at index ${index}, and was never committed`);
      const at = record.appliedAt ?? index;
      if (at === index) return undefined;
      return broken(write, `is acknowledged at index ${index}, and was applied at ${at}`);
    },
    refused(write) {
      const record = recordOf(write);
      record.isRefused = true;
      if (record.acknowledgedAt !== undefined)
        return broken(write, "was acknowledged, and is refused");
      if (record.appliedAt === undefined) return undefined;
      return broken(write, `was applied at index ${record.appliedAt}, and is refused`);
    },
    end() {
      return [...writes]
        .filter(([, one]) => one.acknowledgedAt !== undefined && one.appliedAt === undefined)
        .map(([write]) => broken(write, "was acknowledged, and is nowhere applied"));
    },
  };
}

/** G14: an empty oracle; every key holds null. */
export function createPredecessorOracle(): PredecessorOracle {
  const newest = new Map<string, { readonly index: number; readonly value: RegisterValue }>();
  /** By index: what the write there wrote over, and where that had been written. */
  const below = new Map<
    number,
    { readonly key: string; readonly index: number; readonly value: RegisterValue }
  >();
  let highest = 0;
  return {
    committed(index, key, value) {
      if (!(index > highest)) {
        throw new RangeError(`simulation: committed ${index} after ${highest}`);
      }
      highest = index;
      below.set(index, { key, ...(newest.get(key) ?? { index: 0, value: null }) });
      newest.set(key, { index, value });
    },
    acknowledged(index, key, previous) {
      const expected = below.get(index);
      const answer = `the write of ${key} at index ${index} says that it wrote over ${previous}`;
      if (expected === undefined || expected.key !== key) {
        return { rule: "G14", text: `${answer}; no write of ${key} is committed there` };
      }
      if (expected.value === previous) return undefined;
      const text = `${answer}; below it is ${expected.value}, of index ${expected.index}`;
      return { rule: "G14", text };
    },
  };
}
