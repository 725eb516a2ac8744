/**
 * Every key is found, and in its place. Method: families of keys that are awkward for structures
 * that look at keys in part, in several orders of arrival, against the model; at a size at which
 * the tree has several levels as well.
 */
import { describe, test } from "vitest";
import * as memtable from "#memtable";
import { forEachSeed, scaled } from "../support/seeds.ts";
import { awkwardKeys, structures } from "./checks.ts";
import { arrivals, keyFamilies, keyFamilyNames } from "./keys.ts";

describe.each(structures)("%s", (structure) => {
  const subject = { module: memtable, structure };

  test.each(keyFamilyNames)("finds and orders keys: %s", (name) => {
    forEachSeed(1, (_, random) => {
      const family = keyFamilies[name]!;
      for (const arrival of Object.keys(arrivals)) {
        awkwardKeys(subject, random, { family, arrival, count: 400 });
      }
    });
  });
});
test.each(keyFamilyNames)("a tree of several levels finds and orders keys: %s", (name) => {
  forEachSeed(1, (_, random) => {
    const subject = { module: memtable, structure: "btree" as const };
    const family = keyFamilies[name]!;
    for (const arrival of Object.keys(arrivals)) {
      awkwardKeys(subject, random, { family, arrival, count: scaled(3000) });
    }
  });
});
