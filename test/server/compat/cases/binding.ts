/** From JSON to SQLite (compat reference, 2.3). */
import { type CompatCase, target } from "../case.ts";

/** A parameter as JSON, and what SQLite has then: its type and its value as text. */
const BOUND: readonly (readonly [json: string, type: string, value: string])[] = [
  ["1", "integer", '"1"'],
  ["-7", "integer", '"-7"'],
  ["0", "integer", '"0"'],
  ["-0", "integer", '"0"'],
  ["9223372036854775807", "integer", '"9223372036854775807"'],
  ["9223372036854775808", "real", '"9.2233720368547758e+18"'],
  ["1.0", "real", '"1.0"'],
  ["1e3", "real", '"1000.0"'],
  ["true", "integer", '"1"'],
  ["false", "integer", '"0"'],
  ["null", "null", "null"],
  ['"text"', "text", '"text"'],
  ['"1"', "text", '"1"'],
  ["\"x'616263'\"", "blob", '"abc"'],
  ["\" X'616263' \"", "blob", '"abc"'],
  ["\"x'zz'\"", "text", "\"x'zz'\""],
  ["\"x'616'\"", "text", "\"x'616'\""],
  ["\"x''\"", "blob", '""'],
  ["[97, 98, 99]", "blob", '"abc"'],
  ["[]", "blob", '""'],
];

const PARAMETERS: readonly (readonly [name: string, statement: string, answer: string])[] = [
  ["more values than parameters", '["SELECT ?", 1, 2, 3]', "[[1]]"],
  ["a misspelt name leaves NULL", '["SELECT :a", {"b": 5}]', "[[null]]"],
  ["a name binds to :", '["SELECT :a", {"a": 5}]', "[[5]]"],
  ["a name binds to @", '["SELECT @a", {"a": 5}]', "[[5]]"],
  ["a name binds to $", '["SELECT $a", {"a": 5}]', "[[5]]"],
  ["one name, given twice: the last value", '["SELECT :a", {"a": 1, "a": 2}]', "[[2]]"],
  ["numbered parameters", '["SELECT ?2, ?1", "a", "b"]', '[["b","a"]]'],
  ["two objects", '["SELECT :a + :b", {"a": 1}, {"b": 2}]', "[[3]]"],
  ["names of other scripts", '["SELECT :größe", {"größe": 5}]', "[[5]]"],
  ["across statements of one text", '["SELECT ?; SELECT ?, ?", 1, 2, 3]', "[[2,3]]"],
];

export const BINDING: readonly CompatCase[] = [
  ...BOUND.map(([json, type, value]) => ({
    section: "2.3",
    name: `${json} is ${type}`,
    request: "POST /db/query",
    body: `[["SELECT typeof(:p) AS t, CAST(:p AS TEXT) AS v", {"p": ${json}}]]`,
    answer: new RegExp(`"values":\\[\\["${type}",${escaped(value)}\\]\\]`),
  })),
  ...PARAMETERS.map(([name, statement, values]) => ({
    section: "2.3",
    name,
    request: "POST /db/query",
    body: `[${statement}]`,
    answer: new RegExp(`"values":${escaped(values)}`),
  })),
  {
    section: "2.3",
    name: "texts in double quotes are texts where no such column is",
    request: `GET ${target("/db/query", { q: 'SELECT "fiona" AS n' })}`,
    answer: '{"results":[{"columns":["n"],"types":["text"],"values":[["fiona"]]}]}',
  },
];

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
