/**
 * The few statistics that the report needs: medians, and ratios taken round by round.
 *
 * A ratio of medians would compare moments that never met. In each round all engines met the same
 * machine, so the ratio is taken there, and the median of those is what is reported.
 */

/** The middle value; between the two middle ones of an even number. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("median: of no values");
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const upper = sorted[half]!;
  return sorted.length % 2 === 1 ? upper : (sorted[half - 1]! + upper) / 2;
}

/** The median distance from the median. */
export function medianDeviation(values: readonly number[]): number {
  const middle = median(values);
  return median(values.map((value) => Math.abs(value - middle)));
}

/** Peer's time divided by the subject's, in each round. Above 1: the subject is faster. */
export function ratiosByRound(subject: readonly number[], peer: readonly number[]): number[] {
  if (subject.length !== peer.length) {
    throw new RangeError(`ratios: ${subject.length} rounds against ${peer.length}`);
  }
  return subject.map((value, round) => peer[round]! / value);
}
