/**
 * The reference's tables against a node that is alone. Method: every row is a test of its own; see
 * `case.ts` for what a row is.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startNodes, type TestNodes } from "./nodes.ts";
import { runCase } from "./runner.ts";
import { CASES } from "./table.ts";

/** What was promised. */
const ROWS_MIN = 250;

let cluster: TestNodes;

beforeAll(async () => {
  cluster = await startNodes(1);
});

afterAll(() => cluster.close());

test(`there are ${ROWS_MIN} rows and more, each with a name of its own`, () => {
  const names = CASES.map(({ section, name }) => `${section}: ${name}`);
  expect(names.length).toBeGreaterThanOrEqual(ROWS_MIN);
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
});

const rows = CASES.filter(({ role }) => role !== "follower").map(
  (row) => [`${row.section} ${row.name}`, row] as const,
);

test.each(rows)("%s", async (_title, row) => {
  const leader = await cluster.leader();
  await runCase({ asked: leader, leader }, cluster.dir, row);
});
