/**
 * Timings in a histogram of high dynamic range: percentiles to three digits, from nanoseconds to
 * minutes, in constant memory. A mean would hide the one sync in a hundred that takes ten times as
 * long.
 */
import { build } from "hdr-histogram-js";
import type { Series } from "./types.ts";

const DIGITS = 3;
const NANOSECONDS_MAX = 600e9;
const NANOSECONDS_PER_MICROSECOND = 1000;

/** Makes an empty series. */
export function createSeries(name: string): Series {
  const histogram = build({
    bitBucketSize: 32,
    numberOfSignificantValueDigits: DIGITS,
    lowestDiscernibleValue: 1,
    highestTrackableValue: NANOSECONDS_MAX,
    autoResize: false,
    useWebAssembly: false,
  });
  const record = (nanoseconds: number) => {
    histogram.recordValue(Math.min(NANOSECONDS_MAX, Math.max(1, Math.round(nanoseconds))));
  };
  const since = (start: number) => (performance.now() - start) * 1e6;
  return {
    name,
    get count() {
      return histogram.totalCount;
    },
    record,
    measure(run) {
      const start = performance.now();
      const result = run();
      record(since(start));
      return result;
    },
    async measureAsync(run) {
      const start = performance.now();
      const result = await run();
      record(since(start));
      return result;
    },
    microsecondsAt(percentile) {
      return histogram.getValueAtPercentile(percentile) / NANOSECONDS_PER_MICROSECOND;
    },
  };
}
