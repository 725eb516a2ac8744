/**
 * Which version of a package is installed. Read from its own file, since not every package exports
 * that.
 */
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");

/** The version of an installed package; of this one without a name. */
export function versionOf(name?: string): string {
  const dir = name === undefined ? ROOT : join(ROOT, "node_modules", name);
  const found: unknown = JSON.parse(readFileSync(join(dir, "package.json"), "utf8"));
  return String((found as { readonly version?: unknown }).version);
}
