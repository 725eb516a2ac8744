/**
 * The calls and answers of a history in the order of time, as a list in which an operation can be
 * taken out and put back in constant time (Knuth's dancing links).
 *
 * Node 2i is the call of operation i, node 2i + 1 its answer; what may have happened or not has no
 * answer. At one time calls come before answers, so that operations with a common border overlap.
 *
 * Invariant: operations are put back in the opposite order of taking out. Chapter: 11-simulation.
 */
import type { Problem } from "./prepare.ts";

/** The list, and who is under way at each answer. */
export interface Events {
  /** The node before the first and behind the last. */
  readonly head: number;
  readonly next: Int32Array;
  /** The number of an answer among answers, by node. */
  readonly rank: Int32Array;
  /** By rank: operations called before this answer whose own answer is not before it. */
  readonly underWay: readonly Int32Array[];
  /** The largest number of operations under way. */
  readonly underWayMax: number;
  takeOut(operation: number): void;
  putBack(operation: number): void;
}

/** The events of a prepared history. */
export function eventsOf<Input, Output>(problem: Problem<Input, Output>): Events {
  const { candidates } = problem;
  const count = candidates.length;
  const head = 2 * count;
  const sorted = sortedNodes(problem);
  const next = new Int32Array(head + 1);
  const prev = new Int32Array(head + 1);
  let last = head;
  for (const node of sorted) {
    next[last] = node;
    prev[node] = last;
    last = node;
  }
  next[last] = head;
  prev[head] = last;
  const hasAnswer = candidates.map(({ happenedBy }) => happenedBy < Infinity);
  const unlink = (node: number): void => {
    next[prev[node]!] = next[node]!;
    prev[next[node]!] = prev[node]!;
  };
  const relink = (node: number): void => {
    next[prev[node]!] = node;
    prev[next[node]!] = node;
  };
  return {
    head,
    next,
    ...answersOf(sorted, count),
    // The answer goes first: who stands at the call then finds the next node that is in the list.
    takeOut(operation) {
      if (hasAnswer[operation]) unlink(2 * operation + 1);
      unlink(2 * operation);
    },
    putBack(operation) {
      relink(2 * operation);
      if (hasAnswer[operation]) relink(2 * operation + 1);
    },
  };
}

function sortedNodes<Input, Output>({ candidates }: Problem<Input, Output>): number[] {
  const nodes: number[] = [];
  for (const [place, { happenedBy }] of candidates.entries()) {
    nodes.push(2 * place);
    if (happenedBy < Infinity) nodes.push(2 * place + 1);
  }
  const timeOf = (node: number): number => {
    const { operation, happenedBy } = candidates[node >> 1]!;
    return node % 2 === 0 ? operation.calledAt : happenedBy;
  };
  return nodes.sort(
    (left, right) => timeOf(left) - timeOf(right) || (left % 2) - (right % 2) || left - right,
  );
}

function answersOf(
  sorted: readonly number[],
  count: number,
): Pick<Events, "rank" | "underWay" | "underWayMax"> {
  const rank = new Int32Array(2 * count);
  const underWay: Int32Array[] = [];
  const open = new Set<number>();
  let underWayMax = 0;
  for (const node of sorted) {
    const operation = node >> 1;
    if (node % 2 === 0) {
      open.add(operation);
    } else {
      rank[node] = underWay.length;
      underWay.push(Int32Array.from(open));
      underWayMax = Math.max(underWayMax, open.size);
      open.delete(operation);
    }
  }
  return { rank, underWay, underWayMax };
}
