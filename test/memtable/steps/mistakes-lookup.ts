/**
 * What readers get wrong in steps 02.1 to 02.3: the three answers, and the skip list.
 */
import type { StepMistake } from "../../support/four-way.ts";

const TEXT_ORDER = `const decoder = new TextDecoder();
const compareBytes = (a: Bytes, b: Bytes): number => {
  const [x, y] = [decoder.decode(a), decoder.decode(b)];
  return x < y ? -1 : x > y ? 1 : 0;
};
`;

/** Steps 02.1 to 02.3. */
export const lookupMistakes: readonly StepMistake[] = [
  {
    name: "a deletion is answered with absent",
    step: "02.1",
    caughtBy: "absent, deleted and a value of no bytes are three answers",
    rule: "M1",
    trap: "T9",
    patches: [
      {
        file: "versions.ts",
        from: 'return { kind: "deleted" };',
        to: 'return { kind: "absent" };',
      },
    ],
  },
  {
    name: "a value of no bytes is falsy",
    step: "02.1",
    caughtBy: "absent, deleted and a value of no bytes are three answers",
    rule: "M1",
    patches: [
      {
        file: "versions.ts",
        from: "if (version.value === null)",
        to: "if (!version.value?.length)",
      },
    ],
  },
  {
    name: "deleting an unknown key does nothing",
    step: "02.1",
    caughtBy: "deleting a key that was never here is recorded",
    rule: "M1",
    trap: "T8",
    patches: [
      {
        file: "table.ts",
        from: "    this.#record(key, null, sequence, newestReader);",
        to: "    if (this.#order.find(key)) this.#record(key, null, sequence, newestReader);",
      },
    ],
  },
  {
    name: "the search in the array stops one too early",
    step: "02.1",
    caughtBy: "the newest version of a key wins, in whatever order keys come",
    rule: "M2",
    patches: [
      {
        file: "sorted-array.ts",
        from: "let high = this.#entries.length;",
        to: "let high = this.#entries.length - 1;",
      },
    ],
  },
  {
    name: "a reader does not see the change at its own sequence",
    step: "02.1",
    caughtBy: "a reader at a sequence sees what it saw",
    rule: "M2",
    patches: [
      { file: "versions.ts", from: "version.sequence > at)", to: "version.sequence >= at)" },
    ],
  },
  {
    name: "a put overwrites the older version",
    step: "02.1",
    caughtBy: "a reader at a sequence sees what it saw",
    rule: "M2",
    patches: [
      {
        file: "table.ts",
        from: "const older = versionAt(before, newestReader);",
        to: "const older = versionAt(before, 0);",
      },
    ],
  },
  {
    name: "the table keeps the caller's key",
    step: "02.1",
    caughtBy: "the caller's buffers may be used again",
    rule: "M4",
    patches: [{ file: "sorted-array.ts", from: "key: copyBytes(key)", to: "key" }],
  },
  {
    name: "the table keeps a view of the caller's value",
    step: "02.1",
    caughtBy: "the caller's buffers may be used again",
    rule: "M4",
    patches: [
      {
        file: "table.ts",
        from: "this.#record(key, copyBytes(value), sequence, newestReader);",
        to: "this.#record(key, value.subarray(0), sequence, newestReader);",
      },
    ],
  },
  {
    name: "a lookup hands out the table's own bytes",
    step: "02.1",
    caughtBy: "what a lookup hands out is the caller's own",
    rule: "M4",
    patches: [{ file: "versions.ts", from: "copyBytes(version.value)", to: "version.value" }],
  },
  {
    name: "a lookup hands out a slice of what is a Buffer",
    step: "02.1",
    caughtBy: "what a lookup hands out is the caller's own",
    rule: "M4",
    patches: [
      { file: "versions.ts", from: "copyBytes(version.value)", to: "version.value.slice()" },
    ],
  },
  {
    name: "the table keeps a slice of the caller's Buffer",
    step: "02.1",
    caughtBy: "the caller's buffers may be used again",
    rule: "M4",
    patches: [
      {
        file: "table.ts",
        from: "this.#record(key, copyBytes(value), sequence, newestReader);",
        to: "this.#record(key, value.slice(), sequence, newestReader);",
      },
    ],
  },
  {
    name: "keys are compared as text",
    step: "02.1",
    caughtBy: "keys are bytes and not text",
    rule: "M2",
    patches: [
      {
        file: "sorted-array.ts",
        from: 'import { compareBytes, copyBytes } from "#bytes";',
        to: 'import { copyBytes } from "#bytes";',
      },
      {
        file: "sorted-array.ts",
        from: "/** Makes an empty sorted array. */",
        to: `${TEXT_ORDER}/** Makes an empty sorted array. */`,
      },
    ],
  },
  {
    name: "the search passes over a key that is equal",
    step: "02.2",
    caughtBy: "adding a key again adds nothing",
    rule: "M3",
    patches: [
      {
        file: "skip-list.ts",
        from: "compareBytes(tower.key, key) < 0;",
        to: "compareBytes(tower.key, key) <= 0;",
      },
    ],
  },
  {
    name: "find does not ask whether the key is equal",
    step: "02.2",
    caughtBy: "a key that was added is found, and no other",
    rule: "M2",
    patches: [
      {
        file: "skip-list.ts",
        from: "return tower !== undefined && compareBytes(tower.key, key) === 0 ? tower : undefined;",
        to: "return tower;",
      },
    ],
  },
  {
    name: "levels above the present height are not linked",
    step: "02.2",
    caughtBy: "a tower stands on every level up to its height",
    rule: "M8",
    patches: [
      {
        file: "skip-list.ts",
        from: "const height = this.#heightOf();",
        to: "const height = Math.min(this.#heightOf(), this.#head.next.length);",
      },
    ],
  },
  {
    name: "the lowest level is not linked",
    step: "02.2",
    caughtBy: "each level is a part of the one below it",
    rule: "M8",
    patches: [
      {
        file: "skip-list.ts",
        from: "for (let level = 0; level < height; level += 1) {",
        to: "for (let level = height > 3 ? 2 : 0; level < height; level += 1) {",
      },
    ],
  },
  {
    name: "the search begins on the lowest level",
    step: "02.2",
    caughtBy: "a search goes down through the lanes, and meets few keys",
    rule: "M8",
    patches: [
      {
        file: "skip-list.ts",
        from: "      this.#path[level] = at;",
        to: "      this.#path[level] = at;\n      at = this.#head;",
      },
    ],
  },
];
