/**
 * The oracle: what a log may hold after a crash.
 *
 * All acknowledged writes are present, the others whole or absent and only as a prefix, nothing is
 * invented, and recovery is repeatable. Support for the crash tests.
 */
import type { Bytes } from "#base";
import { equalBytes } from "#bytes";
import type { Lsn, RecoveryReport, WalRecord } from "#wal/types";

/** What the oracle throws. Anything else that a test throws is a broken test. */
export class OracleViolation extends Error {
  override readonly name = "OracleViolation";
}

/** What recovery handed out. */
export interface Recovered {
  readonly records: readonly WalRecord[];
  readonly report: RecoveryReport;
}

/** What the caller of a log knows, kept up to date before and after each call. */
export interface Model {
  /** The payload of every record that was appended and not removed. */
  readonly payloads: Map<Lsn, Bytes>;
  /** The LSN that the next append gets. */
  next: Lsn;
  /** The log said that everything up to here is durable. */
  acked: Lsn;
  /** The first LSN may be anywhere in this range: a removal of old segments may be under way. */
  firstMin: Lsn;
  firstMax: Lsn;
}

/** A model of an empty log. */
export function createModel(): Model {
  return { payloads: new Map(), next: 1, acked: 0, firstMin: 1, firstMax: 1 };
}

/** The model after recovery: what was handed out is the log, and all of it is durable. */
export function adopt(recovered: Recovered): Model {
  const { firstLsn, nextLsn } = recovered.report;
  return {
    payloads: new Map(recovered.records.map(({ lsn, payload }) => [lsn, payload])),
    next: nextLsn,
    acked: nextLsn - 1,
    firstMin: firstLsn,
    firstMax: firstLsn,
  };
}

/** Compares what recovery handed out with what it may hand out. @throws OracleViolation */
export function judge(model: Model, { records, report }: Recovered): void {
  const fail = (text: string): never => {
    throw new OracleViolation(text);
  };
  const { firstLsn, nextLsn } = report;
  if (records.length !== report.records) fail(`reported ${report.records}, got ${records.length}`);
  if (nextLsn !== firstLsn + records.length) fail(`W1: from ${firstLsn} to ${nextLsn} has gaps`);
  if (nextLsn <= model.acked) fail(`W2: ${model.acked} was acknowledged, next is ${nextLsn}`);
  if (nextLsn > model.next) fail(`W4: next is ${nextLsn}, never appended beyond ${model.next}`);
  if (firstLsn < model.firstMin) fail(`W9: ${firstLsn} is back, removed below ${model.firstMin}`);
  if (firstLsn > model.firstMax) fail(`W9: first is ${firstLsn}, to be kept ${model.firstMax}`);
  for (const [i, { lsn, payload }] of records.entries()) {
    if (lsn !== firstLsn + i) fail(`W1: record ${lsn} where ${firstLsn + i} belongs`);
    const expected = model.payloads.get(lsn);
    if (expected === undefined) fail(`W4: record ${lsn} was never appended`);
    else if (!equalBytes(expected, payload)) fail(`W4: record ${lsn} has another content`);
  }
}

/** Compares two recoveries of one disk. @throws OracleViolation */
export function judgeSame(once: Recovered, again: Recovered): void {
  if (once.report.nextLsn !== again.report.nextLsn) {
    throw new OracleViolation(`W8: ${once.report.nextLsn}, then ${again.report.nextLsn}`);
  }
  judge(adopt(once), again);
}
