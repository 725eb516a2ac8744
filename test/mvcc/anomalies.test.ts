/**
 * What each level keeps its transactions from. Method: one script for each anomaly, run at both
 * levels on every layout; that snapshot isolation lets two of them happen is asserted as well.
 */
import { expect, test } from "vitest";
import { anomalies } from "./anomalies.ts";
import { fresh, LAYOUTS } from "./support.ts";

/** What theory says of snapshot isolation: these happen, and no others. */
const SNAPSHOT_ALLOWS = new Set(["write skew", "write skew by a phantom", "read-only anomaly"]);

const cases = LAYOUTS.flatMap((layout) => Object.keys(anomalies).map((name) => ({ layout, name })));

test.each(cases)("06.5 $layout: under snapshot isolation, $name", async ({ layout, name }) => {
  const { mvcc } = await fresh({ layout });
  expect(await anomalies[name]!(mvcc, "snapshot")).toBe(SNAPSHOT_ALLOWS.has(name));
  await mvcc.close();
});

test.each(cases)("06.6 $layout: never among serializable: $name", async ({ layout, name }) => {
  const { mvcc } = await fresh({ layout });
  expect(await anomalies[name]!(mvcc, "serializable")).toBe(false);
  await mvcc.close();
});
