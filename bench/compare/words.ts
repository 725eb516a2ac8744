/**
 * What the numbers say, in sentences: where Cairn is slower first, since that is what a reader who
 * must choose wants to know.
 */
import type { EngineName, RowReport } from "./types.ts";

/** A sentence for each row and peer that Cairn loses, then one for each peer in all. */
export function sayInWords(rows: readonly RowReport[]): string[] {
  const lost: string[] = [];
  const ahead = new Map<EngineName, { won: number; of: number }>();
  for (const { row, ratios } of rows) {
    for (const { peer, median, rounds } of ratios) {
      const count = ahead.get(peer) ?? { won: 0, of: 0 };
      count.of += 1;
      if (median > 1) count.won += 1;
      else lost.push(lossInWords({ row, peer, median, rounds }));
      ahead.set(peer, count);
    }
  }
  const sums = [...ahead].map(
    ([peer, { won, of }]) => `Cairn is faster than ${peer} in ${won} of ${of} rows.`,
  );
  return [...lost, ...sums];
}

function lossInWords(loss: {
  readonly row: string;
  readonly peer: EngineName;
  readonly median: number;
  readonly rounds: readonly number[];
}): string {
  const times = (1 / loss.median).toFixed(2);
  const won = loss.rounds.filter((ratio) => ratio > 1).length;
  const rounds =
    won === 0 ? "in every round" : `though not in ${won} of ${loss.rounds.length} rounds`;
  return `${loss.peer} wins ${loss.row}: it is ${times} times as fast as Cairn, ${rounds}.`;
}
