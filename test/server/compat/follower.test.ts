/**
 * The reference's tables against a follower of three: what it answers itself, what it passes on,
 * and where it sends its callers. Method: the same rows as for a lone node, asked of a follower.
 */
import { afterAll, beforeAll, test } from "vitest";
import { startNodes, type TestNodes } from "./nodes.ts";
import { runCase } from "./runner.ts";
import { CASES } from "./table.ts";

let cluster: TestNodes;

beforeAll(async () => {
  cluster = await startNodes(3);
});

afterAll(() => cluster.close());

const rows = CASES.filter(({ role }) => role !== "leader").map(
  (row) => [`${row.section} ${row.name}`, row] as const,
);

test.each(rows)("%s", async (_title, row) => {
  const leader = await cluster.leader();
  const asked = cluster.nodes.find((node) => node !== leader);
  if (asked === undefined) throw new Error("three nodes have two followers");
  await runCase({ asked, leader }, cluster.dir, row);
});
