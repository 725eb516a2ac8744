/**
 * Keys and values for the benchmarks of tables: sorted keys of 16 digits, values of 100 bytes.
 */
import type { Bytes } from "#base";

/** The number of the tables. */
export const ID = 7;
export const KEY_DIGITS = 16;
export const VALUE_BYTES = 100;
const FACTORS = [31, 17] as const;
const BYTE_PRIME = 251;

/** Key number `i`. */
export function keyOf(i: number): Bytes {
  return encoded(i * 2);
}

/** A key between two written ones. */
export function missingKeyOf(i: number): Bytes {
  return encoded(i * 2 + 1);
}

/** Half of a value repeats itself, as text does. */
export function sampleValue(i: number): Bytes {
  return Uint8Array.from({ length: VALUE_BYTES }, (_, at) =>
    at < VALUE_BYTES / 2 ? (i * FACTORS[0] + at * at * FACTORS[1]) % BYTE_PRIME : 7,
  );
}

function encoded(n: number): Bytes {
  return new TextEncoder().encode(String(n).padStart(KEY_DIGITS, "0"));
}
