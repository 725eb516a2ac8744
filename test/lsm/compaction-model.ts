/**
 * Versions without files: random ones, and what a plan makes of one.
 *
 * A key is a number from 0 to 65,535 and a table is a span of them. Each key that lies in a table
 * has a stamp there: how old its newest version in that table is.
 */
import type { Bytes } from "#base";
import type { CompactionPlan, Run, Version } from "#lsm";
import type { Random } from "#platform/types";
import type { TableMeta } from "#sstable/types";

export const KEYS = 65_536;

export function keyOf(number: number): Bytes {
  return Uint8Array.of(number >>> 8, number & 0xff);
}

export function numberOf(key: Bytes): number {
  return key[0]! * 256 + key[1]!;
}

/** A table from one key to another, both included. */
export function makeTable(
  id: number,
  span: { readonly from: number; readonly to: number; readonly bytes: number },
): TableMeta {
  return {
    id,
    bytes: span.bytes,
    entries: span.to - span.from + 1,
    deletions: 0,
    smallest: keyOf(span.from),
    largest: keyOf(span.to),
    sequenceMin: 1,
    sequenceMax: 1,
  };
}

/** Any version: several levels, of one run each or of several, of few keys: much overlaps. */
export function randomVersion(
  random: Random,
  options: { readonly levels: number; readonly runsMax: number; readonly keys: number },
): Version {
  const runs: Run[] = [];
  let id = 1;
  let number = 100;
  for (let level = 0; level < options.levels; level += 1) {
    const count = random.below((level === 0 ? 6 : options.runsMax) + 1);
    for (let i = 0; i < count; i += 1) {
      const tables: TableMeta[] = [];
      const tablesMax = 1 + random.below(5);
      for (let from = random.below(6); from < options.keys && tables.length < tablesMax; ) {
        const to = Math.min(options.keys - 1, from + random.below(6));
        tables.push(makeTable(id, { from, to, bytes: 1 + random.below(100) }));
        id += 1;
        from = to + 1 + random.below(4);
      }
      if (tables.length === 0) continue;
      runs.push({ level, number, tables });
      number -= 1;
    }
  }
  return { runs };
}

/** The version behind a plan: its outputs have `bytes` in all, spread evenly over their keys. */
export function carryOut(
  version: Version,
  plan: CompactionPlan,
  options: { readonly id: number; readonly tableBytesMax: number; readonly bytes: number },
): Version {
  const inputs = plan.inputs.flatMap((input) => input.tables);
  const gone = new Set(inputs.map((table) => table.id));
  const from = Math.min(...inputs.map((table) => numberOf(table.smallest)));
  const to = Math.max(...inputs.map((table) => numberOf(table.largest)));
  const width = to - from + 1;
  const count = Math.min(Math.ceil(options.bytes / options.tableBytesMax), width);
  const cut = (i: number) => from + Math.floor((width * i) / count);
  const outputs = Array.from({ length: count }, (_, i) => {
    const span = { from: cut(i), to: cut(i + 1) - 1, bytes: Math.ceil(options.bytes / count) };
    return makeTable(options.id + i, span);
  });
  return withOutputs(version, plan, { gone, outputs, run: options.id });
}

/** The version without what went, and with what came. */
function withOutputs(
  version: Version,
  plan: CompactionPlan,
  change: {
    readonly gone: ReadonlySet<number>;
    readonly outputs: readonly TableMeta[];
    readonly run: number;
  },
): Version {
  const level = plan.outputLevel;
  const number = plan.outputRun ?? change.run;
  const runs = version.runs.map((run) => ({
    ...run,
    tables: run.tables.filter((table) => !change.gone.has(table.id)),
  }));
  const joined = runs.find((run) => run.level === level && run.number === number);
  const tables = [...(joined?.tables ?? []), ...change.outputs];
  tables.sort((a, b) => numberOf(a.smallest) - numberOf(b.smallest));
  return {
    runs: [...runs.filter((run) => run !== joined), { level, number, tables }]
      .filter((run) => run.tables.length > 0)
      .sort((a, b) => a.level - b.level || b.number - a.number),
  };
}

/**
 * Whether a plan, carried out into one table, leaves every version on its right side: judged key by
 * key, by a stamp that tells the age, without any thought of overlap.
 */
export function keepsOrder(version: Version, plan: CompactionPlan, keys: number): boolean {
  const next = carryOut(version, plan, { id: 10_000, tableBytesMax: 1, bytes: 1 });
  const stamps = new Map<number, number>();
  for (const [position, run] of version.runs.entries()) {
    for (const table of run.tables) stamps.set(table.id, position);
  }
  const inputs = plan.inputs.flatMap((input) => input.tables);
  for (const run of next.runs) {
    for (const [i, table] of run.tables.entries()) {
      const before = run.tables[i - 1];
      if (before && numberOf(before.largest) >= numberOf(table.smallest)) return false;
    }
  }
  for (let key = 0; key < keys; key += 1) {
    const holds = (table: TableMeta) =>
      numberOf(table.smallest) <= key && key <= numberOf(table.largest);
    let last = -1;
    for (const table of next.runs.flatMap((run) => run.tables)) {
      if (!holds(table)) continue;
      const sources = table.id === 10_000 ? inputs.filter(holds) : [table];
      const ages = sources.map((source) => stamps.get(source.id)!);
      if (Math.min(...ages, Number.POSITIVE_INFINITY) < last) return false;
      last = Math.max(last, ...ages);
    }
  }
  return true;
}
