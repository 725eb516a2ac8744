/**
 * Commands and answers as bytes. Method: random ones come back equal; every prefix and every byte
 * that is changed is refused by code or decodes to something that encodes to the same bytes; golden
 * bytes of version 1; limits at the edge.
 */
import { describe, expect, test } from "vitest";
import { isCairnError } from "#base";
import type { KvAnswer, KvCommand } from "#replica";
import * as replica from "#replica";
import { decodeKvAnswer, decodeKvCommand, encodeKvAnswer, encodeKvCommand } from "#replica";
import { forEachSeed } from "../../support/seeds.ts";
import { b } from "./model.ts";
import { answerText, command, entryOf, put, someCommand } from "./support.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const GOLDEN_COMMAND: KvCommand = command([put("k", "v"), { kind: "delete", key: b("d") }], {
  once: { session: 7, serial: 3 },
  conditions: [
    { key: b("k"), target: "revision", is: "equal", revision: 300 },
    { key: b("k"), target: "value", is: "greater", value: b("a") },
  ],
  failure: [
    { kind: "get", key: b("k") },
    { kind: "range", from: b("a"), before: b("b"), limit: 9 },
    { kind: "deleteRange", from: b(""), before: null, limit: 10_000 },
  ],
});
const GOLDEN_ANSWER: KvAnswer = {
  kind: "transaction",
  held: true,
  revision: 300,
  found: [
    { kind: "put", previousRevision: 2 },
    { kind: "deleted", count: 4, more: true },
    { kind: "got", entry: null },
    { kind: "got", entry: { key: b("k"), value: b("v"), revision: 5 } },
    { kind: "entries", entries: [{ key: b("k"), value: b(""), revision: 6 }], more: false },
  ],
};

test("golden bytes of version 1", () => {
  expect(hex(encodeKvCommand(GOLDEN_COMMAND))).toBe(
    "4b010107000000000000000300000000000000" +
      "0201016bac0208016b0161" +
      "0201016b01760201640304016b05016109010162" +
      "0300904e00",
  );
  expect(hex(encodeKvAnswer(GOLDEN_ANSWER))).toBe(
    "010101ac020501020204010300030101" + "6b01760504" + "01016b000600",
  );
  expect(answerText(decodeKvCommand(encodeKvCommand(GOLDEN_COMMAND)))).toBe(
    answerText(GOLDEN_COMMAND),
  );
  expect(answerText(decodeKvAnswer(encodeKvAnswer(GOLDEN_ANSWER)))).toBe(answerText(GOLDEN_ANSWER));
});

/** Refused by code, or the same bytes again: nothing else. */
function judged(bytes: Uint8Array, again: (bytes: Uint8Array) => Uint8Array): void {
  try {
    expect(hex(again(bytes))).toBe(hex(bytes));
  } catch (error) {
    if (!isCairnError(error, "BYTES_MALFORMED")) throw error;
  }
}

test("commands come back, and what is damaged is refused or is itself", () => {
  forEachSeed(40, (_seed, random) => {
    const one = someCommand(random, 50, new Map([[3, 1]]));
    const bytes = entryOf(replica, 1, one).payload;
    expect(answerText(decodeKvCommand(bytes))).toBe(answerText(one));
    const again = (changed: Uint8Array): Uint8Array => encodeKvCommand(decodeKvCommand(changed));
    for (let at = 0; at < bytes.length; at += 1) {
      expect(() => decodeKvCommand(bytes.subarray(0, at))).toThrow(
        expect.objectContaining({ code: "BYTES_MALFORMED" }),
      );
      const changed = bytes.slice();
      changed[at] = random.below(256);
      judged(changed, again);
    }
    expect(() => decodeKvCommand(Uint8Array.of(...bytes, 0))).toThrow();
  });
});

test("answers that are damaged are refused or are themselves", () => {
  forEachSeed(10, (_seed, random) => {
    const bytes = encodeKvAnswer(GOLDEN_ANSWER);
    for (let at = 0; at < bytes.length; at += 1) {
      expect(() => decodeKvAnswer(bytes.subarray(0, at))).toThrow();
      const changed = bytes.slice();
      changed[at] = random.below(256);
      judged(changed, (one) => encodeKvAnswer(decodeKvAnswer(one)));
    }
  });
});

describe("limits", () => {
  const bytes = (count: number): Uint8Array => new Uint8Array(count);
  const many = Array.from({ length: 129 }, () => put("k", "v"));
  const puts = (count: number): KvCommand =>
    command(
      Array.from({ length: count }, () => ({
        kind: "put" as const,
        key: b("k"),
        value: bytes(8 * 1024 * 1024 - 1),
      })),
    );
  const range = { kind: "range", from: b("a"), before: null } as const;

  test.each<[string, KvCommand]>([
    ["a key of no bytes", command([{ kind: "get", key: bytes(0) }])],
    ["a key of 4097 bytes", command([{ kind: "delete", key: bytes(4097) }])],
    ["an end of 4097 bytes", command([{ ...range, before: bytes(4097), limit: 1 }])],
    ["a value over 8 MiB", command([{ kind: "put", key: b("k"), value: bytes(8_388_609) }])],
    ["129 operations", command(many)],
    ["129 operations otherwise", command([], { failure: many })],
    ["over 16 MiB in all", puts(3)],
    ["a limit of 0", command([{ ...range, limit: 0 }])],
    ["a limit of 10001", command([{ ...range, limit: 10_001 }])],
    ["serial 0", command([], { once: { session: 1, serial: 0 } })],
    ["session 0", { kind: "closeSession", session: 0 }],
  ])("%s is nobody's command", (_name, beyond) => {
    expect(() => encodeKvCommand(beyond)).toThrow(
      expect.objectContaining({ code: "REPLICA_COMMAND_INVALID" }),
    );
  });

  test("everything at its limit is one", () => {
    const at = command(
      [{ kind: "put", key: bytes(4096), value: bytes(8 * 1024 * 1024) }, ...many.slice(2)],
      { failure: [{ ...range, limit: 10_000 }] },
    );
    expect(answerText(decodeKvCommand(encodeKvCommand(at)).kind)).toBe('"transaction"');
    expect(() => encodeKvCommand(puts(2))).not.toThrow();
  });
});
