/**
 * Checks of step 02.2: a skip list's search and insertion.
 *
 * Method: heights that the check decides, so that each level is known in advance; random keys
 * against a set.
 */
import { type Check, expectThat } from "#learn";
import { seededRandom } from "#platform";
import type { Random } from "#platform/types";
import { bytesOf } from "../model.ts";
import type { Subject, Towers } from "./subject.ts";
import { shown } from "./tools.ts";

/** Heights that come round again: most are low, some are high. */
const HEIGHTS: readonly number[] = [1, 2, 1, 1, 3, 1, 2, 1, 1, 5, 1, 1, 2];

const WHY_LOST =
  "A key that the search walks past is gone for every reader, though its bytes are in memory. And a put of it adds it once more, so that two entries answer for one key.";

/** A list with keys in random order, and the height that each got. */
function fill(
  subject: Subject,
  random: Random,
  count: number,
): { readonly list: Towers; readonly heights: ReadonlyMap<string, number> } {
  let drawn = 0;
  const list = subject.createTowers(() => {
    drawn += 1;
    return HEIGHTS[(drawn - 1) % HEIGHTS.length]!;
  });
  const heights = new Map<string, number>();
  while (heights.size < count) {
    const key = `k${String(random.below(count * 8)).padStart(5, "0")}`;
    if (heights.has(key)) continue;
    heights.set(key, HEIGHTS[heights.size % HEIGHTS.length]!);
    list.add(bytesOf(key));
  }
  return { list, heights };
}

const addedIsFound: Check<Subject> = {
  name: "a key that was added is found, and no other",
  kind: "unit",
  rule: "M2",
  run(subject, { seed }) {
    const { list, heights } = fill(subject, seededRandom(seed), 200);
    let nth = 0;
    for (const [key, height] of heights) {
      nth += 1;
      const found = list.find(bytesOf(key));
      expectThat(found === key, () => ({
        happened: `200 keys were added to a skip list, in no order. Key number ${nth}, ${shown(key)}, got a tower of height ${height}. find(${shown(key)}) should give its entry. Yours gave ${entryText(found)}.`,
        why:
          found === undefined
            ? WHY_LOST
            : "The search ends at the first key at or above the one that is looked for. Whether it is that key is a question of its own. Unasked, one customer's order is written into the next one's entry.",
      }));
      for (const other of [`${key}\0`, key.slice(0, -1)]) {
        const wrong = list.find(bytesOf(other));
        expectThat(wrong === undefined, () => ({
          happened: `find(${shown(other)}) should give nothing: only ${shown(key)} was added, which is another key. Yours gave ${entryText(wrong)}.`,
          why: "The search ends at the first key at or above the one that is looked for. Whether it is that key is a question of its own, and it has to be asked.",
        }));
      }
    }
  },
};

function entryText(key: string | undefined): string {
  return key === undefined ? "none" : `the entry of ${shown(key)}`;
}

const oneEntry: Check<Subject> = {
  name: "adding a key again adds nothing",
  kind: "mistake",
  rule: "M3",
  run(subject, { seed }) {
    const { list, heights } = fill(subject, seededRandom(seed), 60);
    for (const key of heights.keys()) list.add(bytesOf(key));
    const lowest = list.levels()[0] ?? [];
    const twice = lowest.find((key, i) => lowest[i + 1] === key);
    expectThat(twice === undefined, () => ({
      happened: `60 keys were added, and then the same 60 once more. The lowest level should hold each of them once. In yours ${shown(twice!)} stands there twice, and ${lowest.length} keys in all.`,
      why: "Two entries for one key: a put goes to one, a get may find the other, and a scan gives both. Look at what the search does at a key that is equal: it has to stop before it, not behind it.",
    }));
    expectThat(lowest.length === 60, () => ({
      happened: `60 keys were added twice each. The lowest level should hold 60 keys. Yours holds ${lowest.length}.`,
      why: WHY_LOST,
    }));
  },
};

const lowestAscends: Check<Subject> = {
  name: "the lowest level holds every key once, ascending",
  kind: "unit",
  rule: "M3",
  run(subject, { seed }) {
    const { list, heights } = fill(subject, seededRandom(seed), 200);
    const lowest = list.levels()[0] ?? [];
    for (const [i, key] of lowest.entries()) {
      const next = lowest[i + 1];
      expectThat(next === undefined || key < next, () => ({
        happened: `200 keys were added to a skip list. On its lowest level each key should be above the one before. In yours ${shown(next!)} comes right behind ${shown(key)}.`,
        why: "The lowest level is what a scan walks and what a flush writes. A table on disk must be sorted: the writer of chapter 03 refuses this one, and the search of a reader would not find what is out of order.",
      }));
    }
    expectThat(lowest.length === heights.size, () => ({
      happened: `200 keys were added to a skip list. Its lowest level should hold all of them. Yours holds ${lowest.length}.`,
      why: "What is not on the lowest level is in no scan and in no flush.",
    }));
  },
};

