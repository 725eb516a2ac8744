/**
 * The directories of the simulated disk: the names that readers see, the durable ones, and the
 * operations between them.
 *
 * Every create, rename and unlink is one operation with one or two entries to set. `syncDir` makes
 * the entries of one directory durable; a crash keeps or loses each operation that is left, whole:
 * a rename never loses both names, as a journal guarantees. Operations of different calls are
 * independent, which is harsher than a journal, and all that POSIX promises.
 *
 * Names belong to files, not to content: what was synced stays with the file under any name.
 * Invariant: durable names plus all pending operations, in order, give the names readers see.
 * Chapter: 00-bytes, rules D1 and D2.
 */
import { CairnError } from "#base";
import type { KeepChance, SimulatedFile } from "./simulated-file.ts";
import type { Random } from "./types.ts";

interface Directory {
  readonly files: Map<string, SimulatedFile>;
  readonly durable: Map<string, SimulatedFile>;
  readonly children: Set<string>;
}

/** A name as a directory and the last part. */
interface Place {
  readonly dir: string;
  readonly name: string;
}

/** Sets a name, or removes it. */
interface Entry extends Place {
  readonly file: SimulatedFile | null;
}

class Names {
  readonly #directories = new Map<string, Directory>([["", newDirectory()]]);
  #pending: (readonly Entry[])[] = [];

  file(path: string): SimulatedFile | undefined {
    const { dir, name } = split(path);
    return this.#directories.get(dir)?.files.get(name);
  }

  /** The file if its name is durable. */
  durableFile(path: string): SimulatedFile | undefined {
    const { dir, name } = split(path);
    return this.#directories.get(dir)?.durable.get(name);
  }

  isDirectory(path: string): boolean {
    return this.#directories.has(normalize(path));
  }

  /** @throws `DISK_NOT_FOUND` unless the directory that would hold the name is there. */
  assertParent(path: string, shownPath: string = path): void {
    this.#directory(split(path).dir, shownPath);
  }

  list(dir: string): string[] {
    const { files, children } = this.#directory(normalize(dir), dir);
    return [...files.keys(), ...children].sort();
  }

  makeDir(path: string): void {
    let dir = "";
    for (const name of normalize(path).split("/")) {
      if (name === "") continue;
      const parent = this.#directory(dir, path);
      if (parent.files.has(name)) {
        throw new CairnError("DISK_EXISTS", `platform: ${path}: ${name} is a file`, {
          details: { path },
        });
      }
      parent.children.add(name);
      dir = dir === "" ? name : `${dir}/${name}`;
      if (!this.#directories.has(dir)) this.#directories.set(dir, newDirectory());
    }
  }

  removeDir(path: string): void {
    const dir = normalize(path);
    const { files, children } = this.#directory(dir, path);
    if (dir === "" || files.size > 0 || children.size > 0) {
      const message = `platform: ${path}: the directory is not empty`;
      throw new CairnError("DISK_IO", message, { details: { path } });
    }
    // Durable at once, and with it the removal of what was in it.
    this.#pending = this.#pending
      .map((entries) => entries.filter((entry) => entry.dir !== dir))
      .filter((entries) => entries.length > 0);
    this.#directories.delete(dir);
    const { dir: parent, name } = split(dir);
    this.#directory(parent, path).children.delete(name);
  }

  create(path: string, file: SimulatedFile): void {
    this.#apply([{ ...split(path), file }]);
  }

  unlink(path: string): void {
    this.#apply([{ ...split(path), file: null }]);
  }

  rename(from: string, to: string, file: SimulatedFile): void {
    this.#apply([
      { ...split(to), file },
      { ...split(from), file: null },
    ]);
  }

  syncDir(path: string): void {
    const dir = normalize(path);
    const { durable } = this.#directory(dir, path);
    const left: (readonly Entry[])[] = [];
    for (const entries of this.#pending) {
      for (const entry of entries) if (entry.dir === dir) setEntry(durable, entry);
      const others = entries.filter((entry) => entry.dir !== dir);
      if (others.length > 0) left.push(others);
    }
    this.#pending = left;
  }

  /** Every file with a name, once, in a fixed order. */
  files(): Set<SimulatedFile> {
    const files = new Set<SimulatedFile>();
    for (const directory of this.#directories.values()) {
      for (const file of directory.files.values()) files.add(file);
    }
    return files;
  }

  /** The same names over copies of the files, pending operations included. */
  clone(copyOf: (file: SimulatedFile) => SimulatedFile): Names {
    const copy = this.#durableCopy(copyOf);
    for (const entries of this.#pending) {
      copy.#apply(entries.map((entry) => ({ ...entry, file: entry.file && copyOf(entry.file) })));
    }
    return copy;
  }

  /** The names as a crash may leave them; all of them durable. */
  crashed(options: {
    readonly random: Random;
    readonly keep: KeepChance;
    readonly copyOf: (file: SimulatedFile) => SimulatedFile;
  }): Names {
    const { random, keep, copyOf } = options;
    // Only files that have a name in the end are copied: that is the costly part.
    const names = this.#durableCopy((file) => file);
    for (const entries of this.#pending) if (random.fraction() < keep) names.#apply(entries);
    const result = new Names();
    for (const [dir, directory] of names.#directories) {
      result.#directories.set(dir, copyDirectory(directory.files, directory.children, copyOf));
    }
    return result;
  }

  #durableCopy(copyOf: (file: SimulatedFile) => SimulatedFile): Names {
    const copy = new Names();
    for (const [dir, { durable, children }] of this.#directories) {
      copy.#directories.set(dir, copyDirectory(durable, children, copyOf));
    }
    return copy;
  }

  #apply(entries: readonly Entry[]): void {
    for (const entry of entries) setEntry(this.#directory(entry.dir, entry.dir).files, entry);
    this.#pending.push(entries);
  }

  #directory(dir: string, shownPath: string): Directory {
    const directory = this.#directories.get(dir);
    if (directory === undefined) throw notFound(shownPath, `no directory "${dir}"`);
    return directory;
  }
}

/** The names of one simulated disk. */
export type SimulatedNames = Names;

/** Makes an empty root directory. */
export function createSimulatedNames(): SimulatedNames {
  return new Names();
}

/** The error for a name that is not there. */
export function notFound(path: string, what = "no such file"): CairnError {
  return new CairnError("DISK_NOT_FOUND", `platform: ${path}: ${what}`, { details: { path } });
}

function newDirectory(): Directory {
  return { files: new Map(), durable: new Map(), children: new Set() };
}

function copyDirectory(
  files: ReadonlyMap<string, SimulatedFile>,
  children: ReadonlySet<string>,
  copyOf: (file: SimulatedFile) => SimulatedFile,
): Directory {
  const copies = new Map<string, SimulatedFile>();
  for (const [name, file] of files) copies.set(name, copyOf(file));
  return { files: copies, durable: new Map(copies), children: new Set(children) };
}

function setEntry(names: Map<string, SimulatedFile>, entry: Entry): void {
  if (entry.file === null) names.delete(entry.name);
  else names.set(entry.name, entry.file);
}

/** `/a//b/` and `a/b` are one place: this disk has one root and no working directory. */
function normalize(path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw new TypeError(`platform: ${path}: ".." is not simulated`);
  return parts.join("/");
}

function split(path: string): Place {
  const whole = normalize(path);
  if (whole === "") throw new TypeError(`platform: "${path}" names no file`);
  const slash = whole.lastIndexOf("/");
  return { dir: slash < 0 ? "" : whole.slice(0, slash), name: whole.slice(slash + 1) };
}
