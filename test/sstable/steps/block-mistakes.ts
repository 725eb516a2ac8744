/**
 * What readers get wrong in one block: steps 03.1 and 03.2.
 */
import type { StepMistake } from "../../support/four-way.ts";
import { one } from "./mistake.ts";

export const blockMistakes: readonly StepMistake[] = [
  one(
    "03.1",
    "S1",
    "versions of one key oldest first",
    "versions are ordered by key, and versions of one key newest first",
    ["version.ts", "b.sequence - a.sequence", "a.sequence - b.sequence"],
  ),
  one(
    "03.1",
    "S9",
    "a deletion is written as a value of no bytes",
    "a block reads back as what was added, deletions and empty values too",
    ["block-builder.ts", "value === null ? 1 : value.length * 2", "(value?.length ?? 0) * 2"],
  ),
  one(
    "03.1",
    "S9",
    "the sequence stands in front of the tag",
    "a block has the bytes of the format page",
    ["block-builder.ts", "[0, key.length, tag, sequence]", "[0, key.length, sequence, tag]"],
  ),
  one(
    "03.1",
    "S1",
    "a version that was added already is taken again",
    "a version that is not behind the last one is refused, and the block goes on",
    ["block-builder.ts", "compareVersions(last, place) >= 0", "compareVersions(last, place) > 0"],
  ),
  one(
    "03.1",
    "S1",
    "the last key is kept, not copied",
    "the caller may use its buffers again as soon as add has returned",
    ["block-builder.ts", "last = { key: key.slice(), sequence };", "last = place;"],
  ),
  one(
    "03.1",
    "S7",
    "the restarts are not counted into the size of a block",
    "a block stays within its limit, unless its only entry is larger",
    [
      "block-builder.ts",
      "bytesWith(offsets.length + 1) + bytes > limitBytes",
      "entries.length + bytes > limitBytes",
    ],
  ),
  one(
    "03.2",
    "S8",
    "the binary search stops one restart too late",
    "a seek finds the first version at or behind a key, wherever the key lies",
    [
      "block-seek.ts",
      "if (compareVersions(version, sought) < 0) low = middle;",
      "if (compareBytes(version.key, key) <= 0) low = middle;",
    ],
    [
      "block-seek.ts",
      "import { readEntry,",
      'import { compareBytes } from "#bytes";\nimport { readEntry,',
    ],
    [
      "block-seek.ts",
      "if (compareVersions(version, sought) >= 0) return version;",
      "if (compareBytes(version.key, key) > 0) return version;",
    ],
  ),
  one(
    "03.2",
    "S8",
    "the sequence is ignored",
    "a seek agrees with a search from the first version on, at every sequence",
    ["block-seek.ts", "{ key, sequence: at }", "{ key, sequence: at * 0 + NEWEST }"],
  ),
  one(
    "03.2",
    "S8",
    "the search begins at the first restart that is not before the key",
    "a block whose keys share their beginnings is read and searched too",
    ["block-seek.ts", "Math.ceil((low + high) / 2)", "Math.floor((low + high) / 2)"],
    ["block-seek.ts", "low = middle;", "low = middle + 1;"],
    ["block-seek.ts", "high = middle - 1;", "high = middle;"],
  ),
  one(
    "03.2",
    "S9",
    "shared bytes are taken for bytes that are missing",
    "a block whose keys share their beginnings is read and searched too",
    ["block-reader.ts", "shared.value === 0 ? suffix", "shared.value >= 0 ? suffix"],
  ),
];
