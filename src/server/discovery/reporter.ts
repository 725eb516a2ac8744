/**
 * Keeps the leader's key up to date while this node leads.
 *
 * Invariant: only a leader writes, and one that has just been unseated writes at most once more;
 * the new one overwrites that within seconds.
 */
import { errorText, type Ms } from "#base";
import { REPORT_MS } from "./leader-key.ts";
import type { DiscoveredNode, Discovery } from "./types.ts";

/** How often is looked whether this node has come to lead. */
const LOOK_MS: Ms = 500;

/** How a reporter is made. */
export interface ReporterOptions {
  readonly discovery: Discovery;
  /** This node if it leads, else undefined. */
  readonly leading: () => DiscoveredNode | undefined;
  readonly onNotice: (text: string) => void;
  /** Default 500 ms and 10 s. */
  readonly lookMs?: Ms;
  readonly reportMs?: Ms;
}

/** Starts to report. @returns how to stop it. */
export function startReporter(options: ReporterOptions): () => void {
  const { discovery, leading, onNotice, lookMs = LOOK_MS, reportMs = REPORT_MS } = options;
  if (!discovery.hasFounder) return () => undefined;
  let reportedAt = Number.NEGATIVE_INFINITY;
  let isBusy = false;
  let complaint = "";
  const report = async (leader: DiscoveredNode): Promise<void> => {
    isBusy = true;
    try {
      await discovery.report(leader);
      complaint = "";
    } catch (error) {
      // Once, not every half second for as long as the store is away.
      if (errorText(error) !== complaint) onNotice(errorText(error));
      complaint = errorText(error);
      reportedAt = Number.NEGATIVE_INFINITY;
    } finally {
      isBusy = false;
    }
  };
  const timer = setInterval(() => {
    const leader = leading();
    if (leader === undefined) reportedAt = Number.NEGATIVE_INFINITY;
    if (leader === undefined || isBusy || performance.now() - reportedAt < reportMs) return;
    reportedAt = performance.now();
    void report(leader);
  }, lookMs);
  timer.unref();
  return () => clearInterval(timer);
}
