/**
 * `cairn inspect` of a segment file, and of a directory of segments.
 *
 * Invariant: a segment is read twice, once to judge it and to learn what its records are, once to
 * show them; memory stays bounded by one record and the rows asked for.
 */
import type { Disk } from "#platform/types";
import { describeSegment } from "#wal";
import type { SegmentDescription } from "#wal/types";
import { bytesText } from "./inspect-bytes.ts";
import { createPayloadGuess, type PayloadKind } from "./inspect-payload.ts";
import {
  createRows,
  type Problem,
  type Report,
  type RowLimits,
  type Section,
  type Verdict,
  worse,
} from "./inspect-report.ts";

/** What to look at, and how much to show. */
export interface InspectOptions extends RowLimits {
  readonly disk: Disk;
  readonly path: string;
  /** Whether entries are listed too. */
  readonly keys: boolean;
}

/** A segment file. */
export function inspectSegment(options: InspectOptions): Report {
  const guess = createPayloadGuess();
  const segment = describeSegment(options, ({ kind, payload }) => {
    if (kind === "record") guess.see(payload);
  });
  return {
    kind: "segment of a log",
    path: options.path,
    verdict: segment.verdict,
    facts: segmentFacts(segment, guess.kind),
    problems: segmentProblems(segment),
    sections: frameSections(options, guess.kind),
  };
}

function segmentFacts(segment: SegmentDescription, kind: PayloadKind): Report["facts"] {
  const { firstLsn, nextLsn, records } = segment;
  return [
    ["size", `${segment.bytes} bytes, frames up to byte ${segment.endOffset}`],
    ["segment", segment.number],
    ["records", records === 0 ? "none" : spanText(firstLsn ?? nextLsn - records, nextLsn)],
    ["durable", segment.durableLsn === 0 ? "not known" : `at least up to ${segment.durableLsn}`],
    ["holds", records === 0 ? "nothing" : kind.name],
  ];
}

/** Numbers from `from` (included) to `before` (excluded). */
function spanText(from: number | "?", before: number): string {
  return from === before - 1 ? `${from}` : `${from} to ${before - 1}`;
}

function segmentProblems(segment: SegmentDescription): Problem[] {
  const { problem, witnessOffset, droppedBytes, verdict } = segment;
  if (problem === null) return [];
  const problems: Problem[] = [problem];
  if (witnessOffset !== null) {
    problems.push({ offset: witnessOffset, text: "a frame here says that it was durable" });
  }
  if (verdict === "torn" && droppedBytes > 0) {
    const text = `opening the log cuts ${droppedBytes} bytes off, if this is its last segment`;
    problems.push({ offset: null, text });
  }
  return problems;
}

function frameSections(options: InspectOptions, kind: PayloadKind): Section[] {
  const frames = createRows(options);
  const entries = createRows(options);
  describeSegment(options, (frame) => {
    const isRecord = frame.kind === "record";
    frames.add(frame.offset, () => {
      const holds = isRecord ? kind.describe(frame.payload) : `durable up to ${frame.watermark}`;
      return [frame.offset, frame.bytes, frame.kind, frame.lsn, holds];
    });
    if (!options.keys || !isRecord) return;
    kind.entries(frame.payload, ({ sequence, key, value }) => {
      entries.add(frame.offset, () => [
        frame.offset,
        sequence,
        value === null ? "delete" : "put",
        bytesText(key),
        value === null ? null : value.length,
      ]);
    });
  });
  return [
    ...frames.section("frames", ["offset", "bytes", "kind", "record", "holds"]),
    ...entries.section("entries", ["offset", "sequence", "kind", "key", "value bytes"]),
  ];
}

/** Segments of one directory, as they follow each other. */
export interface LogInspection {
  readonly verdict: Verdict;
  readonly problems: readonly Problem[];
  readonly sections: readonly Section[];
  /** Oldest record kept, and the one that comes next; null if that cannot be known. */
  readonly firstLsn: number | null;
  readonly nextLsn: number | null;
  readonly records: string;
  readonly kind: PayloadKind;
}

/** The names of segments in a directory, oldest first. */
export function segmentNames(names: readonly string[]): string[] {
  return names.filter((name) => /^\d{16}\.wal$/.test(name)).sort();
}

/** The report about a directory of segments: each by itself, and whether they fit together. */
export function logReport(path: string, log: LogInspection): Report {
  return {
    kind: "log",
    path,
    verdict: log.verdict,
    facts: [
      ["records", log.records],
      ["holds", log.kind.name],
    ],
    problems: log.problems,
    sections: log.sections,
  };
}

/** Reads all segments of a log. @param options - `path`: its directory. */
export function readLog(options: InspectOptions): LogInspection {
  const { disk, path } = options;
  const guess = createPayloadGuess();
  const segments = segmentNames(disk.list(path)).map((name) => {
    const file = { disk, path: `${path}/${name}` };
    const described = describeSegment(file, ({ kind, payload }) => {
      if (kind === "record") guess.see(payload);
    });
    return { name, described };
  });
  const rows = createRows({ ...options, from: 0 });
  const problems: Problem[] = [];
  let verdict: Verdict = "sound";
  for (const [i, { name, described }] of segments.entries()) {
    const next = segments[i + 1]?.described;
    const judged = judgeInLog(described, next);
    verdict = worse(verdict, judged.verdict);
    problems.push(...judged.problems.map((problem) => ({ ...problem, file: name })));
    rows.add(0, () => [
      name,
      described.bytes,
      described.firstLsn,
      described.records,
      described.marks,
      judged.verdict,
    ]);
  }
  const first = segments[0]?.described;
  const last = segments.at(-1)?.described;
  const isEmpty = first === undefined || last === undefined || last.nextLsn === first.firstLsn;
  return {
    verdict,
    problems,
    kind: guess.kind,
    firstLsn: first?.firstLsn ?? null,
    nextLsn: last?.nextLsn ?? null,
    records: isEmpty ? "none" : spanText(first.firstLsn ?? "?", last.nextLsn),
    sections: rows.section("segments", ["file", "bytes", "first", "records", "marks", "verdict"]),
  };
}

/**
 * What a segment is worth when the next one is known. A later segment was made when all before its
 * first record was durable; what an older one holds beyond that was cut off and no longer counts.
 */
function judgeInLog(
  segment: SegmentDescription,
  next: SegmentDescription | undefined,
): { readonly verdict: Verdict; readonly problems: readonly Problem[] } {
  const before = next?.firstLsn ?? null;
  if (before === null) {
    return { verdict: segment.verdict, problems: segmentProblems(segment) };
  }
  if (segment.firstLsn !== null && segment.nextLsn >= before) {
    return { verdict: "sound", problems: [] };
  }
  const missing = {
    offset: segment.endOffset,
    text: `${spanText(segment.nextLsn, before)} missing: the next segment begins with ${before}`,
  };
  const own = segment.problem === null ? [] : [segment.problem];
  return { verdict: "damaged", problems: [...own, missing] };
}
