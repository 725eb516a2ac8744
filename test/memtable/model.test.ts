/**
 * A memtable is what the model is. Method: random operations from a printed seed, on every
 * structure, compared step by step with a map of all versions.
 */
import { describe, test } from "vitest";
import * as memtable from "#memtable";
import { forEachSeed } from "../support/seeds.ts";
import { randomOperations, readersComeAndGo, structures, writesBetweenMoves } from "./checks.ts";

describe.each(structures)("%s", (structure) => {
  const subject = { module: memtable, structure };

  test("02.2 thousands of random operations agree with the model", () => {
    forEachSeed(4, (_, random) => randomOperations(subject, random, 3000));
  });

  test("02.4 writes between the moves of a cursor neither confuse nor repeat", () => {
    forEachSeed(6, (_, random) => writesBetweenMoves(subject, random, 6));
  });

  test("a reader sees at its sequence what it saw at first, and nothing else is kept", () => {
    forEachSeed(6, (_, random) => readersComeAndGo(subject, random, 800));
  });
});
