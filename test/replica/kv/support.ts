/**
 * Key-value machines for tests: on a simulated disk, with small limits, worked by hand. Support for
 * the tests.
 */
import { createSimulatedClock, createSimulatedDisk, seededRandom } from "#platform";
import type { Disk, Random, SimulatedDisk } from "#platform/types";
import type * as replica from "#replica";
import type {
  KvCommand,
  KvCondition,
  KvMachine,
  KvOperation,
  KvTransaction,
  Results,
} from "#replica";
import type { CommittedEntry } from "#replica/types";
import { b, LIMITS } from "./model.ts";

/** What opens a machine: the module itself, or one with a mistake in it. */
export type Subject = Pick<
  typeof replica,
  "openKvMachine" | "encodeKvCommand" | "decodeKvCommand" | "encodeKvAnswer" | "decodeKvAnswer"
>;

export const DIR = "kv";

/** Limits that a few small writes reach. */
const ENGINE = {
  memtableBytesMax: 4096,
  tableBytesMax: 4096,
  levelZeroCompactRuns: 2,
  logBytesPerSync: 0,
} as const;

export function openOn(subject: Subject, disk: Disk): Promise<KvMachine> {
  return subject.openKvMachine({
    dir: DIR,
    disk,
    clock: createSimulatedClock(),
    random: seededRandom(1),
    engine: ENGINE,
    ...LIMITS,
  });
}

export function freshDisk(): SimulatedDisk {
  const disk = createSimulatedDisk();
  disk.makeDir("copies");
  return disk;
}

/** Does background work by hand until a promise is settled. */
export async function worked<T>(machine: KvMachine, promise: Promise<T>): Promise<T> {
  let isOver = false;
  const watched = promise.finally(() => {
    isOver = true;
  });
  watched.catch(() => undefined);
  for (let turn = 0; !isOver; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (turn > 0 && !isOver) machine.step();
  }
  return watched;
}

/** Applies a batch, working by hand where the engine holds writes back. */
export async function apply(
  machine: KvMachine,
  entries: readonly CommittedEntry[],
): Promise<Results> {
  const outcome = machine.applyBatch(entries);
  return outcome instanceof Promise ? worked(machine, outcome) : outcome;
}

/** A command as a log entry. Time passes with the index, about a second each. */
export function entryOf(
  subject: Subject,
  index: number,
  command: KvCommand,
  timeMs = 1_700_000_000_000 + index * 1000,
): CommittedEntry {
  const payload = subject.encodeKvCommand(command);
  return { index, term: 1, kind: "command", timeMs, seed: 0n, payload, proposalId: index };
}

/** An entry of somebody else. */
export function foreign(index: number): CommittedEntry {
  const kind = index % 2 === 0 ? "noop" : "command";
  const payload = kind === "noop" ? new Uint8Array(0) : Uint8Array.of(1, 5, 0);
  return { index, term: 1, kind, timeMs: 0, seed: 0n, payload, proposalId: index };
}

export function put(key: string, value: string): KvOperation {
  return { kind: "put", key: b(key), value: b(value) };
}

export function command(
  success: readonly KvOperation[],
  more: Partial<KvTransaction> & { once?: { session: number; serial: number } } = {},
): KvCommand {
  const { once = null, conditions = [], failure = [] } = more;
  return { kind: "transaction", once, transaction: { conditions, success, failure } };
}

export const absent = (key: string): KvCondition => ({
  key: b(key),
  target: "revision",
  is: "equal",
  revision: 0,
});

/** Few keys, so that commands meet; with zeros and prefixes, so that encodings matter. */
const KEYS = ["\0", "a", "a\0", "a\0\u0001", "ab", "b", "b\u00ff", "c", "c\0d", "\u00ff\u00ff"];

const pick = <T>(random: Random, list: readonly T[]): T => list[random.below(list.length)]!;

function someRange(random: Random): { from: Uint8Array; before: Uint8Array | null; limit: number } {
  const from = b(pick(random, ["", ...KEYS]));
  const before = random.below(3) === 0 ? null : b(pick(random, KEYS));
  return { from, before, limit: 1 + random.below(5) };
}

function someOperation(random: Random): KvOperation {
  const key = b(pick(random, KEYS));
  const value = b("v".repeat(random.below(60)) + random.below(9));
  switch (random.below(8)) {
    case 0:
      return { kind: "delete", key };
    case 1:
      return { kind: "deleteRange", ...someRange(random) };
    case 2:
      return { kind: "get", key };
    case 3:
      return { kind: "range", ...someRange(random) };
    default:
      return { kind: "put", key, value };
  }
}

function someCondition(random: Random, index: number): KvCondition {
  const key = b(pick(random, KEYS));
  const is = pick(random, ["equal", "unequal", "less", "greater"] as const);
  if (random.below(3) === 0) return { key, target: "value", is, value: b(`${random.below(9)}`) };
  const revision = random.below(2) === 0 ? 0 : random.below(index + 1);
  return { key, target: "revision", is, revision };
}

/** One command; sessions are taken from those opened so far, known or forgotten. */
export function someCommand(random: Random, index: number, opened: Map<number, number>): KvCommand {
  const sessions = [...opened.keys()];
  const choice = random.below(12);
  if (choice === 0 || sessions.length === 0) return { kind: "openSession" };
  const session = pick(random, sessions.slice(-5));
  if (choice === 1) return { kind: "closeSession", session };
  const many = <T>(count: number, make: () => T): T[] =>
    Array.from({ length: random.below(count) }, make);
  const transaction = {
    conditions: many(3, () => someCondition(random, index)),
    success: many(4, () => someOperation(random)),
    failure: many(3, () => someOperation(random)),
  };
  if (choice < 6) return { kind: "transaction", once: null, transaction };
  const last = opened.get(session) ?? 0;
  const serial = Math.max(1, last + 1 - pick(random, [0, 0, 0, 1, 1, 2]));
  opened.set(session, Math.max(last, serial));
  return { kind: "transaction", once: { session, serial }, transaction };
}

/** An answer, or a command, as text, for comparing and for messages. */
export function answerText(value: unknown): string {
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString("latin1"));
  if (Array.isArray(value)) return `[${value.map(answerText).join()}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([name, member]) => `${name}:${answerText(member)}`).join()}}`;
}