const towersStand: Check<Subject> = {
  name: "a tower stands on every level up to its height",
  kind: "mistake",
  rule: "M8",
  run(subject, { seed }) {
    const { list, heights } = fill(subject, seededRandom(seed), 100);
    const levels = list.levels();
    const highest = Math.max(...HEIGHTS);
    for (let level = 0; level < highest; level += 1) {
      const right = [...heights].filter(([, height]) => height > level).map(([key]) => key);
      const found = levels[level] ?? [];
      const lost = right.filter((key) => !found.includes(key));
      expectThat(lost.length === 0, () => ({
        happened: `100 keys were added, with towers of given heights. ${right.length} of them are higher than ${level}, and should be linked on level ${level} (0 is the lowest). Yours has ${found.length} there; ${shown(lost[0]!)}, of height ${heights.get(lost[0]!)}, is not among them.`,
        why: "Links that are missing do not make an answer wrong. They make the list slow, and nothing tells you: levels above the ones in use are never entered, and every search walks the ground floor. A level that is new starts at the head.",
        timeline: levelLines(levels),
      }));
    }
    expectThat(levels.length === highest, () => ({
      happened: `The highest tower of 100 has height ${highest}, so there are ${highest} levels in use. Your levels() gave ${levels.length}.`,
      why: "An empty level costs every search a step, and a missing one costs many.",
    }));
  },
};

function levelLines(levels: readonly (readonly string[])[]): string[] {
  return levels.map((keys, level) => {
    const some = keys.slice(0, 4).join(" ");
    return `level ${level}: ${keys.length} keys: ${some}${keys.length > 4 ? " …" : ""}`;
  });
}

const levelsAreParts: Check<Subject> = {
  name: "each level is a part of the one below it",
  kind: "property",
  rule: "M8",
  run(subject, { seed }) {
    const { list } = fill(subject, seededRandom(seed), 300);
    const levels = list.levels();
    for (let level = 1; level < levels.length; level += 1) {
      const below = new Set(levels[level - 1]);
      for (const [i, key] of levels[level]!.entries()) {
        const next = levels[level]![i + 1];
        expectThat(below.has(key), () => ({
          happened: `300 keys were added. Every key on level ${level} should stand on level ${level - 1} too. In yours ${shown(key)} is on level ${level} only: its tower floats.`,
          why: "A search that comes down at such a tower goes on from a place that the level below does not lead to. It skips keys, or it walks a chain that nobody keeps up to date.",
          timeline: levelLines(levels),
        }));
        expectThat(next === undefined || key < next, () => ({
          happened: `300 keys were added. On level ${level} each key should be above the one before. In yours ${shown(next!)} comes right behind ${shown(key)}.`,
          why: "An express lane that goes backwards leads a search past what it looks for.",
          timeline: levelLines(levels),
        }));
      }
    }
  },
};

const randomSearches: Check<Subject> = {
  name: "5,000 random operations find what a set finds",
  kind: "model",
  rule: "M2",
  run(subject, { seed }) {
    const random = seededRandom(seed);
    const known = new Set<string>();
    const list = subject.createTowers(() => 1 + (random.below(4) === 0 ? random.below(6) : 0));
    for (let i = 1; i <= 5000; i += 1) {
      const key = `${random.below(1500)}`;
      if (random.below(2) === 0) {
        list.add(bytesOf(key));
        known.add(key);
        continue;
      }
      const found = list.find(bytesOf(key)) === key;
      expectThat(found === known.has(key), () => ({
        happened: `Random keys from "0" to "1499" were added and looked for. At operation ${i} the list holds ${known.size} keys, and ${shown(key)} was ${known.has(key) ? "added before" : "never added"}. Your find said that it is ${found ? "" : "not "}there.`,
        why: WHY_LOST,
      }));
    }
  },
};

const lanesAreUsed: Check<Subject> = {
  name: "a search goes down through the lanes, and meets few keys",
  kind: "property",
  rule: "M8",
  run(subject) {
    // The heights of a ruler: every second tower has 2 levels, every fourth 3, and so on.
    const count = 1023;
    let added = 0;
    const list = subject.createTowers(() => {
      added += 1;
      return 1 + Math.log2(added & -added);
    });
    const keys = Array.from({ length: count }, (_, i) => String(i).padStart(4, "0"));
    for (const key of keys) list.add(bytesOf(key));
    let hops = 0;
    let most = { key: "", hops: 0 };
    for (const key of keys) {
      list.find(bytesOf(key));
      hops += list.hops;
      if (list.hops > most.hops) most = { key, hops: list.hops };
    }
    const mean = hops / count;
    // Ten levels, and on each at most the tower that is passed and the one that is too far.
    expectThat(hops > 0 && mean <= 24, () => ({
      happened: `1,023 keys stand in towers like the marks of a ruler: every second one on level 1, every fourth on level 2, up to one on level 9. A search should compare about 2 keys on each of the 10 levels. Yours compared ${mean.toFixed(1)} on average, and ${most.hops} for ${shown(most.key)}.`,
      why:
        hops === 0
          ? "`hops` counts the towers whose key the last search has compared. Without it you cannot see whether the lanes are used."
          : "The answers are right, and the list is a plain chain: at a million keys each put walks half a million of them. Begin each search on the highest level in use.",
    }));
  },
};

/** Step 02.2. */
export const towerChecks: readonly Check<Subject>[] = [
  addedIsFound,
  oneEntry,
  lowestAscends,
  towersStand,
  levelsAreParts,
  randomSearches,
  lanesAreUsed,
];
