/**
 * The properties block: what is known of a table without reading its data. Given.
 *
 * | field       | type          | meaning                                        |
 * | ----------- | ------------- | ---------------------------------------------- |
 * | entries     | varint        | versions, deletions included; at least 1       |
 * | deletions   | varint        | of these, deletions                            |
 * | keys        | varint        | distinct keys                                  |
 * | sequenceMin | varint        | smallest sequence of all versions; at least 1  |
 * | sequenceMax | varint        | largest sequence of all versions               |
 * | smallest    | varint, bytes | length and bytes of the first key              |
 * | largest     | varint, bytes | length and bytes of the last key               |
 *
 * Invariant: decoded properties do not contradict each other.
 * Chapter: 03-sstable, step 03.3
 */
import type { Bytes } from "#base";
import { compareBytes, createByteReader, createByteWriter, equalBytes } from "#bytes";
import { malformed } from "./damage.ts";
import type { Version } from "./version.ts";

/** See the table. */
export interface Properties {
  readonly entries: number;
  readonly deletions: number;
  readonly keys: number;
  readonly sequenceMin: number;
  readonly sequenceMax: number;
  readonly smallest: Bytes;
  readonly largest: Bytes;
}

/** Counts versions as they come by, in order. */
export interface Tally {
  /** Counts one more. @returns whether its key is another than the last one's. */
  add(version: Version): boolean;
  /** What was counted, of at least one version. */
  properties(): Properties;
}

/** Starts to count. */
export function createTally(): Tally {
  const empty = new Uint8Array(0);
  const bounds = { smallest: empty, largest: empty };
  const counts = { entries: 0, deletions: 0, keys: 0, sequenceMax: 0 };
  let sequenceMin = Number.MAX_SAFE_INTEGER;
  return {
    add({ key, value, sequence }) {
      const isNewKey = counts.entries === 0 || !equalBytes(key, bounds.largest);
      if (counts.entries === 0) bounds.smallest = key.slice();
      if (isNewKey) bounds.largest = key.slice();
      counts.entries += 1;
      if (value === null) counts.deletions += 1;
      if (isNewKey) counts.keys += 1;
      sequenceMin = Math.min(sequenceMin, sequence);
      counts.sequenceMax = Math.max(counts.sequenceMax, sequence);
      return isNewKey;
    },
    properties: () => ({ ...counts, sequenceMin, ...bounds }),
  };
}

/** Encodes the content of a properties block. */
export function encodeProperties(properties: Properties): Bytes {
  const writer = createByteWriter();
  writer.varint(properties.entries);
  writer.varint(properties.deletions);
  writer.varint(properties.keys);
  writer.varint(properties.sequenceMin);
  writer.varint(properties.sequenceMax);
  writer.bytes(properties.smallest);
  writer.bytes(properties.largest);
  return writer.finish();
}

/** Decodes the content of a properties block. @throws BYTES_MALFORMED */
export function decodeProperties(content: Bytes): Properties {
  const reader = createByteReader(content);
  const properties = {
    entries: reader.varint(),
    deletions: reader.varint(),
    keys: reader.varint(),
    sequenceMin: reader.varint(),
    sequenceMax: reader.varint(),
    smallest: reader.bytes().slice(),
    largest: reader.bytes().slice(),
  };
  reader.end();
  const { entries, deletions, keys, sequenceMin, sequenceMax, smallest, largest } = properties;
  const isSound =
    deletions <= entries &&
    keys >= 1 &&
    keys <= entries &&
    sequenceMin >= 1 &&
    sequenceMin <= sequenceMax &&
    compareBytes(smallest, largest) <= 0;
  return isSound ? properties : malformed("the properties contradict each other");
}
