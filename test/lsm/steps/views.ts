/**
 * Views of memtables and tables made by hand, for the checks of step 04.2.
 */
import type { Bytes } from "#base";
import { compareBytes } from "#bytes";
import type { Run } from "#lsm";
import { createMemtable } from "#memtable";
import type { Memtable } from "#memtable/types";
import { createSimulatedDisk } from "#platform";
import type { Entry } from "../array-cursor.ts";
import type { LsmSubject, ReadView } from "./subject.ts";
import { createTestIo, writeTable } from "./tables.ts";
import { b, t } from "./words.ts";

/** The newest reader. */
export const NOW = Number.MAX_SAFE_INTEGER;

/** `anna: "red"`; null: a deletion. */
export type Content = Readonly<Record<string, string | null>>;

/** Layers by hand: sequences fall from layer to layer, so that newer layers are newer. */
export interface Layers {
  /** Newest first. */
  readonly memtables?: readonly Content[];
  /** Newest first; each run is a list of tables. */
  readonly runs?: readonly { readonly level: number; readonly tables: readonly Content[] }[];
}

/** A view that tells what was opened. */
export interface MadeView extends ReadView {
  /** Numbers of the tables that were opened. */
  readonly opened: number[];
}

function entriesIn(content: Content, sequence: number): Entry[] {
  return Object.entries(content)
    .map(([key, value], at) => ({
      key: b(key),
      value: value === null ? null : b(value),
      sequence: sequence + at,
    }))
    .sort((one, other) => compareBytes(one.key, other.key));
}

/** A memtable with these versions. */
export function memtableOf(entries: readonly Entry[]): Memtable {
  const memtable = createMemtable();
  for (const { key, value, sequence } of entries) {
    if (value === null) memtable.delete(key, sequence);
    else memtable.put(key, value, sequence);
  }
  return memtable;
}

const LAYER_SEQUENCES = 100;

/** Makes the view. */
export function viewOf(layers: Layers): MadeView {
  const io = createTestIo(createSimulatedDisk());
  let sequence = 100 * LAYER_SEQUENCES;
  const next = (): number => {
    sequence -= LAYER_SEQUENCES;
    return sequence;
  };
  const memtables = (layers.memtables ?? []).map((content) =>
    memtableOf(entriesIn(content, next())),
  );
  const runs = (layers.runs ?? []).map(({ level, tables }, at): Run => {
    const from = next();
    const metas = tables.map((content) => writeTable(io, entriesIn(content, from)));
    return { level, number: 100 - at, tables: metas };
  });
  const opened: number[] = [];
  const open: ReadView["open"] = (table) => {
    opened.push(table.id);
    return io.open(table);
  };
  return { memtables, version: { runs }, at: NOW, open, opened };
}

/** The layers as lines: `memtable   anna = "red", bert deleted`. */
export function layerLines({ memtables = [], runs = [] }: Layers): string[] {
  const words = (content: Content): string =>
    Object.entries(content)
      .map(([key, value]) => (value === null ? `${key} deleted` : `${key} = "${value}"`))
      .join(", ");
  return [
    ...memtables.map((content, at) => `${at === 0 ? "active " : "frozen "}   ${words(content)}`),
    ...runs.map(({ level, tables }) => `level ${level}   ${tables.map(words).join(" | ")}`),
  ];
}

/** What a scan gives, `key=value`. */
export function scanned(
  subject: LsmSubject,
  view: ReadView,
  range: { readonly from?: Bytes; readonly before?: Bytes } = {},
): string[] {
  const found: string[] = [];
  for (const [key, value] of subject.scanRange(view, range)) found.push(`${t(key)}=${t(value)}`);
  return found;
}
