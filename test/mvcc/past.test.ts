/**
 * The past within the retention, while garbage goes. Method: past-checks.ts, on every layout and
 * with both pickers, from printed seeds.
 */
import { describe, test } from "vitest";
import { openMvcc } from "#mvcc";
import type { MvccOptions } from "#mvcc/types";
import { runSeeds } from "../support/seeds.ts";
import { pastRun } from "./past-checks.ts";

const kinds: Readonly<Record<string, Partial<MvccOptions>>> = {
  "timestamped, leveled": {},
  "timestamped, leveled with small levels": { engine: { levelRatio: 2, tableBytesMax: 1024 } },
  "timestamped, tiered": { engine: { picker: "tiered", levelRatio: 2 } },
  appended: { layout: "appended" },
  undo: { layout: "undo" },
};

const WHAT = "06.7 and 06.8: who reads the past sees it as it was, also after power cuts";

describe(WHAT, () => {
  test.each(Object.keys(kinds))("%s", { timeout: 60_000 }, async (kind) => {
    const name = `${WHAT} > ${kind}`;
    await runSeeds({ count: 8, name }, (seed) => pastRun({ openMvcc }, kinds[kind]!, seed, 250));
  });
});
