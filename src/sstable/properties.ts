/**
 * The properties block: what is known of a table without reading its data.
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
 * Chapter: 03-sstable
 */
import { type Bytes, isCairnError } from "#base";
import { compareBytes, createByteReader, createByteWriter } from "#bytes";

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

/** Decodes the content of a properties block. @returns what is wrong, in words. */
export function decodeProperties(content: Bytes): Properties | string {
  const properties = readProperties(content);
  if (typeof properties === "string") return properties;
  const { entries, deletions, keys, sequenceMin, sequenceMax, smallest, largest } = properties;
  const isConsistent =
    deletions <= entries &&
    keys >= 1 &&
    keys <= entries &&
    sequenceMin >= 1 &&
    sequenceMin <= sequenceMax &&
    compareBytes(smallest, largest) <= 0;
  return isConsistent ? properties : "properties contradict each other";
}

function readProperties(content: Bytes): Properties | string {
  const reader = createByteReader(content);
  try {
    const properties: Properties = {
      entries: reader.varint(),
      deletions: reader.varint(),
      keys: reader.varint(),
      sequenceMin: reader.varint(),
      sequenceMax: reader.varint(),
      // Copies of their own: they live in manifests, and must not keep the block alive.
      smallest: reader.bytes().slice(),
      largest: reader.bytes().slice(),
    };
    reader.end();
    return properties;
  } catch (error) {
    if (isCairnError(error, "BYTES_MALFORMED")) return `properties: ${error.message}`;
    throw error;
  }
}
