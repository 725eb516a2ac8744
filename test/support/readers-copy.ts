/**
 * A copy of the repository as a reader has it: built, with a `work` folder, in a temporary
 * directory.
 *
 * Invariant: the real `work` folder is neither read nor written. What a command needs besides what
 * every one needs is asked for.
 */
import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryDir } from "./processes.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** What every command needs. */
const PATHS = ["package.json", "dist", "chapters", "test/support/step-main.ts"];

/**
 * Makes the copy, with a `work/wal`.
 *
 * @param of - `modules`: what `cairn use` has said; `wal`: whose log is in `work/wal`; `more`:
 * folders that are copied as well.
 * @returns its directory.
 */
export function readersCopy(of: {
  readonly modules: Readonly<Record<string, string>>;
  readonly wal?: "solution" | "starter";
  readonly more?: readonly string[];
}): string {
  const copy = temporaryDir();
  for (const path of [...PATHS, ...(of.more ?? [])]) {
    if (!existsSync(join(ROOT, path))) throw new Error(`${path} is missing: npm run build`);
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    const filter = (from: string): boolean => !from.includes(".vitepress");
    cpSync(join(ROOT, path), join(copy, path), { recursive: true, filter });
  }
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  const code = join(ROOT, "chapters/01-wal", of.wal ?? "solution");
  cpSync(code, join(copy, "work/wal"), { recursive: true });
  mkdirSync(join(copy, "work/.cairn"));
  const progress = { version: 1, steps: {}, modules: of.modules, quiz: {} };
  writeFileSync(join(copy, "work/.cairn/progress.json"), JSON.stringify(progress));
  return copy;
}
