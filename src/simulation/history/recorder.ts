/**
 * Collects a history while it happens: who called what when, and what was answered.
 *
 * Times are the numbers of the events themselves: two events never tie, so no order that was there
 * is lost to a coarse clock. Chapter: 11-simulation.
 */
import type { HistoryRecorder, Operation, Outcome } from "./types.ts";

/** An empty history. */
export function createHistory<Input, Output>(): HistoryRecorder<Input, Output> {
  const operations: Operation<Input, Output>[] = [];
  const open = new Set<number>();
  let events = 0;
  const end = (handle: number, outcome: Outcome, output: Output | undefined): void => {
    if (!open.delete(handle)) throw new RangeError(`simulation: operation ${handle} is not open`);
    events += 1;
    const returnedAt = outcome === "unknown" ? Infinity : events;
    operations[handle] = { ...operations[handle]!, outcome, output, returnedAt };
  };
  return {
    call(process, key, input, note) {
      events += 1;
      const handle = operations.length;
      open.add(handle);
      operations.push({
        process,
        key,
        input,
        outcome: "unknown",
        output: undefined,
        calledAt: events,
        returnedAt: Infinity,
        ...(note === undefined ? {} : { note }),
      });
      return handle;
    },
    ok: (handle, output) => end(handle, "ok", output),
    failed: (handle) => end(handle, "failed", undefined),
    unknown: (handle) => end(handle, "unknown", undefined),
    operations: () => [...operations],
  };
}
