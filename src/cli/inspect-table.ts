/**
 * `cairn inspect` of a table file.
 *
 * Invariant: memory stays bounded by one block and the rows asked for.
 */
import { describeTable } from "#sstable";
import type { TableMeta } from "#sstable/types";
import { bytesText } from "./inspect-bytes.ts";
import type { InspectOptions } from "./inspect-log.ts";
import { createRows, type Problem, type Report } from "./inspect-report.ts";

/** Entries of one data block. */
interface BlockCount {
  readonly offset: number;
  entries: number;
}

/** A table file, whole or not. */
export function inspectTable(options: InspectOptions): Report {
  const entries = createRows(options);
  const counts = new Map<number, number>();
  let last: BlockCount = { offset: -1, entries: 0 };
  const { meta, parts, problems } = describeTable(options, (entry) => {
    if (entry.blockOffset !== last.offset) last = startBlock(counts, options, entry.blockOffset);
    last.entries += 1;
    if (counts.has(last.offset)) counts.set(last.offset, last.entries);
    if (!options.keys) return;
    entries.add(entry.blockOffset, () => [
      entry.blockOffset,
      entry.sequence,
      entry.value === null ? "delete" : "put",
      bytesText(entry.key),
      entry.value === null ? null : entry.value.length,
    ]);
  });
  const rows = createRows(options);
  for (const part of parts) {
    rows.add(part.offset, () => [
      part.offset,
      part.bytes,
      part.kind,
      counts.get(part.offset) ?? null,
      part.problem === undefined ? "sound" : "damaged",
    ]);
  }
  const wrong = problems.map((message) => problemOf(message, options.path));
  return {
    kind: "table",
    path: options.path,
    verdict: wrong.length === 0 ? "sound" : "damaged",
    facts: meta === null ? [] : metaFacts(meta),
    problems: wrong,
    sections: [
      ...rows.section("parts", ["offset", "bytes", "kind", "entries", "state"]),
      ...entries.section("entries", ["offset", "sequence", "kind", "key", "value bytes"]),
    ],
  };
}

/** Only blocks that can get a row are counted, so that a large table takes no large map. */
function startBlock(
  counts: Map<number, number>,
  options: InspectOptions,
  offset: number,
): BlockCount {
  if (offset >= options.from && counts.size < options.limit) counts.set(offset, 0);
  return { offset, entries: 0 };
}

function metaFacts(meta: TableMeta): Report["facts"] {
  return [
    ["size", `${meta.bytes} bytes`],
    ["table", meta.id],
    ["entries", `${meta.entries}, of which ${meta.deletions} deletions`],
    ["keys", `${bytesText(meta.smallest)} to ${bytesText(meta.largest)}`],
    ["sequences", `${meta.sequenceMin} to ${meta.sequenceMax}`],
  ];
}

/** The messages name file and byte in front; the report has places for both. */
function problemOf(message: string, path: string): Problem {
  const [before = "", rest] = message.split(`sstable: ${path} at byte `, 2);
  const [, digits, text] = /^(\d+): (.*)$/s.exec(rest ?? "") ?? [];
  if (digits === undefined || text === undefined) return { offset: null, text: message };
  return { offset: Number(digits), text: before + text };
}
