/**
 * Plants a mistake: copies the log's source into the git-ignored `work/`, patches the copy, loads
 * it.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { WalModule } from "#wal/types";
import type { Patch } from "./bank.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * Loads the log with the patches applied. @throws an error if a patch does not fit exactly once.
 */
export async function plant(
  patches: readonly Patch[],
): Promise<{ readonly openWal: WalModule["openWal"]; readonly remove: () => void }> {
  mkdirSync(join(ROOT, "work"), { recursive: true });
  const dir = mkdtempSync(join(ROOT, "work", ".mistake-"));
  const remove = () => rmSync(dir, { recursive: true, force: true });
  try {
    cpSync(join(ROOT, "src/wal"), dir, { recursive: true });
    for (const { file, from, to } of patches) {
      const source = readFileSync(join(dir, file), "utf8");
      const count = source.split(from).length - 1;
      if (count !== 1) throw new Error(`src/wal/${file}: found ${count} times, not once: ${from}`);
      writeFileSync(
        join(dir, file),
        source.replace(from, () => to),
      );
    }
    const loaded: WalModule = await import(/* @vite-ignore */ join(dir, "index.ts"));
    return { openWal: loaded.openWal, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
