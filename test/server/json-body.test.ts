/**
 * Request bodies. Method: each rule of the reference with its input and outcome; then random JSON
 * cut and bent at random, compared with what `JSON.parse` says of it; then size and depth.
 */
import { expect, test } from "vitest";
import { indentJson, parseStatements, sortedJson } from "#server";
import type { SqlValue } from "#sqlite/types";
import { forEachSeed } from "../support/seeds.ts";

const parameters = (json: string): readonly SqlValue[] =>
  parseStatements(`[["SELECT", ${json}]]`)[0]?.positional ?? [];

test("a string is a statement, an array is one with parameters, and both may be mixed", () => {
  const body = '["A; B", ["C", 1, "x", {"n": null, "m": 2}, true], ["D"]]';
  expect(parseStatements(body)).toEqual([
    { sql: "A; B", positional: [], named: [] },
    {
      sql: "C",
      positional: [1n, "x", 1n],
      named: [
        ["n", null],
        ["m", 2n],
      ],
    },
    { sql: "D", positional: [], named: [] },
  ]);
});

test.each([
  ["1", 1n],
  ["-0", 0n],
  ["9007199254740993", 9007199254740993n],
  ["9223372036854775807", 9223372036854775807n],
  ["-9223372036854775808", -9223372036854775808n],
  ["9223372036854775808", 2 ** 63],
  ["1.0", 1],
  ["1e3", 1000],
  ["-1.5E-3", -0.0015],
  ["1e-999", 0],
  ["true", 1n],
  ["false", 0n],
  ["null", null],
  ['"text"', "text"],
  ['""', ""],
  ["\"x'zz'\"", "x'zz'"],
  ["\"x'123'\"", "x'123'"],
  ["\"x'00ff'\"", Uint8Array.of(0, 255)],
  ["\" X'0A' \"", Uint8Array.of(10)],
  ["\"x''\"", new Uint8Array()],
  ["[]", new Uint8Array()],
  ["[0, 255, -0]", Uint8Array.of(0, 255, 0)],
  ['"\\u00e9\\n\\"\\\\"', 'é\n"\\'],
])("the parameter %s arrives as %s", (json, value) => {
  expect(parameters(json)).toEqual([value]);
});

test("in an object of named parameters the last of two equal names counts", () => {
  const [statement] = parseStatements(
    '[["S", {"a": 1, "b": [1], "a": 2.0, "__proto__": "p"}, {}]]',
  );
  expect(statement?.named).toEqual([
    ["a", 2],
    ["b", Uint8Array.of(1)],
    ["__proto__", "p"],
  ]);
});

test("bytes behind the closing bracket are ignored", () => {
  expect(parseStatements(' \n["S"] and more')).toHaveLength(1);
  expect(parseStatements('["S"]]')).toHaveLength(1);
});

test.each([
  ["", "invalid JSON body"],
  ["   ", "invalid JSON body"],
  ["SELECT 1", "invalid JSON body"],
  ['["S"', "invalid JSON body"],
  ['["S",]', "invalid JSON body"],
  ['["S" "T"]', "invalid JSON body"],
  ["['S']", "invalid JSON body"],
  ['["S', "invalid JSON body"],
  ['["S\\"]', "invalid JSON body"],
  ['["\\x"]', "invalid JSON body"],
  ['["a\nb"]', "invalid JSON body"],
  ['[["S", 01]]', "invalid JSON body"],
  ['[["S", +1]]', "invalid JSON body"],
  ['[["S", .5]]', "invalid JSON body"],
  ['[["S", 1.]]', "invalid JSON body"],
  ['[["S", NaN]]', "invalid JSON body"],
  ['[["S", nul]]', "invalid JSON body"],
  ['[["S", {a: 1}]]', "invalid JSON body"],
  ['[["S", {"a" 1}]]', "invalid JSON body"],
  ['[["S", {"a": 1,}]]', "invalid JSON body"],
  ['[["S", {"a": {"b": }}]]', "invalid JSON body"],
  ['[1, "S", {"a": [}]', "invalid JSON body"],
  ["\ufeff[]", "invalid JSON body"],
  ["null", "invalid request"],
  ['{"a": ["S"]}', "invalid request"],
  ['"S"', "invalid request"],
  ["17", "invalid request"],
  ["[1]", "invalid request"],
  ["[null]", "invalid request"],
  ['["S", {"a": 1}]', "invalid request"],
  ["[[]]", "invalid request"],
  ["[[1]]", "invalid request"],
  ['[[["S"]]]', "invalid request"],
  ["[]", "no statements"],
  ["[] x", "no statements"],
  ['[["S", [256]]]', "unsupported type 256"],
  ['[["S", [1.5]]]', "unsupported type 1.5"],
  ['[["S", [-1]]]', "unsupported type -1"],
  ['[["S", [1e999]]]', "unsupported type 1e999"],
  ['[["S", ["a"]]]', "unsupported type string"],
  ['[["S", [1, true]]]', "unsupported type bool"],
  ['[["S", [null]]]', "unsupported type <nil>"],
  ['[["S", [[1]]]]', "unsupported type []interface {}"],
  ['[["S", [{"a": 1}]]]', "unsupported type map[string]interface {}"],
  ['[["S", {"a": {"b": 1}}]]', "unsupported type map[string]interface {}"],
  ['[["S", {"a": [300]}]]', "unsupported type 300"],
  ['[["S", 1e999]]', "invalid number 1e999"],
  ['[["S", -1e999, [256]]]', "invalid number -1e999"],
  ['[["S", {"a": 1e999}]]', "invalid number 1e999"],
])("the body %j is refused: %s", (body, message) => {
  expect(() => parseStatements(body)).toThrow(
    expect.objectContaining({ code: "SERVER_REQUEST_INVALID", message }),
  );
});

