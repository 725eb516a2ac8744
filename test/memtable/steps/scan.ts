/**
 * Checks of step 02.4: scans and cursors, on both structures.
 *
 * Method: every pair of a few bounds; random tables against a model; writes between the moves.
 */
import type { Cursor } from "#base";
import { type Check, expectThat, fail } from "#learn";
import { seededRandom } from "#platform";
import { lineAt } from "../checks.ts";
import { bytesOf, linesOf, type Range, textOf, type Version, versionOf } from "../model.ts";
import type { Subject } from "./subject.ts";
import { answer, Recorded, STRUCTURES, shown } from "./tools.ts";

/** What a scan gives, as a list of versions. */
function scanned({ table }: Recorded, { from, before }: Range = {}): Version[] {
  const range = {
    ...(from !== undefined && { from: bytesOf(from) }),
    ...(before !== undefined && { before: bytesOf(before) }),
  };
  const found: Version[] = [];
  for (const entry of table.scan(range)) {
    // A scan that goes in circles must not do so for ever.
    if (found.push(versionOf(entry)) > ENTRIES_MAX) break;
  }
  return found;
}

/** More than any table here holds. */
const ENTRIES_MAX = 2000;

function rangeText({ from, before }: Range): string {
  const lower = from === undefined ? "" : `from: ${shown(from)}`;
  const upper = before === undefined ? "" : `before: ${shown(before)}`;
  return lower === "" && upper === "" ? "{}" : `{ ${[lower, upper].filter(Boolean).join(", ")} }`;
}

const LIST_MAX = 7;

