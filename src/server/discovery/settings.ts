/**
 * `-disco-config`: JSON, or the path of a file with it; `$VAR` and `${VAR}` come from the
 * environment (compat reference, 6.3).
 *
 * Invariant: a value of the wrong type is refused by name; fields that are not known are ignored,
 * as the reference does, because its libraries have many.
 */
import { CairnError, errorText } from "#base";
import type { Environment } from "../settings.ts";
import { readTextFile } from "../text-file.ts";

type Json = Readonly<Record<string, unknown>>;

/** Fields of the JSON, read one by one. */
export interface Fields {
  text(name: string, usual?: string): string;
  number(name: string, usual: number): number;
  flag(name: string): boolean;
  texts(name: string, usual: readonly string[]): readonly string[];
  /** An object in the object; empty if there is none. */
  within(name: string): Fields;
}

/** The object that `-disco-config` stands for. @throws `SERVER_CONFIG_INVALID` */
export function readDiscoverySettings(given: string, environment: Environment): Json {
  const text = given.trimStart();
  if (text === "") return {};
  const json = text.startsWith("{") ? text : readTextFile(given);
  let value: unknown;
  try {
    value = JSON.parse(expanded(json, environment));
  } catch (error) {
    return refuse(`-disco-config is not JSON: ${errorText(error)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return refuse("-disco-config must be a JSON object");
  }
  return value as Json;
}

/** What is not set is empty, as in a shell. The value must not break the JSON around it. */
function expanded(text: string, environment: Environment): string {
  return text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced?: string, bare?: string) => {
    const value = environment[braced ?? bare ?? ""] ?? "";
    return JSON.stringify(value).slice(1, -1);
  });
}

/** Reads an object field by field. Every method throws `SERVER_CONFIG_INVALID`. */
export function fieldsOf(values: Json, place = "-disco-config"): Fields {
  const wrong = (name: string, kind: string): never =>
    refuse(`${place}: ${name} must be ${kind}, not ${JSON.stringify(values[name])}`);
  return {
    text(name, usual = "") {
      const value = values[name] ?? usual;
      return typeof value === "string" ? value : wrong(name, "a text");
    },
    number(name, usual) {
      const value = values[name] ?? usual;
      return typeof value === "number" ? value : wrong(name, "a number");
    },
    flag(name) {
      const value = values[name] ?? false;
      return typeof value === "boolean" ? value : wrong(name, "true or false");
    },
    texts(name, usual) {
      const value = values[name] ?? usual;
      const isTexts = Array.isArray(value) && value.every((one) => typeof one === "string");
      return isTexts ? value : wrong(name, "an array of texts");
    },
    within(name) {
      const value = values[name] ?? {};
      if (typeof value !== "object" || value === null) return wrong(name, "an object");
      return fieldsOf(value as Json, `${place}: ${name}`);
    },
  };
}

function refuse(message: string): never {
  throw new CairnError("SERVER_CONFIG_INVALID", message);
}
