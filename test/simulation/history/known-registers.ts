/**
 * Histories of one object whose verdict a person has worked out. Support for the tests.
 *
 * Each is as small as its point allows. Where two lie close together, one holds and the other does
 * not, and they differ in one time or one value.
 */
import { append, cas, get, type ListCall, put, type RegisterCall, read } from "./calls.ts";

/** A history and what must be said of it. */
export interface Known<Call> {
  readonly name: string;
  readonly kind: "holds" | "violated";
  readonly history: readonly Call[];
}

const holds = <Call>(name: string, ...history: readonly Call[]): Known<Call> => ({
  name,
  kind: "holds",
  history,
});
const violated = <Call>(name: string, ...history: readonly Call[]): Known<Call> => ({
  name,
  kind: "violated",
  history,
});

const failed = { outcome: "failed" } as const;
const unknown = { outcome: "unknown" } as const;

export const knownRegisters: readonly Known<RegisterCall>[] = [
  holds("nothing happened"),
  holds("the first value is null", get(null, [1, 2])),
  violated("a value out of nowhere", get(7, [1, 2])),
  holds("a read after a write", put(1, [1, 2]), get(1, [3, 4])),
  violated("a stale read", put(1, [1, 2]), put(2, [3, 4]), get(1, [5, 6])),
  violated("a read of the first value after a write", put(1, [1, 2]), get(null, [3, 4])),
  holds("a read beside a write sees the old value", put(1, [1, 4]), get(null, [2, 3])),
  holds("a read beside a write sees the new value", put(1, [1, 4]), get(1, [2, 3])),
  violated(
    "new, then old: a write cannot be taken back",
    ...[put(1, [1, 10]), get(1, [2, 3]), get(null, [4, 5])],
  ),
  holds("old, then new", put(1, [1, 10]), get(null, [2, 3]), get(1, [4, 5])),
  violated("a read of the future", get(1, [1, 2]), put(1, [3, 4])),
  holds("an answer and a call at the same time overlap", get(1, [1, 3]), put(1, [3, 4])),
  violated(
    "a lost update: both comparisons fit",
    ...[put(1, [1, 2]), cas([1, 2], true, [3, 6]), cas([1, 3], true, [4, 5])],
  ),
  holds(
    "one of two comparisons fits",
    ...[put(1, [1, 2]), cas([1, 2], true, [3, 6]), cas([1, 3], false, [4, 5])],
  ),
  violated(
    "both comparisons fail, and nobody else writes",
    ...[put(1, [1, 2]), cas([1, 2], false, [3, 6]), cas([1, 3], false, [4, 5])],
  ),
  holds(
    "comparisons in a chain",
    ...[
      cas([2, 3], true, [1, 9]),
      cas([1, 2], true, [2, 8]),
      cas([null, 1], true, [3, 7]),
      get(3, [10, 11]),
    ],
  ),
  violated(
    "a comparison that failed has written",
    ...[put(1, [1, 2]), cas([9, 5], false, [3, 4]), get(5, [5, 6])],
  ),
  holds("an unknown write is seen", put(1, [1]), get(1, [2, 3])),
  holds(
    "an unknown write is seen much later",
    ...[put(1, [1]), put(2, [2, 3]), get(2, [4, 5]), get(1, [6, 7])],
  ),
  holds(
    "two writes of one value: what was seen first need not be the unknown one",
    ...[put(1, [1, 2]), put(1, [3]), get(1, [4, 5]), put(2, [6, 7]), get(1, [8, 9])],
  ),
  holds("an unknown write is never seen", put(1, [1]), put(2, [2, 3]), get(2, [4, 5])),
  violated(
    "an unknown write happens once",
    ...[put(1, [1]), get(1, [2, 3]), put(2, [4, 5]), get(1, [6, 7])],
  ),
  violated("an unknown write does not happen before its call", get(1, [1, 2]), put(1, [3])),
  violated(
    "an unknown write cannot be seen, unseen, and seen again",
    ...[put(1, [1]), get(null, [2, 3]), get(1, [4, 5]), get(null, [6, 7])],
  ),
  holds(
    "an unknown comparison was done",
    ...[put(1, [1, 2]), cas([1, 2], true, [3]), get(2, [4, 5])],
  ),
  violated(
    "an unknown comparison that never fitted was done",
    ...[put(1, [1, 2]), cas([9, 2], true, [3]), get(2, [4, 5])],
  ),
  holds(
    "an unknown write explains why a comparison failed",
    ...[put(1, [1, 2]), put(2, [3]), cas([1, 3], false, [4, 5])],
  ),
  holds("an unknown read proves nothing", put(1, [1, 2]), get(9, [3], unknown)),
  violated("a failed write is seen", put(1, [1, 2], failed), get(1, [3, 4])),
  holds("a failed write is not seen", put(1, [1, 2], failed), get(null, [3, 4])),
  holds("a failed read proves nothing", put(1, [1, 2]), get(9, [3, 4], failed)),
  violated(
    "a write is applied twice",
    ...[put(1, [1, 2]), put(2, [3, 4]), get(2, [5, 6]), get(1, [7, 8])],
  ),
  violated(
    "two readers disagree about the order of two writes",
    ...[put(1, [1, 4]), put(2, [2, 3]), get(1, [5, 6]), get(2, [7, 8])],
  ),
  holds(
    "two readers agree about the order of two writes",
    ...[put(1, [1, 4]), put(2, [2, 3]), get(1, [5, 6]), get(1, [7, 8])],
  ),
  holds("the same value twice", put(1, [1, 2]), put(2, [3, 4]), put(1, [5, 6]), get(1, [7, 8])),
  violated(
    "one key of two is stale",
    ...[
      put(1, [1, 2], { key: "a" }),
      put(1, [3, 4], { key: "b" }),
      get(1, [5, 6], { key: "a" }),
      get(null, [7, 8], { key: "b" }),
    ],
  ),
  holds(
    "keys do not mix",
    ...[
      put(1, [1, 2], { key: "a" }),
      put(2, [3, 4], { key: "b" }),
      get(1, [5, 6], { key: "a" }),
      get(2, [7, 8], { key: "b" }),
    ],
  ),
];

export const knownLists: readonly Known<ListCall>[] = [
  holds(
    "values in the order of their appends",
    append(1, [1, 2]),
    append(2, [3, 4]),
    ...[read([1, 2], [5, 6])],
  ),
  violated("a lost append", append(1, [1, 2]), append(2, [3, 4]), read([2], [5, 6])),
  violated("a value twice", append(1, [1, 2]), read([1, 1], [3, 4])),
  violated("appends out of order", append(1, [1, 2]), append(2, [3, 4]), read([2, 1], [5, 6])),
  holds("appends side by side", append(1, [1, 4]), append(2, [2, 3]), read([2, 1], [5, 6])),
  violated("a list that shrinks", append(1, [1]), read([1], [2, 3]), read([], [4, 5])),
  holds(
    "an unknown append in the middle",
    ...[append(1, [1]), append(2, [2, 3]), append(3, [4, 8]), read([2, 1, 3], [9, 10])],
  ),
];
