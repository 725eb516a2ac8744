/**
 * Checks of step 02.3: the heights of towers, and what a search costs because of them.
 *
 * Method: chance that always says the same; 20,000 draws against the expected shares; a memtable on
 * the whole skip list against a model.
 */
import { type Check, expectThat } from "#learn";
import { seededRandom } from "#platform";
import { bytesOf } from "../model.ts";
import type { Subject, Towers } from "./subject.ts";
import { Recorded, shown } from "./tools.ts";

/** No honest draw is so lucky so often. */
const LUCKY_DRAWS = 100;

const withinLimits: Check<Subject> = {
  name: "a height is at least 1 and at most the highest level",
  kind: "unit",
  rule: "M8",
  run(subject) {
    const [lowest] = subject.drawHeights(() => 0.999, 1);
    expectThat(lowest === 1, () => ({
      happened: `With a random source that always says 0.999, drawHeight should give 1: no level more. Yours gave ${lowest}.`,
      why: "A tower of height 0 is linked nowhere: its key is lost. Levels are counted from 0, heights from 1.",
    }));
    let draws = 0;
    const lucky = (): number => {
      draws += 1;
      return draws > LUCKY_DRAWS ? 0.999 : 0;
    };
    const [highest] = subject.drawHeights(lucky, 1);
    expectThat(highest === subject.levelsMax, () => ({
      happened: `With a random source that says 0 a hundred times, drawHeight should stop at SKIP_LEVELS_MAX, which is ${subject.levelsMax}. Yours gave ${highest}.`,
      why: "Chance has no limit of its own. A tower higher than the head's links is linked to nothing, or, with a source that says 0 for ever, never finished.",
    }));
  },
};

const DRAWS = 20_000;
/** So far off by chance: once in two million. */
const SIGMAS = 5;

const sharesAreRight: Check<Subject> = {
  name: "each level has its share of the towers",
  kind: "property",
  rule: "M8",
  run(subject, { seed }) {
    const random = seededRandom(seed);
    const heights = subject.drawHeights(() => random.fraction(), DRAWS);
    const { chance } = subject;
    for (let level = 1; DRAWS * chance ** level >= 10; level += 1) {
      const share = chance ** level;
      const right = DRAWS * share;
      const found = heights.filter((height) => height > level).length;
      const sigma = Math.sqrt(DRAWS * share * (1 - share));
      expectThat(Math.abs(found - right) <= SIGMAS * sigma, () => ({
        happened: `drawHeight was called ${DRAWS.toLocaleString("en")} times with chance ${chance} for one level more. About ${Math.round(right)} of the towers should be higher than ${level}, give or take ${Math.round(SIGMAS * sigma)}. Of yours, ${found} are.`,
        why: "Each level has to thin out the one below by the same factor. Towers that are too high too often cost memory and make every level as long as the lowest one; too low, and the lanes end early. Each level more is a draw of its own.",
        timeline: shareLines(heights, chance),
      }));
    }
  },
};

function shareLines(heights: readonly number[], chance: number): string[] {
  return [1, 2, 3, 4, 5].map((level) => {
    const found = heights.filter((height) => height > level).length;
    const right = Math.round(heights.length * chance ** level);
    return `higher than ${level}: expected ${right}, found ${found}`;
  });
}

const fromTheSource: Check<Subject> = {
  name: "the same draws give the same heights",
  kind: "mistake",
  rule: "M8",
  run(subject, { seed }) {
    const draw = (): number[] => {
      const random = seededRandom(seed);
      return subject.drawHeights(() => random.fraction(), 200);
    };
    const [first, second] = [draw(), draw()];
    const at = first.findIndex((height, i) => height !== second[i]);
    expectThat(at === -1, () => ({
      happened: `drawHeight was called 200 times, twice over, with two random sources of the same seed. Both times the heights should be the same. Yours differ at draw ${at + 1}: ${first[at]} and ${second[at]}.`,
      why: "All chance has to come from the source that was given. With `Math.random` inside, or a source of its own, a failure that needs a certain tower can never be played again.",
    }));
  },
};

