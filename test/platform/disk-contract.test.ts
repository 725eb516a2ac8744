/**
 * The promises of `Disk`, kept by the real and by the simulated disk. Method: one suite, run
 * against both; so that what is tested on the simulated disk holds on the real one.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe } from "vitest";
import { createNodeDisk, createSimulatedDisk } from "#platform";
import { testDiskContract } from "./disk-contract.ts";

describe("the node disk", () => {
  const dirs: string[] = [];
  afterEach(() => {
    for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true });
  });
  testDiskContract(() => {
    const dir = mkdtempSync(join(tmpdir(), "cairn-disk-"));
    dirs.push(dir);
    return { disk: createNodeDisk(), dir };
  });
});

describe("the simulated disk", () => {
  testDiskContract(() => {
    const disk = createSimulatedDisk();
    disk.makeDir("/data");
    return { disk, dir: "/data" };
  });
});
