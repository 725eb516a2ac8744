/** Bodies: what is taken and what is refused (compat reference, 1.3). */
import { type CompatCase, refusal } from "../case.ts";

const REFUSED: readonly (readonly [body: string, text: string])[] = [
  ["", "invalid JSON body"],
  ["   ", "invalid JSON body"],
  ["SELECT 1", "invalid JSON body"],
  ['["SELECT 1"', "invalid JSON body"],
  ['["SELECT 1",]', "invalid JSON body"],
  ["['SELECT 1']", "invalid JSON body"],
  ["[01]", "invalid JSON body"],
  ['["\\x"]', "invalid JSON body"],
  ["null", "invalid request"],
  ["{}", "invalid request"],
  ['"SELECT 1"', "invalid request"],
  ["5", "invalid request"],
  ["true", "invalid request"],
  ["[5]", "invalid request"],
  ["[null]", "invalid request"],
  ["[{}]", "invalid request"],
  ["[[]]", "invalid request"],
  ["[[5]]", "invalid request"],
  ['[[null, "SELECT 1"]]', "invalid request"],
  ['[["SELECT ?", [256]]]', "unsupported type 256"],
  ['[["SELECT ?", [1.5]]]', "unsupported type 1.5"],
  ['[["SELECT ?", [-1]]]', "unsupported type -1"],
  ['[["SELECT ?", ["a"]]]', "unsupported type string"],
  ['[["SELECT ?", [true]]]', "unsupported type bool"],
  ['[["SELECT ?", [null]]]', "unsupported type <nil>"],
  ['[["SELECT ?", [[1]]]]', "unsupported type []interface {}"],
  ['[["SELECT ?", [{}]]]', "unsupported type map[string]interface {}"],
  ['[["SELECT :a", {"a": {}}]]', "unsupported type map[string]interface {}"],
  ['[["SELECT ?", 1e999]]', "invalid number 1e999"],
  ["[]", "no statements"],
  ["[] trailing", "no statements"],
];

const rows = (values: string, name = "1"): string =>
  `{"results":[{"columns":["${name}"],"types":["integer"],"values":${values}}]}`;

/** Bodies that are taken by query and request alike. */
const TAKEN: readonly (readonly [name: string, body: string, answer: string])[] = [
  ["a text alone", '["SELECT 1"]', rows("[[1]]")],
  ["an array without parameters", '[["SELECT 1"]]', rows("[[1]]")],
  ["a parameter", '[["SELECT ?", 7]]', rows("[[7]]", "?")],
  ["a named parameter", '[["SELECT :a", {"a": 7}]]', rows("[[7]]", ":a")],
  ["positional and named mixed", '[["SELECT ? + :a", 7, {"a": 3}]]', rows("[[10]]", "? + :a")],
  [
    "texts and arrays mixed",
    '["SELECT 1", ["SELECT ?", 7]]',
    `{"results":[{"columns":["1"],"types":["integer"],"values":[[1]]},` +
      `{"columns":["?"],"types":["integer"],"values":[[7]]}]}`,
  ],
  ["bytes behind the end", '["SELECT 1"] and more ]]', rows("[[1]]")],
  ["blanks and line ends", ' \t\r\n[ "SELECT 1" \n] ', rows("[[1]]")],
  ["escapes in a text", '["SELECT \\u0031"]', rows("[[1]]")],
  ["an empty text has no entry", '["", "SELECT 1", ""]', rows("[[1]]")],
  ["only empty texts", '[""]', '{"results":[]}'],
];

export const BODIES: readonly CompatCase[] = [
  ...["execute", "query", "request"].flatMap((endpoint) =>
    REFUSED.map(([body, text]) =>
      refusal(
        "1.3",
        `${endpoint} refuses the body ${JSON.stringify(body)}`,
        `POST /db/${endpoint}`,
        [400, text],
        { body, type: "application/json" },
      ),
    ),
  ),
  ...["query", "request"].flatMap((endpoint) =>
    TAKEN.map(([name, body, answer]) => ({
      section: "1.3",
      name: `${endpoint} takes ${name}`,
      request: `POST /db/${endpoint}`,
      body,
      answer,
    })),
  ),
  ...["", "text/html", ";;//", "application/x-www-form-urlencoded"].map((type) => ({
    section: "1.1",
    name: `the type ${JSON.stringify(type)} changes nothing`,
    request: "POST /db/query",
    body: '["SELECT 1"]',
    type,
    answer: rows("[[1]]"),
  })),
  {
    section: "1.3",
    name: "text/plain is one statement for query",
    request: "POST /db/query",
    body: "SELECT 1",
    type: "text/plain; charset=utf-8",
    answer: rows("[[1]]"),
  },
  {
    section: "1.3",
    name: "text/plain is one statement for execute",
    request: "POST /db/execute",
    body: "CREATE TABLE t (n)",
    type: "text/plain",
    answer: '{"results":[{}]}',
  },
  refusal(
    "1.3",
    "text/plain is no JSON for request",
    "POST /db/request",
    [400, "invalid JSON body"],
    { body: "SELECT 1", type: "text/plain" },
  ),
  {
    section: "1.5",
    name: "a query without q has no results",
    request: "GET /db/query",
    answer: '{"results":[]}',
  },
  refusal("1.5", "an analysis without q is refused", "GET /db/sql", [400, "query not specified"]),
  {
    section: "1.5",
    name: "an analysis of a text that needs no rewriting",
    request: "POST /db/sql",
    body: ["SELECT 1", "SELECT FROM"],
    answer:
      '{"results":[{"original":"SELECT 1","rewritten":"SELECT 1"},' +
      '{"original":"SELECT FROM","error":"near \\"FROM\\": syntax error"}]}',
  },
  {
    section: "1.5",
    name: "an analysis does not look at the database",
    request: "GET /db/sql?q=SELECT%20*%20FROM%20nowhere",
    answer:
      '{"results":[{"original":"SELECT * FROM nowhere","rewritten":"SELECT * FROM nowhere"}]}',
  },
];
