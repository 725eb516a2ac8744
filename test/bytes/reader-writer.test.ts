/**
 * The writer against the reader: what goes in comes out, and no cut or damaged input gets past the
 * end.
 */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type ByteReader, type ByteWriter, createByteReader, createByteWriter } from "#bytes";
import { SCALE } from "../support/seeds.ts";

const malformed = expect.objectContaining({ code: "BYTES_MALFORMED" });

/** One kind of value: how it is made, written and read. */
const kinds = {
  u8: fc.integer({ min: 0, max: 255 }),
  u32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  u64: fc.maxSafeNat(),
  i64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  f64: fc.double(),
  varint: fc.maxSafeNat(),
  bytes: fc.uint8Array({ maxLength: 300 }),
  text: fc.string({ unit: "binary", maxLength: 200 }),
};
type Kind = keyof typeof kinds;
type Value = { kind: Kind; value: unknown };

const value: fc.Arbitrary<Value> = fc.oneof(
  ...(Object.keys(kinds) as Kind[]).map((kind) =>
    (kinds[kind] as fc.Arbitrary<unknown>).map((made) => ({ kind, value: made })),
  ),
);

function write(writer: ByteWriter, { kind, value: made }: Value): void {
  (writer[kind] as (value: unknown) => void)(made);
}

function read(reader: ByteReader, kind: Kind): unknown {
  return reader[kind]();
}

test("values come back in order, whatever they are", async () => {
  await fc.assert(
    fc.property(fc.array(value, { maxLength: 20 }), (values) => {
      const writer = createByteWriter(1);
      for (const one of values) write(writer, one);
      const bytes = writer.finish();
      expect(bytes.length).toBe(writer.length);
      const reader = createByteReader(bytes);
      for (const { kind, value: made } of values) expect(read(reader, kind)).toStrictEqual(made);
      reader.end();
    }),
    { numRuns: Math.round(300 * SCALE) },
  );
});

test("every proper prefix is malformed, and nothing else is thrown", async () => {
  await fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 5 }), (values) => {
      const writer = createByteWriter();
      for (const one of values) write(writer, one);
      const bytes = writer.finish();
      for (let length = 0; length < bytes.length; length += 1) {
        const reader = createByteReader(bytes.subarray(0, length));
        expect(() => {
          for (const { kind } of values) read(reader, kind);
        }).toThrow(malformed);
      }
    }),
    { numRuns: Math.round(50 * SCALE) },
  );
});

test("a length beyond the end is refused before anything is allocated", () => {
  const writer = createByteWriter();
  writer.varint(Number.MAX_SAFE_INTEGER);
  writer.raw(Uint8Array.of(1, 2, 3));
  expect(() => createByteReader(writer.finish()).bytes()).toThrow(malformed);
  expect(() => createByteReader(writer.finish()).text()).toThrow(malformed);
  expect(() => createByteReader(new Uint8Array(3)).raw(4)).toThrow(malformed);
  expect(() => createByteReader(new Uint8Array(3)).raw(-1)).toThrow(malformed);
});

test("bytes left over are malformed", () => {
  const reader = createByteReader(Uint8Array.of(1, 2));
  reader.u8();
  expect(reader.remaining).toBe(1);
  expect(reader.offset).toBe(1);
  expect(() => reader.end()).toThrow(malformed);
});

test("text that is not UTF-8 is malformed", () => {
  expect(() => createByteReader(Uint8Array.of(1, 0xff)).text()).toThrow(malformed);
  expect(() => createByteReader(Uint8Array.of(2, 0xc3, 0x28)).text()).toThrow(malformed);
});

test("text longer than 127 bytes keeps its length, and a byte order mark is kept", () => {
  const writer = createByteWriter(1);
  const texts = ["\uFEFFx", "a".repeat(127), "b".repeat(128), "é".repeat(9000), "\u{1F5FB}", ""];
  for (const text of texts) writer.text(text);
  const reader = createByteReader(writer.finish());
  for (const text of texts) expect(reader.text()).toBe(text);
});

test("what finish returned does not change when the writer goes on", () => {
  const writer = createByteWriter();
  writer.u8(1);
  const first = writer.finish();
  writer.reset();
  writer.u8(2);
  expect([...first]).toEqual([1]);
  expect([...writer.finish()]).toEqual([2]);
});

test("a value outside its range is refused", () => {
  const writer = createByteWriter();
  expect(() => writer.u8(256)).toThrow(RangeError);
  expect(() => writer.u32(-1)).toThrow(RangeError);
  expect(() => writer.i64(2n ** 63n)).toThrow(RangeError);
  expect(() => writer.varint(0.5)).toThrow(RangeError);
  expect(writer.length).toBe(0);
});
