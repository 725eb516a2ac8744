/**
 * What readers get wrong in chapter 04, as patches on the solution.
 */
import type { StepMistake } from "../../support/four-way.ts";

/** In the order of the steps. */
export const mistakes: readonly StepMistake[] = [
  {
    name: "of equal keys, the last source wins",
    step: "04.1",
    caughtBy: "of equal keys, the newest source comes first",
    rule: "L1",
    patches: [
      {
        file: "merge.ts",
        from: "if (lowest === null || compareBytes(key, lowest) < 0) {",
        to: "if (lowest === null || compareBytes(key, lowest) <= 0) {",
      },
    ],
  },
  {
    name: "the higher sequence wins, wherever it comes from",
    step: "04.1",
    caughtBy: "the place of a source decides what is newer, not a sequence",
    rule: "L1",
    patches: [
      {
        file: "merge.ts",
        from: "if (lowest === null || compareBytes(key, lowest) < 0) {",
        to: `const order = lowest === null ? -1 : compareBytes(key, lowest);
      const best = this.#sources[nearest]?.sequence ?? 0;
      if (order < 0 || (order === 0 && source.sequence > best)) {`,
      },
    ],
  },
  {
    name: "deletions are skipped by the merge",
    step: "04.1",
    caughtBy: "deletions pass through",
    rule: "L1",
    patches: [
      {
        file: "merge.ts",
        from: "      if (!source.valid) continue;",
        to: "      while (source.valid && source.isDeletion) source.next();\n      if (!source.valid) continue;",
      },
    ],
  },
  {
    name: "a source that fails is left out",
    step: "04.1",
    caughtBy: "an error of a source surfaces once, and the merge is at its end from then on",
    rule: "L1",
    patches: [
      {
        file: "merge.ts",
        from: `      this.#hasFailed = true;
      this.#top = -1;
      throw error;`,
        to: "      this.#top = this.#nearest();\n      if (this.#top < -1) throw error;",
      },
    ],
  },
  {
    name: "after an error, the merge goes on with the other sources",
    step: "04.1",
    caughtBy: "an error of a source surfaces once, and the merge is at its end from then on",
    rule: "L1",
    patches: [
      {
        file: "merge.ts",
        from: "      this.#hasFailed = true;\n      this.#top = -1;",
        to: "      this.#top = this.#nearest();",
      },
    ],
  },
  {
    name: "a deletion goes in every compaction",
    step: "04.7",
    caughtBy: "a deletion stays while an older table may hold its key",
    rule: "L5",
    patches: [{ file: "keep-rule.ts", from: "if (!olderMayHold(key)) while", to: "while" }],
  },
  {
    name: "the last key of an older table is not counted as its own",
    step: "04.7",
    caughtBy: "a deletion stays while an older table may hold its key",
    rule: "L5",
    patches: [
      {
        file: "keep-rule.ts",
        from: "compareBytes(key, largest) <= 0",
        to: "compareBytes(key, largest) < 0",
      },
    ],
  },
  {
    name: "a deletion never goes",
    step: "04.7",
    caughtBy: "a deletion goes when nothing older can hold its key",
    rule: "L5",
    patches: [
      {
        file: "keep-rule.ts",
        from: "if (!olderMayHold(key)) while",
        to: "if (stay.length === 0) while",
      },
    ],
  },
  {
    name: "only the newest version stays, whatever snapshots say",
    step: "04.7",
    caughtBy: "what a snapshot sees stays, and what nobody sees goes",
    rule: "L5",
    patches: [
      {
        file: "keep-rule.ts",
        from: "const readers = [...snapshots, Number.POSITIVE_INFINITY];",
        to: "const readers = [Number.POSITIVE_INFINITY];",
      },
    ],
  },
  {
    name: "a deletion goes though an older value of its key stays for a snapshot",
    step: "04.7",
    caughtBy: "every reader sees the same before and after",
    rule: "L5",
    patches: [
      {
        file: "keep-rule.ts",
        from: "if (!olderMayHold(key)) while (stay.at(-1)?.isDeletion === true) stay.pop();\n      return stay;",
        to: "return olderMayHold(key) ? stay : stay.filter(({ isDeletion }) => !isDeletion);",
      },
    ],
  },
];
