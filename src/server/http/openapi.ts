/**
 * `/openapi.json`: the API as OpenAPI 3.1 describes it, made from the tables of routes and
 * parameters.
 *
 * Invariant: an endpoint or a parameter is in it exactly when it is in the tables.
 */
import { CAIRN_VERSION } from "../version.ts";
import { type Answer, type Call, jsonAnswer } from "./answer.ts";
import { PARAMETERS, type ParameterName, type ParameterRow } from "./parameter-table.ts";
import type { BodyKind, Operation, Route } from "./routes.ts";

const JSON_MEDIA = "application/json";

/** A schema that a body follows. */
type Schema = Readonly<Record<string, unknown>>;

const STATEMENTS: Schema = {
  type: "array",
  description: "Statements: SQL alone, or an array of SQL and its parameters",
  items: {
    oneOf: [
      { type: "string" },
      {
        type: "array",
        prefixItems: [{ type: "string" }],
        minItems: 1,
        description: "Positional parameters; an object holds named ones",
      },
    ],
  },
};

const TRANSACTION: Schema = {
  type: "object",
  properties: Object.fromEntries(
    ["conditions", "success", "failure"].map((name) => [
      name,
      { type: "array", items: { type: "object" } },
    ]),
  ),
};

const BODIES: Readonly<Record<BodyKind, Readonly<Record<string, { schema: Schema }>>>> = {
  none: {},
  statements: {
    [JSON_MEDIA]: { schema: STATEMENTS },
    "text/plain": { schema: { type: "string", description: "One statement without parameters" } },
  },
  file: { "application/octet-stream": { schema: { type: "string", format: "binary" } } },
  node: {
    [JSON_MEDIA]: { schema: { type: "object", properties: { id: { type: "string" } } } },
  },
  transaction: { [JSON_MEDIA]: { schema: TRANSACTION } },
};

const REFUSALS = {
  "400": { description: "The request cannot be understood; the body says why" },
  "401": { description: "Not allowed" },
  "503": { description: "No leader is known, or this node cannot do it now" },
};

/** The description as an answer. */
export function describeRoutes(call: Call, routes: readonly Route[]): Answer {
  return jsonAnswer(call, Buffer.from(JSON.stringify(describe(routes))));
}

/** The description. */
export function describe(routes: readonly Route[]): Schema {
  return {
    openapi: "3.1.0",
    info: {
      title: "Cairn",
      version: CAIRN_VERSION,
      description: "A replicated SQLite that speaks the HTTP API of rqlite.",
    },
    paths: Object.fromEntries(routes.map((route) => [pathOf(route), operationsOf(route)])),
    components: {
      parameters: Object.fromEntries(
        Object.entries(PARAMETERS).map(([name, row]) => [name, describeParameter(name, row)]),
      ),
      securitySchemes: { basic: { type: "http", scheme: "basic" } },
    },
  };
}

/** A page behind which more lie ends in a slash. */
function pathOf({ path }: Route): string {
  return path === "/console" || path === "/debug/pprof" ? `${path}/` : path;
}

function operationsOf(route: Route): Schema {
  return Object.fromEntries(
    Object.entries(route.operations).map(([method, operation]) => [
      method.toLowerCase(),
      describeOperation(route, operation),
    ]),
  );
}

function describeOperation({ path, permissions }: Route, operation: Operation): Schema {
  const { summary, parameters, body = "none", answers = [JSON_MEDIA] } = operation;
  const needed = operation.permissions ?? permissions;
  const content = Object.fromEntries(answers.map((type) => [type, {}]));
  return {
    summary,
    tags: [path.split("/")[1] ?? ""],
    parameters: parameters.map((name) => ({ $ref: `#/components/parameters/${name}` })),
    ...(body === "none" ? {} : { requestBody: { content: BODIES[body] } }),
    responses: { "200": { description: "Done", content }, ...REFUSALS },
    ...(needed.length === 0 ? {} : { security: [{ basic: [] }] }),
    "x-permissions": needed,
  };
}

function describeParameter(name: ParameterName | string, row: ParameterRow): Schema {
  const { kind, meaning, usual, choices } = row;
  return {
    name,
    in: "query",
    description: meaning,
    allowEmptyValue: kind === "flag",
    schema: {
      type: kind === "integer" ? "integer" : "string",
      ...(kind === "duration" ? { pattern: DURATION } : {}),
      ...(choices === undefined ? {} : { enum: choices }),
      ...(usual === undefined ? {} : { default: kind === "integer" ? Number(usual) : usual }),
    },
  };
}

/** Durations as Go writes them. */
const DURATION = "^[-+]?(0|([0-9]*\\.?[0-9]+(ns|us|µs|ms|s|m|h))+)$";
