/**
 * Plants a mistake: copies a module's source into the git-ignored `work/`, patches the copy, loads
 * it.
 *
 * Nothing in the real sources knows about mistakes, and a patch that no longer fits fails its test.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** One exact replacement in one file of a module. */
export interface Patch {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/**
 * Loads `src/<module>` with the patches applied.
 *
 * @throws an error if a patch does not fit exactly once.
 */
export async function plantMistake<Module>(
  module: string,
  patches: readonly Patch[],
): Promise<Module> {
  return plantIn(`src/${module}`, patches);
}

/**
 * As {@link plantMistake}, for any folder of the repository with an `index.ts`, such as
 * `chapters/01-wal/solution`.
 */
export async function plantIn<Module>(folder: string, patches: readonly Patch[]): Promise<Module> {
  mkdirSync(join(ROOT, "work"), { recursive: true });
  const dir = mkdtempSync(join(ROOT, "work", `.mistake-${folder.replaceAll("/", "-")}-`));
  try {
    cpSync(join(ROOT, folder), dir, { recursive: true });
    for (const { file, from, to } of patches) {
      const parts = readFileSync(join(dir, file), "utf8").split(from);
      if (parts.length !== 2) {
        throw new Error(`${folder}/${file}: found ${parts.length - 1} times, not once: ${from}`);
      }
      writeFileSync(join(dir, file), parts.join(to));
    }
    return (await import(/* @vite-ignore */ join(dir, "index.ts"))) as Module;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
