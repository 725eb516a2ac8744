/**
 * The public test suite that `abstract-level` brings for its implementations. Method: run it in a
 * harness of its own, on real directories, and take every assertion that fails as our failure. The
 * suite leaves out what a database does not declare, so it is also checked what we declare; it runs
 * a second time on a sublevel by itself.
 */
import { once } from "node:events";
import { createRequire } from "node:module";
import { join } from "node:path";
import tape from "tape";
import { expect, test } from "vitest";
import { CairnLevel } from "#level";
import { temporaryDir } from "../support/processes.ts";

/** As many as the suite has for a database that declares all that we declare. */
const ASSERTIONS_MIN = 5168;
/** Ten seconds of work, most of it opening databases; a busy machine takes many times that. */
const SUITE_MS_MAX = 300_000;

/** A line of the harness; only the ones of assertions count. */
interface HarnessRow {
  readonly type: "test" | "assert" | "end";
  readonly name?: string;
  readonly ok?: boolean;
  readonly error?: unknown;
  readonly actual?: unknown;
  readonly expected?: unknown;
}

type Harness = ReturnType<typeof tape.createHarness>;

type Suite = (options: {
  readonly test: Harness;
  readonly factory: (options?: object) => CairnLevel;
}) => void;

// The package is CommonJS, and has no types for its tests.
const suite = createRequire(import.meta.url)("abstract-level/test") as Suite;

/** Runs everything that `plan` adds to a harness. @returns one line per failed assertion. */
async function run(
  plan: (harness: Harness) => void,
): Promise<{ readonly failures: readonly string[]; readonly assertions: number }> {
  const harness = tape.createHarness({ autoclose: true });
  const rows = harness.createStream({ objectMode: true });
  plan(harness);
  const failures: string[] = [];
  let assertions = 0;
  let testName = "";
  rows.on("data", (row: HarnessRow) => {
    if (row.type === "test") testName = row.name ?? "";
    if (row.type !== "assert") return;
    assertions += 1;
    if (row.ok !== true) failures.push(`${testName}: ${textOf(row)}`);
  });
  await once(rows, "end");
  return { failures, assertions };
}

function textOf(row: HarnessRow): string {
  const why = row.error instanceof Error ? ` (${row.error.stack ?? row.error.message})` : "";
  return `${row.name}: ${String(row.actual)}, not ${String(row.expected)}${why}`;
}

test("the public suite of abstract-level passes, on the database and on a sublevel", {
  timeout: SUITE_MS_MAX,
}, async () => {
  const base = temporaryDir();
  let made = 0;
  const { failures, assertions } = await run((harness) => {
    const factory = (options?: object): CairnLevel => {
      made += 1;
      return new CairnLevel(join(base, String(made)), options);
    };
    suite({ test: harness, factory });
  });
  expect(failures).toEqual([]);
  expect(assertions).toBeGreaterThanOrEqual(ASSERTIONS_MIN);
});

test("an assertion that fails in the harness is a failure here", async () => {
  const { failures, assertions } = await run((harness) => {
    harness("arithmetic", (one) => {
      one.equal(2 + 2, 5, "sum");
      one.equal(1, 1);
      one.end();
    });
  });
  expect(assertions).toBe(2);
  expect(failures).toEqual([expect.stringContaining("arithmetic: sum: 4, not 5")]);
});

test("everything is declared that the suite can test, so that it leaves nothing out", async () => {
  const db = new CairnLevel(join(temporaryDir(), "db"));
  await db.open();
  expect(db.supports).toMatchObject({
    seek: true,
    has: true,
    getSync: true,
    createIfMissing: true,
    errorIfExists: true,
    implicitSnapshots: true,
    explicitSnapshots: true,
    permanence: true,
    deferredOpen: true,
    encodings: { utf8: true, buffer: true, view: true, json: true },
    signals: { iterators: true },
    additionalMethods: { approximateSize: true, compactRange: true, stats: true },
  });
  await db.close();
});
