/**
 * The tests of the tests: each mistake planted in a checker must be caught, by the self-test that
 * is named for it, and the checkers as they are must pass that self-test with the same effort.
 */
import { expect, test } from "vitest";
import { InvariantError } from "#base";
import * as simulation from "#simulation";
import { plantIn } from "../../support/plant.ts";
import { mistakes } from "./mistakes/bank.ts";
import { type Checkers, type SelfTestName, selfTests, Wrong } from "./self-test.ts";

const LONG = { timeout: 60_000 };

function caught(name: SelfTestName, subject: Checkers): Error | null {
  try {
    selfTests[name](subject);
    return null;
  } catch (error) {
    if (error instanceof Wrong || error instanceof InvariantError) return error;
    throw error;
  }
}

test.each(Object.keys(selfTests) as SelfTestName[])("the checkers pass: %s", LONG, (name) => {
  expect(caught(name, simulation)).toBeNull();
});

for (const { name, caughtBy, patches } of mistakes) {
  test(`${caughtBy} catches: ${name}`, LONG, async () => {
    const subject = await plantIn<Checkers>("src/simulation/history", patches);
    expect(caught(caughtBy, subject), "it went unnoticed").not.toBeNull();
  });
}
