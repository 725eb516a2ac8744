/**
 * Finds the labs. The command line, the runner's child and the house tests share it.
 *
 * A lab is named by its place, `wal/group-commit`; readers call it by its chapter,
 * `01.group-commit`.
 */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Lab } from "./lab-types.ts";

const BENCH_DIR = dirname(dirname(fileURLToPath(import.meta.url)));
const CHAPTERS_DIR = join(BENCH_DIR, "../chapters");
const SUFFIX = ".lab.ts";

/** Names such as `wal/group-commit` of all labs, in the order of the chapters. */
export function labFiles(): string[] {
  const numbers = chapterNumbers();
  return readdirSync(BENCH_DIR, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) =>
      readdirSync(join(BENCH_DIR, name))
        .filter((file) => file.endsWith(SUFFIX))
        .map((file) => `${name}/${file.slice(0, -SUFFIX.length)}`),
    )
    .sort((a, b) => order(a, numbers).localeCompare(order(b, numbers), "en"));
}

/** The lab of a name. @throws Error if the file exports none. */
export async function loadLab(name: string): Promise<Lab> {
  const loaded = (await import(pathToFileURL(join(BENCH_DIR, name + SUFFIX)).href)) as {
    readonly lab?: Lab;
  };
  if (loaded.lab === undefined) throw new Error(`bench/${name}${SUFFIX} exports no lab`);
  return loaded.lab;
}

/**
 * The labs that a reader means: `01.group-commit` one, `wal` or `01` all of that chapter,
 * `group-commit` the one with that name. Empty if there is none.
 */
export function labsOf(target: string): string[] {
  const numbers = chapterNumbers();
  return labFiles().filter((name) => {
    const [module = "", slug = ""] = name.split("/");
    const number = numbers.get(module) ?? "";
    return [`${number}.${slug}`, name, module, number, slug].includes(target);
  });
}

/** `01.group-commit` for `wal/group-commit`. */
export function labId(name: string): string {
  const [module = "", slug = ""] = name.split("/");
  return `${chapterNumbers().get(module) ?? module}.${slug}`;
}

function order(name: string, numbers: ReadonlyMap<string, string>): string {
  return `${numbers.get(name.split("/")[0] ?? "") ?? "99"} ${name}`;
}

/** The number of each module's chapter, such as `01` for `wal`. */
function chapterNumbers(): Map<string, string> {
  if (!existsSync(CHAPTERS_DIR)) return new Map();
  const folders = readdirSync(CHAPTERS_DIR).filter((name) => /^\d\d-[a-z]+$/.test(name));
  return new Map(folders.map((name) => [name.slice(3), name.slice(0, 2)]));
}
