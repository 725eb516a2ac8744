import { defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";

/** The tests run the TypeScript sources; only spawned processes use `dist/`. */
const conditions = ["source", ...defaultServerConditions];

export default defineConfig({
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
