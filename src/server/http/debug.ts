/**
 * `/debug/vars` and `/licenses` (compat reference, 1.16, 13.3).
 *
 * Invariant: every map of the reference is there, also when what it counts does not exist here.
 */
import { API_VERSION, CAIRN_VERSION } from "../version.ts";
import { type Answer, type Call, jsonAnswer, TEXT_TYPE } from "./answer.ts";
import { sortedJson } from "./json-text.ts";
import { memberOf } from "./state.ts";

/** The counters, the command line and the memory; or the part that `key` names. */
export function handleVariables(call: Call): Answer {
  const tree = { ...call.service.counters.all(), cmdline: process.argv, memstats: memory() };
  const key = call.parameters.text("key");
  const part = key === undefined || key === "" ? tree : memberOf(tree, key.split("."));
  return jsonAnswer(call, Buffer.from(sortedJson(part ?? {})));
}

/** Under the names that tools for the reference look for, as far as they mean anything here. */
function memory(): Record<string, number> {
  const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return {
    Alloc: heapUsed,
    HeapAlloc: heapUsed,
    HeapInuse: heapUsed,
    HeapSys: heapTotal,
    Sys: rss,
    external,
    arrayBuffers,
  };
}

/** What runs in this process and is not ours: a test compares it with `package.json`. */
export const THIRD_PARTIES: readonly (readonly [name: string, license: string])[] = [
  ["abstract-level", "MIT"],
  ["better-sqlite3", "MIT"],
  ["commander", "MIT"],
  ["fastify", "MIT"],
  ["pino", "MIT"],
];

/** The list as text. */
export function handleLicenses(): Answer {
  const lines = THIRD_PARTIES.map(([name, license]) => `${name}: ${license}`);
  const body = [
    `Cairn ${CAIRN_VERSION}: MIT, the workbook CC-BY-4.0`,
    `It speaks the HTTP API of rqlite ${API_VERSION} and contains none of its code.`,
    "",
    "It uses these packages, and what they need in turn; the texts of their licences come with",
    "them in node_modules:",
    "",
    ...lines,
    "SQLite (within better-sqlite3): public domain",
    "",
  ].join("\n");
  return { status: 200, headers: { "content-type": TEXT_TYPE }, body };
}
