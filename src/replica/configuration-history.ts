/**
 * The configurations in one log: the one at its beginning, and those in its entries.
 *
 * A change counts from the moment its entry is in the log, and is taken back when the entry is cut
 * off. After a forced recovery the entries of older epochs may still stand in the log, here and
 * elsewhere: they count no more. Invariant: the one in force is the last whose epoch is not below
 * those before it. Chapter: 08-replica.
 */
import type { Bytes } from "#base";
import type { Index } from "#raft/types";
import { decodeConfiguration } from "./configuration.ts";
import { decodeEntry, isKind } from "./entry.ts";
import type { Configuration, StoredConfiguration } from "./types.ts";

/** See the file's header. */
export class ConfigurationHistory {
  /** In force at the compacted index. */
  base: StoredConfiguration | undefined;
  #behind: StoredConfiguration[] = [];
  #epochMin: number;

  /** @param epochMin - what this node was told: configurations of older epochs never count. */
  constructor(epochMin: number) {
    this.#epochMin = epochMin;
  }

  get behind(): readonly StoredConfiguration[] {
    return this.#behind;
  }

  get inForce(): StoredConfiguration | undefined {
    return this.#behind.at(-1) ?? this.base;
  }

  /** Configurations below it do not count. */
  get epoch(): number {
    return Math.max(this.#epochMin, this.inForce?.configuration.epoch ?? 0);
  }

  /** From now on configurations of older epochs do not count. */
  expectEpoch(epoch: number): void {
    this.#epochMin = Math.max(this.#epochMin, epoch);
    this.#behind = this.#behind.filter(({ configuration }) => configuration.epoch >= epoch);
  }

  at(index: Index): StoredConfiguration | undefined {
    return this.#behind.findLast((stored) => stored.index <= index) ?? this.base;
  }

  /** Takes note of an entry, if it is a configuration that counts. @throws `BYTES_MALFORMED` */
  append(index: Index, entry: Bytes): void {
    const configuration = countingConfiguration(entry, this.epoch);
    if (configuration !== undefined) this.#behind.push({ index, configuration });
  }

  cutFrom(from: Index): void {
    this.#behind = this.#behind.filter(({ index }) => index < from);
  }

  /** The log begins behind `upTo`, where `base` was in force. */
  startBehind(upTo: Index, base: StoredConfiguration): void {
    this.base = base;
    this.#behind = this.#behind.filter(
      ({ index, configuration }) => index > upTo && configuration.epoch >= base.configuration.epoch,
    );
  }

  /** The log begins anew: nothing stands behind its beginning. */
  restart(base: StoredConfiguration): void {
    this.base = base;
    this.#behind = [];
  }
}

/**
 * The configuration in an entry, if it is one and its epoch counts.
 *
 * @throws `BYTES_MALFORMED`
 */
export function countingConfiguration(entry: Bytes, epoch: number): Configuration | undefined {
  if (!isKind(entry, "configuration")) return undefined;
  const configuration = decodeConfiguration(decodeEntry(entry).payload);
  return configuration.epoch < epoch ? undefined : configuration;
}