/** Keys in the order of their numbers, with room for others between. */
function filled(subject: Subject, count: number, random: () => number): Towers {
  const heights = subject.drawHeights(random, count);
  let drawn = 0;
  const list = subject.createTowers(() => {
    drawn += 1;
    return heights[drawn - 1]!;
  });
  for (let i = 0; i < count; i += 1) list.add(bytesOf(keyOf((i * 7919) % count)));
  return list;
}

const keyOf = (number: number): string => String(number).padStart(6, "0");

/** Searches for every key. @returns how many towers were compared, on average. */
function meanHops(list: Towers, count: number): number {
  let hops = 0;
  for (let i = 0; i < count; i += 1) {
    const key = keyOf(i);
    const found = list.find(bytesOf(key));
    expectThat(found === key, () => ({
      happened: `${count.toLocaleString("en")} keys were added, from "000000" on. find(${shown(key)}) should give its entry. Yours gave ${found === undefined ? "none" : `the entry of ${shown(found)}`}.`,
      why: "Heights decide how fast a search is. They must never decide what it finds.",
      rule: "M2",
    }));
    hops += list.hops;
  }
  return hops / count;
}

const allOnes: Check<Subject> = {
  name: "with every tower of height 1 a search is right, and meets half of the keys",
  kind: "property",
  rule: "M8",
  run(subject) {
    const count = 1000;
    const hops = meanHops(
      filled(subject, count, () => 0.99),
      count,
    );
    expectThat(hops > 0.4 * count && hops < 0.6 * count, () => ({
      happened: `With a random source that always says 0.99 every tower has height 1, and the list of 1,000 keys is a plain chain. A search compares about 500 of them. In yours it compared ${hops.toFixed(1)}.`,
      why: "This is the worst case of a skip list: not one high tower, but towers that are all alike. If the number is far from 500, then either the heights do not come from the source or `hops` does not count the comparisons.",
    }));
  },
};

const SEARCHED = 4000;

const fewHops: Check<Subject> = {
  name: "a search among 4,000 keys meets few of them",
  kind: "property",
  rule: "M8",
  run(subject, { seed }) {
    const random = seededRandom(seed);
    const hops = meanHops(
      filled(subject, SEARCHED, () => random.fraction()),
      SEARCHED,
    );
    const { chance } = subject;
    // Pugh: about log(n) / log(1/p) levels, with 1/p comparisons on each; and as much to spare.
    const most = (2 * (Math.log(SEARCHED) / Math.log(1 / chance))) / chance;
    expectThat(hops <= most, () => ({
      happened: `4,000 keys were added, with heights from drawHeight. A search should compare fewer than ${Math.round(most)} of them on average. Yours compared ${hops.toFixed(1)}.`,
      why: "Each put and each get pays this. The heights passed their own check, so look at the way down: at each level the search should go on from where the level above has left it.",
    }));
  },
};

const memtableOnTowers: Check<Subject> = {
  name: "a memtable on a skip list answers as one on an array",
  kind: "model",
  rule: "M2",
  run(subject, { seed }) {
    const random = seededRandom(seed);
    const recorded = new Recorded(subject, "skiplist", () => random.fraction());
    const why =
      "The structure decides how fast an answer comes, and never which. Here a model that is a plain map was told the same.";
    for (let i = 0; i < 3000; i += 1) {
      const key = `k${random.below(500)}`;
      const kind = random.below(10);
      if (kind < 5) recorded.record(key, `v${i}`);
      else if (kind < 6) recorded.record(key, null);
      else
        recorded.compare(key, why, kind < 8 ? undefined : 1 + random.below(recorded.sequence + 1));
    }
  },
};

/** Step 02.3. */
export const heightChecks: readonly Check<Subject>[] = [
  withinLimits,
  sharesAreRight,
  fromTheSource,
  allOnes,
  fewHops,
  memtableOnTowers,
];
