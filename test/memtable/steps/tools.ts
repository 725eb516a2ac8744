/**
 * What the checks of chapter 02 share: keys and answers as texts, and a table with its model.
 *
 * Invariant: an operation is given to the table and to the model in the same breath, and remembered
 * as one line, so that a failure can tell what led to it.
 */
import type { Lookup } from "#base";
import { fail } from "#learn";
import type { Memtable, MemtableStructure } from "#memtable/types";
import { bytesOf, lookupText, Model, textOf } from "../model.ts";
import type { Subject } from "./subject.ts";

/** The two structures of the chapter. */
export const STRUCTURES: readonly MemtableStructure[] = ["array", "skiplist"];

/** A key or value as a reader sees it. */
export function shown(text: string): string {
  return JSON.stringify(text);
}

/** An answer of `get` as a reader sees it: `value "red"`, `deleted`, `absent`. */
export function answer(lookup: Lookup): string {
  return lookup.kind === "value" ? `value ${shown(textOf(lookup.value))}` : lookup.kind;
}

/** What the model says, in the same words. */
function expectedAnswer(model: Model, key: string, at?: number): string {
  const text = model.get(key, at);
  return text.startsWith("value ") ? `value ${shown(text.slice("value ".length))}` : text;
}

const LINES_MAX = 8;

/** A table that is written together with a model. */
export class Recorded {
  readonly table: Memtable;
  readonly model = new Model();
  readonly structure: MemtableStructure;
  sequence = 0;
  readonly #lines: { readonly key: string; readonly line: string }[] = [];

  constructor(subject: Subject, structure: MemtableStructure, random?: () => number) {
    this.structure = structure;
    this.table = subject.createMemtable({ structure, ...(random !== undefined && { random }) });
  }

  /** Puts a value, or deletes: null. */
  record(key: string, value: string | null, newestReader?: number): void {
    this.sequence += 1;
    const { sequence } = this;
    const verb = value === null ? "delete" : "put   ";
    const what = value === null ? "" : ` = ${shown(value)}`;
    this.#lines.push({ key, line: `sequence ${sequence}: ${verb} ${shown(key)}${what}` });
    if (value === null) this.table.delete(bytesOf(key), sequence, newestReader);
    else this.table.put(bytesOf(key), bytesOf(value), sequence, newestReader);
    this.model.record({ key, value, sequence }, newestReader);
  }

  /** The last changes of a key, or of all keys, oldest first. */
  timeline(key?: string): string[] {
    const all = this.#lines.filter((one) => key === undefined || one.key === key);
    const kept = all.slice(-LINES_MAX).map(({ line }) => line);
    return all.length > kept.length
      ? [`… ${all.length - kept.length} changes before`, ...kept]
      : kept;
  }

  /** Fails unless the table answers as the model does. */
  compare(key: string, why: string, at?: number): void {
    const lookup = this.table.get(bytesOf(key), at);
    if (lookupText(lookup) === this.model.get(key, at)) return;
    const reader = at === undefined ? "" : `, asked by a reader at sequence ${at},`;
    const timeline = this.timeline(key);
    fail({
      happened: `After ${this.sequence} changes of a table ("${this.structure}"), get(${shown(key)})${reader} should have answered ${expectedAnswer(this.model, key, at)}. Yours answered ${answer(lookup)}.`,
      why,
      timeline: timeline.length === 0 ? [`${shown(key)} was never put or deleted`] : timeline,
    });
  }
}
