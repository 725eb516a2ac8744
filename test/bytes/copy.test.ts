/**
 * Copies of parts of arrays. Method: copy, change both sides, compare; also out of shared memory.
 */
import { expect, test } from "vitest";
import { copyBytes } from "#bytes";

test("a copy has the bytes of the range and nothing else", () => {
  const source = Uint8Array.from([1, 2, 3, 4, 5]);
  expect([...copyBytes(source)]).toEqual([1, 2, 3, 4, 5]);
  expect([...copyBytes(source, 1, 4)]).toEqual([2, 3, 4]);
  expect(copyBytes(source, 2, 2).length).toBe(0);
});

test("a copy and its source do not see each other's changes", () => {
  const source = Uint8Array.from([1, 2, 3]);
  const copy = copyBytes(source);
  source[0] = 9;
  expect(copy[0]).toBe(1);
  copy[1] = 8;
  expect(source[1]).toBe(2);
});

test("a copy out of shared memory is not shared", () => {
  const shared = new Uint8Array(new SharedArrayBuffer(4));
  shared[2] = 7;
  const copy = copyBytes(shared, 1);
  expect(copy.buffer).toBeInstanceOf(ArrayBuffer);
  expect([...copy]).toEqual([0, 7, 0]);
});
