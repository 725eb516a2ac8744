/**
 * The name that somebody probably meant.
 *
 * Distance counts letters put in, left out, changed, or swapped with their neighbour. Invariant: a
 * name is offered only if it is near; a wrong guess is worse than none.
 */

/** One slip in five letters is a typing error; more is another word. */
const LETTERS_PER_SLIP = 5;

/** The nearest of `names`, or undefined if none is near. Of several, the first. */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  let least = 1 + Math.max(1, Math.floor(name.length / LETTERS_PER_SLIP));
  for (const candidate of names) {
    const distance = distanceOf(name, candidate);
    if (distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

/** Slips between two names (restricted Damerau-Levenshtein). */
function distanceOf(one: string, other: string): number {
  let before: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const isSame = one[row - 1] === other[column - 1];
      const isSwap = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      const swapped = row > 1 && column > 1 && isSwap ? at(before, column - 2) + 1 : Infinity;
      current.push(
        Math.min(
          at(last, column) + 1,
          at(current, column - 1) + 1,
          at(last, column - 1) + (isSame ? 0 : 1),
          swapped,
        ),
      );
    }
    before = last;
    last = current;
  }
  return at(last, other.length);
}

function at(numbers: readonly number[], place: number): number {
  return numbers[place] ?? Number.POSITIVE_INFINITY;
}
