/**
 * Plants a mistake: copies sources into the git-ignored `work/`, patches the copy, loads it.
 *
 * Nothing in the real sources knows about mistakes, and a patch that no longer fits fails its test.
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

/** The repository. */
export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));

/** One exact replacement in one file of a module. */
export interface Patch {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** A replacement in a module, or in one below it. */
export interface StackPatch extends Patch {
  /** Default: the module itself. */
  readonly module?: string;
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
  return inCopy(folder.replaceAll("/", "-"), async (dir) => {
    cpSync(join(ROOT, folder), dir, { recursive: true });
    for (const patch of patches) apply(dir, folder, patch);
    return load<Module>(dir);
  });
}

/**
 * As {@link plantMistake}, where modules below may be patched as well: they are copied beside it,
 * and the copies import each other.
 *
 * @param between - modules without a patch that import one with a patch.
 */
export async function plantStack<Module>(
  top: string,
  patches: readonly StackPatch[],
  between: readonly string[] = [],
): Promise<Module> {
  return inCopy(`stack-${top}`, async (dir) => {
    const names = [...new Set([top, ...between, ...patches.map(({ module = top }) => module)])];
    for (const name of names) {
      cpSync(join(ROOT, "src", name), join(dir, name), { recursive: true });
    }
    for (const name of names) redirect(join(dir, name), names);
    for (const { module = top, ...patch } of patches) {
      apply(join(dir, module), `src/${module}`, patch);
    }
    return load<Module>(join(dir, top));
  });
}

/** Runs with a fresh folder in `work/`, which is gone afterwards. */
export async function inCopy<T>(name: string, run: (dir: string) => Promise<T>): Promise<T> {
  mkdirSync(join(ROOT, "work"), { recursive: true });
  const dir = mkdtempSync(join(ROOT, "work", `.mistake-${name}-`));
  try {
    return await run(dir);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Loads the module whose door is in a folder. */
export async function load<Module>(dir: string): Promise<Module> {
  return (await import(/* @vite-ignore */ join(dir, "index.ts"))) as Module;
}

function apply(dir: string, source: string, patch: Patch): void {
  const path = join(dir, patch.file);
  writeFileSync(path, patched(readFileSync(path, "utf8"), `${source}/${patch.file}`, patch));
}

/** A text with a replacement made. @throws an error if it does not fit exactly once. */
export function patched(text: string, source: string, { from, to }: Patch): string {
  const parts = text.split(from);
  if (parts.length !== 2) {
    throw new Error(`${source}: found ${parts.length - 1} times, not once: ${from}`);
  }
  return parts.join(to);
}

/** Lets a module's copy import the copies of the others, from its folder and those below. */
function redirect(dir: string, names: readonly string[], up = ".."): void {
  for (const file of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, file.name);
    if (file.isDirectory()) redirect(path, names, `../${up}`);
    if (!file.name.endsWith(".ts")) continue;
    let text = readFileSync(path, "utf8");
    for (const name of names) {
      text = text.replaceAll(`from "#${name}";`, `from "${up}/${name}/index.ts";`);
    }
    writeFileSync(path, text);
  }
}
