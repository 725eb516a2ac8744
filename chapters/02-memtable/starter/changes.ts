/**
 * Changes as the payload of one record in the log. Given: encoding is chapter 00.
 *
 * | bytes  | field | meaning                                      |
 * | -----: | ----- | -------------------------------------------- |
 * | varint | count | changes that follow                          |
 * |      1 | kind  | of each change: 1 a value, 2 a deletion      |
 * | varint | key   | its length, then its bytes                   |
 * | varint | value | as the key; not there for a deletion         |
 *
 * Invariant: what is decoded are copies, so that nobody holds on to the log's memory.
 * Chapter: 02-memtable, step 02.6
 */
import { type Bytes, CairnError } from "#base";
import { copyBytes, createByteReader, createByteWriter } from "#bytes";

/** One key set to a value, or removed: null. */
export interface Change {
  readonly key: Bytes;
  readonly value: Bytes | null;
}

const VALUE = 1;
const DELETION = 2;

/** The changes as bytes. */
export function encodeChanges(changes: readonly Change[]): Bytes {
  const writer = createByteWriter();
  writer.varint(changes.length);
  for (const { key, value } of changes) {
    writer.u8(value === null ? DELETION : VALUE);
    writer.bytes(key);
    if (value !== null) writer.bytes(value);
  }
  return writer.finish();
}

/** The changes that these bytes are. @throws `BYTES_MALFORMED` if they are none. */
export function decodeChanges(payload: Bytes): Change[] {
  const reader = createByteReader(payload);
  const changes: Change[] = [];
  for (let left = reader.varint(); left > 0; left -= 1) {
    const kind = reader.u8();
    if (kind !== VALUE && kind !== DELETION) {
      throw new CairnError("BYTES_MALFORMED", `memtable: ${kind} is no kind of change`);
    }
    const key = copyBytes(reader.bytes());
    changes.push({ key, value: kind === DELETION ? null : copyBytes(reader.bytes()) });
  }
  reader.end();
  return changes;
}