/** Versions in a sentence: `"a" @1, "b" @3 deleted`. */
function listed(versions: readonly Version[]): string {
  if (versions.length === 0) return "nothing";
  const some = versions.slice(0, LIST_MAX).map(({ key, value, sequence }) => {
    return `${shown(key)} @${sequence}${value === null ? " deleted" : ""}`;
  });
  const more = versions.length - some.length;
  return `${some.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** Fails unless a scan gives what the model gives. */
function compareScan(recorded: Recorded, range: Range, why: string): void {
  const [right, found] = [recorded.model.scan(range), scanned(recorded, range)];
  if (linesOf(right) === linesOf(found)) return;
  fail({
    happened: `On a table ("${recorded.structure}") of ${recorded.model.scan().length} versions, scan(${rangeText(range)}) should give ${listed(right)}. Yours gave ${listed(found)}.${firstDifference(right, found)}`,
    why,
    timeline: recorded.timeline(),
  });
}

function firstDifference(right: readonly Version[], found: readonly Version[]): string {
  if (right.length <= LIST_MAX && found.length <= LIST_MAX) return "";
  const line = (version: Version | undefined): string =>
    version === undefined ? "the end" : listed([version]);
  const at = right.findIndex((version, i) => linesOf([version]) !== linesOf(found.slice(i, i + 1)));
  const place = at === -1 ? right.length : at;
  return ` The first difference is at entry ${place}: ${line(right[place])} expected, ${line(found[place])} found.`;
}

const boundsAreExact: Check<Subject> = {
  name: "a scan begins at its lower bound and ends before its upper one",
  kind: "unit",
  rule: "M3",
  run(subject) {
    for (const structure of STRUCTURES) {
      const recorded = new Recorded(subject, structure);
      for (const key of ["c", "a", "", "b", "\xff", "b\0"]) recorded.record(key, `of ${key}`);
      const bounds = [undefined, "", "a", "a\0", "b", "b\0", "c", "d", "\xff", "\xff\xff"];
      for (const from of bounds) {
        for (const before of bounds) compareScan(recorded, { from, before }, WHY_BOUNDS);
      }
    }
  },
};

const WHY_BOUNDS =
  "Ranges are cut in two at a key: one half ends before it, the other begins with it. With an upper bound that is included, the key is in both, and is counted, moved or deleted twice. Left out of both, it is lost.";

const deletionsAreEntries: Check<Subject> = {
  name: "deletions are entries of a scan",
  kind: "unit",
  rule: "M3",
  run(subject) {
    for (const structure of STRUCTURES) {
      const recorded = new Recorded(subject, structure);
      recorded.record("a", "1");
      recorded.record("b", null);
      recorded.record("c", "");
      compareScan(
        recorded,
        {},
        "The flush writes to disk what the scan gives. A deletion that is left out has no trace on disk, and once the memtable is dropped, the older table's value is back. A value of no bytes is no deletion: null is.",
      );
    }
  },
};

const newestFirst: Check<Subject> = {
  name: "the versions of a key come newest first",
  kind: "unit",
  rule: "M3",
  run(subject) {
    for (const structure of STRUCTURES) {
      const recorded = new Recorded(subject, structure);
      for (const [key, value] of PRICES) recorded.record(key, value);
      compareScan(
        recorded,
        {},
        "A reader goes along and takes the first version that is not too new for it. Oldest first, and everybody reads last year's prices. Only the newest, and a reader who stands at an older sequence finds nothing.",
      );
    }
  },
};

const PRICES: readonly (readonly [string, string | null])[] = [
  ["pear", "3"],
  ["apple", "1"],
  ["pear", "4"],
  ["pear", null],
  ["apple", "2"],
];

const randomScans: Check<Subject> = {
  name: "random tables scan as the model does",
  kind: "model",
  rule: "M3",
  run(subject, { seed }) {
    for (const structure of STRUCTURES) {
      const random = seededRandom(seed);
      const recorded = new Recorded(subject, structure, () => random.fraction());
      const draw = (): string => `${random.below(120)}`;
      for (let i = 0; i < 400; i += 1) {
        recorded.record(draw(), random.below(5) === 0 ? null : `v${i}`);
        if (i % 20 === 0) {
          compareScan(recorded, { from: draw(), before: draw() }, WHY_RANDOM);
        }
      }
      compareScan(recorded, {}, WHY_RANDOM);
    }
  },
};

const WHY_RANDOM =
  "Random changes went into your table and into a model that sorts everything anew each time. What is missing or out of order here is missing or out of order in every table that is flushed.";

const cursorObeys: Check<Subject> = {
  name: "a cursor goes where it is sent, forwards and back",
  kind: "model",
  rule: "M3",
  run(subject, { seed }) {
    for (const structure of STRUCTURES) {
      const random = seededRandom(seed);
      const recorded = new Recorded(subject, structure, () => random.fraction());
      for (let i = 0; i < 150; i += 1) {
        recorded.record(`${random.below(60)}`, random.below(5) === 0 ? null : `v${i}`);
      }
      const versions = recorded.model.scan();
      const cursor = recorded.table.cursor();
      // Where a cursor should stand: an index, or outside of the list.
      let place = -1;
      const moves: string[] = [];
      for (let i = 0; i < 300; i += 1) {
        const isInside = place >= 0 && place < versions.length;
        const { text, to } = drawMove(cursor, versions, { place, isInside }, (n) =>
          random.below(n),
        );
        place = to;
        moves.push(text);
        const right = versions[place];
        const found = cursor.valid ? lineAt(cursor) : "no entry";
        const expected = right === undefined ? "no entry" : linesOf([right]);
        expectThat(found === expected, () => ({
          happened: `A cursor over ${versions.length} versions of a table ("${structure}") was moved about. After ${text} it should stand at ${expected}. Yours stands at ${found}.`,
          why: "The engine's iterators are made of nothing else. A step that skips or repeats an entry here is a row that a query misses or counts twice.",
          timeline: moves.slice(-6),
        }));
      }
      cursor.close();
    }
  },
};

/** Makes one move. @returns its name, and where it should lead to. */
function drawMove(
  cursor: Cursor,
  versions: readonly Version[],
  { place, isInside }: { readonly place: number; readonly isInside: boolean },
  below: (n: number) => number,
): { readonly text: string; readonly to: number } {
  const kind = isInside ? below(9) : below(4);
  const key = `${below(70)}`;
  if (kind === 0) {
    cursor.seekFirst();
    return { text: "seekFirst()", to: 0 };
  }
  if (kind === 1) {
    cursor.seekLast();
    return { text: "seekLast()", to: versions.length - 1 };
  }
  if (kind === 2) {
    cursor.seek(bytesOf(key));
    return { text: `seek(${shown(key)})`, to: versions.findIndex((one) => one.key >= key) };
  }
  if (kind === 3) {
    cursor.seekBefore(bytesOf(key));
    const to = versions.findLastIndex((one) => one.key < key);
    return { text: `seekBefore(${shown(key)})`, to };
  }
  if (kind < 7) {
    cursor.next();
    return { text: "next()", to: place + 1 };
  }
  cursor.prev();
  return { text: "prev()", to: place - 1 };
}

const nothingTwice: Check<Subject> = {
  name: "what comes in during a scan is met or not, and nothing is met twice",
  kind: "model",
  rule: "M3",
  run(subject, { seed }) {
    for (const structure of STRUCTURES) {
      const random = seededRandom(seed);
      const recorded = new Recorded(subject, structure, () => random.fraction());
      for (let i = 0; i < 100; i += 1) recorded.record(`k${100 + 2 * i}`, "old");
      const right = recorded.model.scan();
      const met: Version[] = [];
      const moves: string[] = [];
      for (const entry of recorded.table.scan()) {
        const version = versionOf(entry);
        met.push(version);
        moves.push(`the scan gives ${listed([version])}`);
        judgeOrder(structure, met, moves);
        // New keys before and behind the place where the scan stands, and new versions.
        const key = `k${100 + random.below(200)}`;
        recorded.record(key, random.below(6) === 0 ? null : "new");
        moves.push(`put ${shown(key)} at sequence ${recorded.sequence}`);
        if (met.length > 1000) break;
      }
      const seen = new Set(met.map((version) => linesOf([version])));
      const missed = right.filter((version) => !seen.has(linesOf([version])));
      expectThat(missed.length === 0, () => ({
        happened: `A scan of a table ("${structure}") of 100 keys was open while other keys and versions were put. All 100 that were there from the start should be met. Yours left out ${listed(missed)}.`,
        why: "The key was there before the scan, during it and after it. A report without it is wrong, whenever it is read.",
        timeline: moves.slice(0, 6),
      }));
    }
  },
};

function judgeOrder(structure: string, met: readonly Version[], moves: readonly string[]): void {
  const [last, now] = [met.at(-2), met.at(-1)];
  if (last === undefined || now === undefined) return;
  const isBehind = last.key < now.key || (last.key === now.key && last.sequence > now.sequence);
  expectThat(isBehind, () => ({
    happened: `A scan of a table ("${structure}") was open while keys were put. After ${listed([last])} it should go on to something behind that. Yours gave ${listed([now])}.`,
    why: "A scan that remembers a place in the array, such as an index, finds another key there once one came in below it. The flush, the backup and the report all see the same entry twice.",
    timeline: moves.slice(-6),
  }));
}

const viewsStay: Check<Subject> = {
  name: "what a cursor shows does not change under it",
  kind: "mistake",
  rule: "M3",
  run(subject) {
    for (const structure of STRUCTURES) {
      const recorded = new Recorded(subject, structure);
      for (const key of ["a", "b", "c"]) recorded.record(key, "1000");
      const cursor = recorded.table.cursor();
      cursor.seek(bytesOf("b"));
      const { key, value } = cursor;
      // Nobody reads at an older sequence: the version may be replaced, but not under the cursor.
      for (let i = 0; i < 4; i += 1) recorded.record("b", `${i}`.repeat(4), 0);
      recorded.record("a\0", "x");
      const found = `${shown(textOf(key))} = ${shown(textOf(value))}, and now ${lineAt(cursor)}`;
      const right = `"b" = "1000", and now ${linesOf([{ key: "b", value: "1000", sequence: 2 }])}`;
      expectThat(found === right, () => ({
        happened: `A cursor stood at "b" = "1000" (sequence 2), and "b" was put four times more. Until the cursor moves it should show ${right}. Yours showed ${found}.`,
        why: "Whoever reads through the cursor is in the middle of that value. The flush has written its length already, and now its bytes are those of another.",
        timeline: recorded.timeline("b"),
      }));
      cursor.close();
    }
  },
};

const boundsAreCopied: Check<Subject> = {
  name: "the bounds of a scan are copied when it is called",
  kind: "mistake",
  rule: "M4",
  run(subject) {
    for (const structure of STRUCTURES) {
      const recorded = new Recorded(subject, structure);
      for (const key of ["a", "b", "c", "d"]) recorded.record(key, "1");
      const [from, before] = [bytesOf("b"), bytesOf("d")];
      const scan = recorded.table.scan({ from, before });
      from.set(bytesOf("a"));
      before.set(bytesOf("z"));
      const found = [...scan].map(({ key }) => textOf(key)).join(", ");
      expectThat(found === "b, c", () => ({
        happened: `scan({ from: "b", before: "d" }) was called on the keys a, b, c and d ("${structure}"). Before its first step the caller used the two arrays for something else. It should give b, c. Yours gave ${found}.`,
        why: "A generator function runs nothing of its body until the first `next`. By then the bounds are somebody else's. Copy them in a function that is no generator, and let that one start it.",
      }));
    }
  },
};

const scansGiveCopies: Check<Subject> = {
  name: "what a scan gives is the caller's own",
  kind: "mistake",
  rule: "M4",
  run(subject) {
    for (const structure of STRUCTURES) {
      const recorded = new Recorded(subject, structure);
      for (const key of ["a", "b", "c"]) recorded.record(key, `of ${key}`);
      const given = [...recorded.table.scan()];
      for (const { key, value } of given) {
        key.fill(0x23);
        value?.fill(0x23);
      }
      // By `get`: a walk over keys that have all become one would never end.
      const found = ["a", "b", "c"].map(
        (key) => `${key}: ${answer(recorded.table.get(bytesOf(key)))}`,
      );
      const right = 'a: value "of a", b: value "of b", c: value "of c"';
      expectThat(found.join(", ") === right, () => ({
        happened: `A scan of three entries ("${structure}") was read, and the caller wrote "#" over all that it had been given. Then get should answer ${right}. Yours answered ${found.join(", ")}.`,
        why: "Keys that change after they were put in order are in no order any more: nothing is found again. `slice` of a Buffer is a view; `copyBytes` copies.",
      }));
    }
  },
};

/** Step 02.4. */
export const scanChecks: readonly Check<Subject>[] = [
  boundsAreExact,
  deletionsAreEntries,
  newestFirst,
  randomScans,
  cursorObeys,
  nothingTwice,
  viewsStay,
  boundsAreCopied,
  scansGiveCopies,
];
