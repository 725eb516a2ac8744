/**
 * Reads a prediction: one number, with whatever words around it.
 *
 * `30`, `about 30 times`, `30x` and `batch 64 ≈ 30x batch 1` all mean 30. Where several numbers
 * could be meant, none is guessed.
 */

/** A number with its marks: what stands right before it, and what follows. */
const NUMBER =
  /(≈|~|=|\babout\s|\baround\s)?\s*(?<![\w.])(\d+(?:,\d{3})*(?:\.\d+)?)\s*([kM](?!\w))?/gu;
const SUFFIXES: Readonly<Record<string, number>> = { k: 1e3, M: 1e6 };

/**
 * The number that a reader means.
 *
 * @param unit - a number that this follows is the one that is meant.
 * @returns undefined if there is none, or if it is not clear which.
 */
export function readPrediction(text: string, unit: string): number | undefined {
  const found = [...text.matchAll(NUMBER)].map((match) => ({
    value: Number((match[2] ?? "").replaceAll(",", "")) * (SUFFIXES[match[3] ?? ""] ?? 1),
    isMarked: match[1] !== undefined || hasUnit(text.slice(match.index + match[0].length), unit),
  }));
  const [only] = found;
  if (found.length === 1) return only?.value;
  const marked = found.filter(({ isMarked }) => isMarked);
  return marked.length === 1 ? marked[0]?.value : undefined;
}

function hasUnit(rest: string, unit: string): boolean {
  const following = rest.trimStart();
  return /^([x×%](?!\w)|times\b)/.test(following) || (unit !== "" && following.startsWith(unit));
}

/** How far a prediction was off, in words. */
export function gapInWords(predicted: number, measured: number): string {
  if (!(predicted > 0 && measured > 0)) {
    const difference = Math.abs(predicted - measured);
    return difference === 0 ? "exactly right" : "not to be had as a factor";
  }
  const factor = Math.max(predicted / measured, measured / predicted);
  if (factor < CLOSE) return "close";
  const side = predicted < measured ? "too low" : "too high";
  return `${side} by a factor of ${factor < 10 ? factor.toFixed(1) : Math.round(factor)}`;
}

/** Nearer than most repetitions of a measurement are to each other. */
const CLOSE = 1.15;
