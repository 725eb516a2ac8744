/**
 * Plants a mistake in the transactions or in the engine below them: copies both, side by side, and
 * lets the one copy import the other.
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
import type { MvccModule } from "#mvcc/types";
import type { Patch } from "../../support/plant.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** A replacement in one file of one of the two modules. */
export interface MvccPatch extends Patch {
  /** Default `mvcc`. */
  readonly module?: "mvcc" | "lsm";
}

/** Loads the module with the patches applied. @throws an error if one does not fit exactly once. */
export async function plantMvcc(patches: readonly MvccPatch[]): Promise<MvccModule> {
  mkdirSync(join(ROOT, "work"), { recursive: true });
  const dir = mkdtempSync(join(ROOT, "work", ".mistake-mvcc-"));
  try {
    const modules = new Set(["mvcc", ...patches.map(({ module = "mvcc" }) => module)]);
    for (const name of modules)
      cpSync(join(ROOT, "src", name), join(dir, name), { recursive: true });
    if (modules.has("lsm")) redirect(join(dir, "mvcc"));
    for (const { module = "mvcc", file, from, to } of patches) {
      const path = join(dir, module, file);
      const parts = readFileSync(path, "utf8").split(from);
      if (parts.length !== 2) {
        throw new Error(
          `src/${module}/${file}: found ${parts.length - 1} times, not once: ${from}`,
        );
      }
      writeFileSync(path, parts.join(to));
    }
    return (await import(/* @vite-ignore */ join(dir, "mvcc", "index.ts"))) as MvccModule;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function redirect(dir: string): void {
  for (const file of readdirSync(dir)) {
    const path = join(dir, file);
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replaceAll('from "#lsm";', 'from "../lsm/index.ts";'));
  }
}
