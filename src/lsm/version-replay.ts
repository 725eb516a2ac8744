/**
 * Adds up many edits, as opening a manifest does, without making a version after each.
 *
 * Invariant: the state at the end is the one that `tryEdit`, edit by edit, leads to. What it would
 * refuse is refused here too, but for two tables of a run that overlap only in between: a later
 * edit has parted them, and a state is checked when it is made.
 * Chapter: 04-lsm
 */
import { compareBytes } from "#bytes";
import type { TableMeta } from "#sstable/types";
import type { ManifestState, Run, VersionEdit } from "./parts.ts";
import { compareRuns, EMPTY_STATE, editProblem, numbersAfter, versionProblem } from "./version.ts";

/** Takes edits, oldest first. */
export interface EditReplay {
  /** Adds one. @returns what does not fit, and then nothing has changed; null: it fits. */
  take(edit: VersionEdit): string | null;
  /** The state after the edits so far, or what breaks the rules of a version. */
  finish(): ManifestState | string;
}

/** Starts with the empty state. */
export function createReplay(): EditReplay {
  return new Replay();
}

interface Place {
  readonly level: number;
  readonly run: number;
  readonly table: TableMeta;
}

class Replay implements EditReplay {
  readonly #places = new Map<number, Place>();
  #numbers: ManifestState = EMPTY_STATE;

  take(edit: VersionEdit): string | null {
    const next = numbersAfter(this.#numbers, edit);
    const problem = editProblem(this.#numbers, next, edit) ?? this.#problemWith(edit);
    if (problem !== null) return problem;
    for (const { id } of edit.remove) this.#places.delete(id);
    for (const place of edit.add) this.#places.set(place.table.id, place);
    this.#numbers = next;
    return null;
  }

  finish(): ManifestState | string {
    const runs = new Map<string, Run & { readonly tables: TableMeta[] }>();
    for (const { level, run: number, table } of this.#places.values()) {
      const name = `${level}/${number}`;
      const run = runs.get(name);
      if (run === undefined) runs.set(name, { level, number, tables: [table] });
      else run.tables.push(table);
    }
    for (const { tables } of runs.values()) {
      tables.sort((a, b) => compareBytes(a.smallest, b.smallest));
    }
    const version = { runs: [...runs.values()].sort(compareRuns) };
    return versionProblem(version) ?? { ...this.#numbers, version };
  }

  #problemWith(edit: VersionEdit): string | null {
    const removed = new Set<number>();
    for (const { level, id } of edit.remove) {
      if (this.#places.get(id)?.level !== level) return `table ${id} is not in level ${level}`;
      if (removed.has(id)) return "a table is removed twice";
      removed.add(id);
    }
    const added = new Set<number>();
    for (const { table } of edit.add) {
      const isThere = this.#places.has(table.id) && !removed.has(table.id);
      if (isThere || added.has(table.id)) return `table ${table.id} is there already`;
      added.add(table.id);
    }
    return null;
  }
}
