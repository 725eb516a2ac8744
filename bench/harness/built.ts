/**
 * Whether what was built is what the sources say. A long run must measure what a user installs, and
 * must not measure last week's.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");
/** What the engine is made of. */
const MODULES = ["base", "platform", "bytes", "wal", "memtable", "sstable", "lsm"];

/** Tells whether no source of the engine is newer than its built file. */
export function builtIsCurrent(): boolean {
  return MODULES.every((module) => {
    const names = readdirSync(join(ROOT, "src", module), { recursive: true, encoding: "utf8" });
    return names
      .filter((name) => name.endsWith(".ts"))
      .every((name) => {
        const output = join(ROOT, "dist", module, name.replace(/\.ts$/, ".js"));
        const source = join(ROOT, "src", module, name);
        return existsSync(output) && statSync(output).mtimeMs >= statSync(source).mtimeMs;
      });
  });
}