/** Bytes behind the closing bracket are ignored by rule, so JSON may end at any bracket. */
function startsWithJson(text: string): boolean {
  for (let end = text.indexOf("]"); end !== -1; end = text.indexOf("]", end + 1)) {
    try {
      JSON.parse(text.slice(0, end + 1));
      return true;
    } catch {
      // Not at this bracket.
    }
  }
  return false;
}

test("text is taken for JSON exactly when JSON.parse takes it", () => {
  forEachSeed(5000, (_seed, random) => {
    const pick = <T>(items: readonly T[]): T => items[random.below(items.length)] as T;
    const pieces = [
      "[",
      "]",
      "{",
      "}",
      ",",
      ":",
      '"a"',
      "1",
      "-2.5e3",
      "true",
      "null",
      " ",
      '"\\n"',
    ];
    const length = 1 + random.below(9);
    const text = `[["S", ${Array.from({ length }, () => pick(pieces)).join("")}]]`;
    const expected = startsWithJson(text) ? "JSON" : "not JSON";
    let found = "JSON";
    try {
      parseStatements(text);
    } catch (error) {
      if ((error as Error).message === "invalid JSON body") found = "not JSON";
    }
    expect(found, text).toBe(expected);
  });
});

const row = '["INSERT INTO t(a, b) VALUES(?, ?)", 12345678, "some text that is not short"]';

test("a body of many megabytes is read whole: bench/server/json-body says how fast", () => {
  const many = parseStatements(`[${Array(130_000).fill(row).join(",")}]`);
  expect(many.length).toBe(130_000);
  expect(many.at(-1)?.positional).toEqual([12345678n, "some text that is not short"]);
  const blob = parseStatements(`[["S", [${Array(200_000).fill("127").join(",")}]]]`);
  expect(blob[0]?.positional).toEqual([new Uint8Array(200_000).fill(127)]);
});

test("no depth of brackets exhausts the stack", () => {
  const deep = 5 * 1024 * 1024;
  const bodies = ["[".repeat(deep), `[["S",${"[".repeat(deep)}`, '[{"a":'.repeat(deep / 8)];
  for (const body of bodies) expect(() => parseStatements(body)).toThrow("invalid JSON body");
  const nested = `[["S", ${"[".repeat(9000)}${"]".repeat(9000)}]]`;
  expect(() => parseStatements(nested)).toThrow("unsupported type []interface {}");
});

const pretty = (json: string): string => Buffer.from(indentJson(Buffer.from(json))).toString();

test("pretty text is the same JSON with four blanks a level, digits untouched", () => {
  expect(pretty('{"a":[1,{"b":9007199254740993}],"c":{},"d":[],"e":"x,[\\"]"}')).toBe(
    [
      "{",
      '    "a": [',
      "        1,",
      "        {",
      '            "b": 9007199254740993',
      "        }",
      "    ],",
      '    "c": {},',
      '    "d": [],',
      '    "e": "x,[\\"]"',
      "}",
    ].join("\n"),
  );
  expect(pretty("12")).toBe("12");
});

test("pretty text agrees with JSON.stringify for any value", () => {
  const value = { a: [[], {}, [1, [2, "é\u2028]"]]], "b,{": { c: null, d: [true, -1.5, ""] } };
  expect(pretty(JSON.stringify(value))).toBe(JSON.stringify(value, null, 4));
});

test("sorted JSON has sorted keys, whatever they look like, and the reference's escapes", () => {
  const value = { b: 1, a: [{ 2: "x", 10: "<&>\u2028" }], c: undefined, d: 2n ** 60n };
  expect(sortedJson(value)).toBe(
    '{"a":[{"10":"\\u003c\\u0026\\u003e\\u2028","2":"x"}],"b":1,"d":1152921504606846976}',
  );
});
