/**
 * Whether the bytes of versions sort as they must, for all short keys over a few troublesome bytes.
 * Support for the tests.
 */
import { compareBytes } from "#bytes";
import type { MvccModule } from "#mvcc/types";

const ALPHABET = [0, 1, 97, 254, 255];
const BYTES_MAX = 3;

/** All keys of up to three bytes over the alphabet. */
export function shortKeys(): Uint8Array[] {
  const keys: Uint8Array[] = [new Uint8Array(0)];
  for (let from = 0; keys[from]!.length < BYTES_MAX; from += 1) {
    for (const byte of ALPHABET) keys.push(Uint8Array.of(...keys[from]!, byte));
  }
  return keys;
}

/** Pairs of versions that are in the wrong order: key ascending, then timestamp descending. */
export function wrongPairs({ encodeVersion }: Pick<MvccModule, "encodeVersion">): string[] {
  const versions = shortKeys().flatMap((key) =>
    [1, 2 ** 40].map((timestamp) => ({ key, timestamp, bytes: encodeVersion(key, timestamp) })),
  );
  const wrong: string[] = [];
  for (const one of versions) {
    for (const other of versions) {
      const order = Math.sign(compareBytes(one.bytes, other.bytes));
      const keys = compareBytes(one.key, other.key);
      if (order !== (keys || Math.sign(other.timestamp - one.timestamp))) {
        wrong.push(`${one.key}@${one.timestamp} against ${other.key}@${other.timestamp}`);
      }
    }
  }
  return wrong;
}
