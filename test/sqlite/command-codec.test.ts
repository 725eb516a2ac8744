/**
 * The command codec. Method: random commands there and back, every cut, every single damaged byte,
 * and a golden entry that must decode for ever.
 */
import { expect, test } from "vitest";
import { isCairnError } from "#base";
import type { Random } from "#platform";
import { decodeCommand, encodeCommand } from "#sqlite";
import type { Command, SqlValue } from "#sqlite/types";
import { forEachSeed } from "../support/seeds.ts";
import { execute, sql } from "./machine-support.ts";

function value(random: Random): SqlValue {
  const values: SqlValue[] = [
    null,
    BigInt.asIntN(64, BigInt(random.below(2 ** 32)) * 0x1_0000_0001n),
    -(2n ** 63n),
    2n ** 63n - 1n,
    random.fraction() * 1e9,
    -0,
    "",
    "text \u{1f600} \u0000",
    random.bytes(random.below(40)),
    new Uint8Array(0),
  ];
  return values[random.below(values.length)] ?? null;
}

function command(random: Random): Command {
  const flag = () => random.below(2) === 1;
  const rendering = {
    associative: flag(),
    blobArray: flag(),
    qualifyColumns: flag(),
    timings: flag(),
  };
  const values = () => Array.from({ length: random.below(4) }, () => value(random));
  const statements = Array.from({ length: random.below(4) }, (_, at) => ({
    sql: `SELECT ${at} -- é`,
    positional: values(),
    named: values().map((one, n) => [`n${n}`, one] as const),
  }));
  const kinds: Command[] = [
    { kind: "execute", statements, transaction: flag(), rendering },
    { kind: "request", statements, transaction: flag(), rendering },
    { kind: "loadText", sql: "CREATE TABLE t (x)", rendering },
    { kind: "loadFile", file: random.bytes(random.below(50)) },
    { kind: "barrier" },
  ];
  return kinds[random.below(kinds.length)] ?? { kind: "barrier" };
}

test("what is encoded is decoded, and nothing shorter or longer", () => {
  forEachSeed(50, (_seed, random) => {
    const original = command(random);
    const bytes = encodeCommand(original);
    expect(decodeCommand(bytes)).toEqual(original);
    // Bytes inside a larger array, as they come from the log.
    const inside = new Uint8Array(bytes.length + 7);
    inside.set(bytes, 3);
    expect(decodeCommand(inside.subarray(3, 3 + bytes.length))).toEqual(original);
    if (original.kind === "loadFile") return;
    expect(() => decodeCommand(inside.subarray(3))).toThrow("after the end");
  });
});

test("cut or damaged bytes give another command or BYTES_MALFORMED, never anything else", () => {
  const bytes = encodeCommand(execute(sql("INSERT INTO t VALUES (?, ?)", 1n, "two"), "SELECT 1"));
  for (let length = 0; length < bytes.length; length += 1) {
    expect(() => decodeCommand(bytes.subarray(0, length))).toThrow(/byte/);
  }
  for (let at = 0; at < bytes.length; at += 1) {
    const damaged = bytes.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 0xff;
    try {
      decodeCommand(damaged);
    } catch (error) {
      expect(isCairnError(error, "BYTES_MALFORMED"), `byte ${at}: ${error}`).toBe(true);
    }
  }
});

test("the format stays: an entry of today is read by every later version", () => {
  const golden =
    "010101010000000c000000494e53455254203f2c203f3f0500000002ffffffffffffffff0300000000" +
    "0000f83f040200000068690502000000ff00010100000001000000610401000000" +
    "78";
  const decoded: Command = {
    kind: "execute",
    statements: [
      {
        sql: "INSERT ?, ??",
        positional: [-1n, 1.5, "hi", Uint8Array.of(255, 0), null],
        named: [["a", "x"]],
      },
    ],
    transaction: true,
    rendering: { associative: false, blobArray: false, qualifyColumns: false, timings: false },
  };
  expect(Buffer.from(encodeCommand(decoded)).toString("hex")).toBe(golden);
  expect(decodeCommand(Buffer.from(golden, "hex"))).toEqual(decoded);
});
