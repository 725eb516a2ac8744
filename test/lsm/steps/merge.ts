/**
 * Step 04.1: merging sources by recency. Method: sources that are arrays, that spoil their views
 * when they move, and that fail on demand; random ones against one sorted list.
 */
import type { Bytes } from "#base";
import { compareBytes } from "#bytes";
import { type Check, expectThat, fail, type Step } from "#learn";
import { seededRandom } from "#platform";
import type { Random } from "#platform/types";
import { arrayCursor, type Entry, randomEntries } from "../array-cursor.ts";
import type { ForwardCursor, LsmSubject } from "./subject.ts";
import { b, count, shown, t } from "./words.ts";

type MergeCheck = Check<LsmSubject>;

/** `["key", "value" or null for a deletion, sequence]`. */
type Row = readonly [key: string, value: string | null, sequence: number];

function entries(...rows: readonly Row[]): Entry[] {
  return rows.map(([key, value, sequence]) => ({
    key: b(key),
    value: value === null ? null : b(value),
    sequence,
  }));
}

/** An entry as a line: `anna = "red" (sequence 9)`. */
function lineOf({ key, value, sequence }: Entry): string {
  const what = value === null ? "deleted" : `= ${shown(value)}`;
  return `${t(key)} ${what} (sequence ${sequence})`;
}

/** Everything that a cursor gives: copies. Ends after `most`, in case it never does. */
function readAll(cursor: ForwardCursor, most: number): Entry[] {
  const found: Entry[] = [];
  for (cursor.seekFirst(); cursor.valid && found.length <= most; cursor.next()) {
    found.push(entryAt(cursor));
  }
  return found;
}

function entryAt(cursor: ForwardCursor): Entry {
  const value = cursor.isDeletion ? null : cursor.value.slice();
  return { key: cursor.key.slice(), value, sequence: cursor.sequence };
}

function isSame(a: Entry | undefined, other: Entry | undefined): boolean {
  return a === undefined || other === undefined
    ? a === other
    : lineOf(a) === lineOf(other) && compareBytes(a.key, other.key) === 0;
}

/** The first place at which two lists differ; -1: they do not. */
function firstDifference(found: readonly Entry[], expected: readonly Entry[]): number {
  for (let at = 0; at < Math.max(found.length, expected.length); at += 1) {
    if (!isSame(found[at], expected[at])) return at;
  }
  return -1;
}

function sourceLines(sources: readonly (readonly Entry[])[]): string[] {
  return sources.map((source, rank) => {
    const age = rank === 0 ? "newest source" : `source ${rank + 1}`;
    return `${age}: ${source.map(lineOf).join("; ") || "empty"}`;
  });
}

const newestWins: MergeCheck = {
  name: "of equal keys, the newest source comes first",
  kind: "unit",
  rule: "L1",
  run(subject) {
    const sources = [
      entries(["anna", "green", 9]),
      entries(["anna", "blue", 5], ["anna", "grey", 4], ["bert", "x", 6]),
      entries(["anna", "red", 1], ["carl", "y", 2]),
    ];
    const merged = subject.mergeCursors(sources.map((source) => arrayCursor(source)));
    const found = readAll(merged, 10);
    const order = found.map(({ sequence }) => sequence).join(" ");
    expectThat(order === "9 5 4 1 6 2", () => ({
      happened: `Three sources hold the key "anna". From the newest source to the oldest, and within a source as it gives them, the sequences are 9, 5, 4, 1, and then 6 and 2 for the other keys. Your merge gave ${found.map(({ sequence }) => sequence).join(", ")}.`,
      why: 'A reader takes the first entry of a key. If an older one comes first, "anna" has a colour that somebody has already changed.',
      timeline: [...sourceLines(sources), ...found.map((entry) => `your merge: ${lineOf(entry)}`)],
    }));
  },
};

