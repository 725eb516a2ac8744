import { defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";

/** The tests run the TypeScript sources; only spawned processes use `dist/`. */
const conditions = ["source", ...defaultServerConditions];

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
