import { defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";

/** Modules of the reader that stand in for the reference: CAIRN_MINE=wal,memtable. */
const mine = (process.env["CAIRN_MINE"] ?? "").split(",").filter((name) => name !== "");

/** The tests run the TypeScript sources; only spawned processes use `dist/`. */
const conditions = [...mine.map((name) => `mine-${name}`), "source", ...defaultServerConditions];

/** Where the continuous build wants the counts, as JSON, besides the text on the screen. */
const report = process.env["CAIRN_TEST_REPORT"];

export default defineConfig({
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    reporters: report === undefined ? ["default"] : ["default", ["json", { outputFile: report }]],
  },
});
