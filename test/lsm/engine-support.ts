/**
 * Engines for tests: on a simulated disk, with small limits, worked by hand. Support for the tests.
 */
import { createWriteBatch, openEngine } from "#lsm";
import type { Engine, EngineOptions, WriteBatch } from "#lsm/types";
import { createSimulatedClock, createSimulatedDisk } from "#platform";
import type { SimulatedDisk } from "#platform/types";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const DIR = "db";

export const b = (text: string): Uint8Array => encoder.encode(text);
export const s = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : decoder.decode(bytes);

/** A value of so many bytes. */
export const filler = (bytes: number, fill = 7): Uint8Array => new Uint8Array(bytes).fill(fill);

/** Limits that a few small writes reach. */
export const SMALL = {
  memtableBytesMax: 4096,
  tableBytesMax: 4096,
  levelZeroCompactRuns: 2,
  logBytesPerSync: 0,
} as const;

/** A fresh engine, its disk and its clock. */
export function fresh(options: Partial<EngineOptions> = {}): {
  engine: Engine;
  disk: SimulatedDisk;
  clock: ReturnType<typeof createSimulatedClock>;
} {
  const disk = createSimulatedDisk();
  const clock = createSimulatedClock();
  return { engine: open(disk, { clock, ...options }), disk, clock };
}

/** Opens what is on a disk. */
export function open(disk: SimulatedDisk, options: Partial<EngineOptions> = {}): Engine {
  const clock = createSimulatedClock();
  return openEngine({ disk, dir: DIR, background: "step", clock, ...SMALL, ...options });
}

export function batchOf(changes: Readonly<Record<string, string | null>>): WriteBatch {
  const batch = createWriteBatch();
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) batch.delete(b(key));
    else batch.put(b(key), b(value));
  }
  return batch;
}

/** Everything that a fresh iterator shows. */
export function contentOf(engine: Engine): Record<string, string> {
  const iterator = engine.iterator();
  const content: Record<string, string> = {};
  while (iterator.next()) content[s(iterator.key)!] = s(iterator.value)!;
  iterator.close();
  return content;
}

/** Writes until a memtable has been frozen. @returns how many writes it took. */
export async function fillMemtable(engine: Engine, fill = 1): Promise<number> {
  const before = engine.stats().frozenMemtables;
  for (let count = 1; ; count += 1) {
    await engine.put(b(`fill-${fill}-${count}`), filler(256, fill));
    if (engine.stats().frozenMemtables > before) return count;
  }
}

/** Does all background work. */
export function drain(engine: Engine): void {
  while (engine.step());
}
