/**
 * A reader's copy of the repository in a temporary folder, in which the runner really runs.
 *
 * `#wal` is resolved from the package that a file lies in, so that a reader needs a whole tree;
 * only the packages are shared, by a link. Invariant: nothing of the repository itself is changed,
 * and what is printed is compared without durations and places of one machine.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const COPIED = [
  "package.json",
  "tsconfig.json",
  "tsconfig.build.json",
  "src",
  "test",
  "chapters",
  "bench",
  "dist",
];
const RUN_MS_MAX = 60_000;

/** What a command printed. */
export interface Ran {
  readonly code: number;
  /** Standard output, durations and places replaced. */
  readonly out: string;
  /** Standard error, likewise. */
  readonly err: string;
}

/** A copy. */
export interface ReaderCopy {
  readonly root: string;
  /** Runs `npx cairn …`, as somebody without a terminal. */
  cairn(args: readonly string[], environment?: Readonly<Record<string, string>>): Ran;
  /** Runs `node …` in the copy. */
  node(args: readonly string[]): Ran;
  read(path: string): string;
  write(path: string, text: string): void;
  /** Copies a file or folder within the copy. */
  copy(from: string, to: string): void;
  remove(): void;
}

/** Makes a copy. `dist` must have been built. */
export function copyForReader(): ReaderCopy {
  const root = mkdtempSync(join(tmpdir(), "cairn-reader-"));
  for (const name of COPIED) {
    cpSync(join(ROOT, name), join(root, name), {
      recursive: true,
      filter: (path) => !path.includes("node_modules"),
    });
  }
  symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"), "junction");
  const node = (
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Ran => {
    const { NO_COLOR: _, CAIRN_PLAIN: __, ...inherited } = process.env;
    const ran = spawnSync(process.execPath, args, {
      cwd: root,
      encoding: "utf8",
      env: { ...inherited, ...environment },
      timeout: RUN_MS_MAX,
    });
    const { stdout, stderr, status } = ran;
    return { code: status ?? -1, out: steady(stdout, root), err: steady(stderr, root) };
  };
  return {
    root,
    cairn: (args, environment) => node(["dist/cli/cairn.js", ...args], environment),
    node: (args) => node(args),
    read: (path) => readFileSync(join(root, path), "utf8"),
    write: (path, text) => writeFileSync(join(root, path), text),
    copy: (from, to) => cpSync(join(root, from), join(root, to), { recursive: true }),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** A text without what differs between two runs. */
export function steady(text: string, root: string): string {
  return text
    .replaceAll(root, "ROOT")
    .replace(/\b\d+(\.\d+)? ms\b/g, "N ms")
    .replace(/Node \d+\.\d+\.\d+/g, "Node N.N.N")
    .replace(/\d+ MiB of disk/g, "N MiB of disk")
    .replace(/git version \S+.*/g, "git version N")
    .replace(/SQLite \d+\.\d+\.\d+/g, "SQLite N.N.N");
}
