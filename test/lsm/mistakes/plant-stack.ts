/**
 * Plants a mistake in the engine or in a module below it: copies those that are patched, and the
 * engine, side by side, and lets the engine's copy import the others'.
 *
 * As `plantMistake`, which knows one module: nothing in the real sources knows about mistakes, and
 * a patch that no longer fits fails its test.
 */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LsmModule } from "#lsm/types";
import type { Patch } from "../../support/plant.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Modules that can be patched. */
export type StackModule = "lsm" | "sstable" | "memtable";

/** A replacement in one file of one of them. */
export interface StackPatch extends Patch {
  /** Default `lsm`. */
  readonly module?: StackModule;
}

/**
 * Loads the engine with the patches applied.
 *
 * @throws an error if a patch does not fit exactly once.
 */
export async function plantStack(patches: readonly StackPatch[]): Promise<LsmModule> {
  mkdirSync(join(ROOT, "work"), { recursive: true });
  const dir = mkdtempSync(join(ROOT, "work", ".mistake-stack-"));
  try {
    const below = new Set(patches.map(({ module }) => module ?? "lsm"));
    below.delete("lsm");
    for (const name of ["lsm", ...below]) {
      cpSync(join(ROOT, "src", name), join(dir, name), { recursive: true });
    }
    for (const name of below) redirect(join(dir, "lsm"), name);
    for (const { module = "lsm", file, from, to } of patches) {
      const path = join(dir, module, file);
      const parts = readFileSync(path, "utf8").split(from);
      if (parts.length !== 2) {
        throw new Error(
          `src/${module}/${file}: found ${parts.length - 1} times, not once: ${from}`,
        );
      }
      writeFileSync(path, parts.join(to));
    }
    return (await import(/* @vite-ignore */ join(dir, "lsm", "index.ts"))) as LsmModule;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Lets a module's copy import another one's copy. */
function redirect(dir: string, name: string): void {
  for (const file of readdirSync(dir)) {
    if (!file.endsWith(".ts")) continue;
    const path = join(dir, file);
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replaceAll(`from "#${name}";`, `from "../${name}/index.ts";`));
  }
}