const rankDecides: MergeCheck = {
  name: "the place of a source decides what is newer, not a sequence",
  kind: "mistake",
  rule: "L1",
  run(subject) {
    const sources = [entries(["anna", "new", 3]), entries(["anna", "old", 70])];
    const merged = subject.mergeCursors(sources.map((source) => arrayCursor(source)));
    const [first] = readAll(merged, 4);
    expectThat(first !== undefined && t(first.value ?? b("")) === "new", () => ({
      happened: `The newest source has "anna" with sequence 3, an older one has it with sequence 70. The newest source goes first: expected "new". Your merge gave ${first === undefined ? "nothing" : lineOf(first)}.`,
      why: "The list says what is newer, and nothing else does: a table that was restored from a copy may carry sequences of another life. Two rules for one question disagree one day.",
      timeline: sourceLines(sources),
    }));
  },
};

const deletionsPass: MergeCheck = {
  name: "deletions pass through",
  kind: "unit",
  rule: "L1",
  run(subject) {
    const sources = [entries(["bert", null, 9]), entries(["anna", "1", 4], ["bert", "2", 5])];
    const merged = subject.mergeCursors(sources.map((source) => arrayCursor(source)));
    const found = readAll(merged, 5);
    const at = found.findIndex(({ sequence }) => sequence === 9);
    expectThat(at === 1 && found[1]?.value === null, () => ({
      happened: `The newest source says that "bert" was deleted (sequence 9), an older one still has a value for it. A merge gives both, the deletion first. Your merge gave: ${found.map(lineOf).join("; ")}.`,
      why: "The merge does not know whether an even older table holds the key. Who swallows the deletion here lets the old value rise from the dead in whoever reads on.",
      timeline: sourceLines(sources),
    }));
    merged.seek(b("bert"));
    expectThat(merged.valid && merged.isDeletion, () => ({
      happened: `After seek("bert") the merge should stand at the deletion (sequence 9). Yours is ${merged.valid ? `at ${lineOf(entryAt(merged))}` : "at no entry"}.`,
      why: "A lookup goes by seek. It would miss that the account was closed.",
      timeline: sourceLines(sources),
    }));
  },
};

/** Sources, newest first, and what they are as one list: by key, then by rank, then as given. */
function randomSources(random: Random): { sources: Entry[][]; merged: Entry[] } {
  const sources: Entry[][] = [];
  for (let rank = random.below(7); rank >= 0; rank -= 1) {
    sources.push(randomEntries(random, random.below(12), { sequence: 1 + random.below(20) }));
  }
  const merged = sources
    .flatMap((source, rank) => source.map((entry, place) => ({ entry, rank, place })))
    .sort((a, c) => compareBytes(a.entry.key, c.entry.key) || a.rank - c.rank || a.place - c.place)
    .map(({ entry }) => entry);
  return { sources, merged };
}

const model: MergeCheck = {
  name: "any number of sources is one sorted list",
  kind: "model",
  rule: "L1",
  run(subject, { seed }) {
    for (let round = 0; round < 120; round += 1) {
      const random = seededRandom(seed * 1000 + round);
      const { sources, merged: expected } = randomSources(random);
      const cursor = subject.mergeCursors(sources.map((source) => arrayCursor(source)));
      judgeList(readAll(cursor, expected.length), expected, { sources, from: null });
      for (let i = 0; i < 3; i += 1) {
        const from = random.bytes(random.below(3));
        const rest = expected.filter(({ key }) => compareBytes(key, from) >= 0);
        const found: Entry[] = [];
        for (cursor.seek(from); cursor.valid && found.length <= rest.length; cursor.next()) {
          found.push(entryAt(cursor));
        }
        judgeList(found, rest, { sources, from });
      }
      cursor.close();
    }
  },
};

function judgeList(
  found: readonly Entry[],
  expected: readonly Entry[],
  of: { readonly sources: readonly (readonly Entry[])[]; readonly from: Bytes | null },
): void {
  const at = firstDifference(found, expected);
  if (at < 0) return;
  const from = of.from === null ? "" : `, from key ${bytesText(of.from)} on`;
  const say = (entry: Entry | undefined): string =>
    entry === undefined ? "the end" : `key ${bytesText(entry.key)} with sequence ${entry.sequence}`;
  fail({
    happened: `${count(of.sources.length, "random source")} with ${count(of.sources.flat().length, "entry").replace("entrys", "entries")} in all were merged${from}. As one sorted list, entry ${at + 1} is ${say(expected[at])}. Your merge gave ${say(found[at])}.`,
    why: "Everything above reads through this merge. One entry too few is a lost write, one in the wrong place is an old value shown as the new one.",
    timeline: of.sources.map((source, rank) => {
      const rows = source.map(({ key, sequence }) => `${bytesText(key)}@${sequence}`);
      return `${rank === 0 ? "newest " : "       "}${rows.join(" ") || "empty"}`;
    }),
  });
}

/** `01ff`; a dash for the empty key. */
function bytesText(bytes: Bytes): string {
  return bytes.length === 0 ? "-" : Buffer.from(bytes).toString("hex");
}

const failsOnce: MergeCheck = {
  name: "an error of a source surfaces once, and the merge is at its end from then on",
  kind: "fault",
  rule: "L1",
  run(subject) {
    const sources = [
      entries(["anna", "1", 9], ["dora", "4", 8]),
      entries(["bert", "2", 3], ["carl", null, 2], ["dora", "3", 1]),
    ];
    // The second source fails when it is moved for the second time, behind "bert".
    const cursors = sources.map((source, rank) =>
      arrayCursor(source, rank === 1 ? { failAtMove: 1 } : {}),
    );
    const merged = subject.mergeCursors(cursors);
    const seen: string[] = [];
    const attempt = (): unknown => {
      try {
        for (merged.seekFirst(); merged.valid; merged.next()) seen.push(t(merged.key));
        return null;
      } catch (error) {
        return error;
      }
    };
    const error = attempt();
    expectThat(error !== null, () => ({
      happened: `The second of two sources fails when it is moved on from "bert". Your merge gave ${seen.join(", ")} and ended without an error.`,
      why: 'Half a merge looks like a whole one. What was not read was the deletion of "carl".',
      timeline: sourceLines(sources),
    }));
    const again: string[] = [];
    let second: unknown = null;
    try {
      for (let i = 0; i < 3; i += 1) {
        if (merged.valid) again.push(t(merged.key));
        merged.next();
        if (merged.valid) again.push(t(merged.key));
      }
      merged.seekFirst();
      if (merged.valid) again.push(t(merged.key));
    } catch (thrown) {
      second = thrown;
    }
    expectThat(again.length === 0 && second === null, () => ({
      happened: `After the error the merge should be at no entry, for good, and moves should do nothing. Yours ${again.length > 0 ? `went on to ${again[0]}` : `threw again: ${String(second)}`}.`,
      why: "The sources no longer stand where the merge believes. What it gives now may be versions that the lost source hides. A caller who caught the error and went on would read them as the truth.",
      timeline: sourceLines(sources),
    }));
  },
};

const closesAll: MergeCheck = {
  name: "closing closes every source, also after an error",
  kind: "fault",
  rule: "L4",
  run(subject) {
    const cursors = [{}, { failAtClose: true }, {}].map((faults) => arrayCursor([], faults));
    const merged = subject.mergeCursors(cursors);
    try {
      merged.close();
    } catch {
      // To pass the error on is right; what counts is what is still open.
    }
    const open = cursors.flatMap((cursor, rank) => (cursor.closed ? [] : [rank + 1]));
    expectThat(open.length === 0, () => ({
      happened: `Of three sources, closing the second one fails. Your merge left source ${open.join(" and ")} open.`,
      why: "An open source holds its table, and a table that is held is never removed. The disk fills up with files that nobody can name.",
    }));
    merged.close();
  },
};

/** The step. */
export const merging: Step<LsmSubject> = {
  id: "04.1",
  checks: [newestWins, rankDecides, deletionsPass, model, failsOnce, closesAll],
};
