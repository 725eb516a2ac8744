/**
 * `replaceFile` against power cuts at every crash point, failing syncs and a full disk; and what is
 * lost without it.
 */
import { describe, expect, test } from "vitest";
import { compareBytes, directoryOf, replaceFile } from "#bytes";
import { createSimulatedDisk, isPowerCut } from "#platform";
import type { Disk, SimulatedDisk } from "#platform/types";
import { scaled } from "../support/seeds.ts";

const PATH = "state/settings";
const OLD = new Uint8Array(900).fill(1);
const NEW = new Uint8Array(1400).fill(2);

type Replace = (disk: Disk, path: string, content: Uint8Array) => void;

function diskWithOld(options: { capacityBytes?: number } = {}): SimulatedDisk {
  const disk = createSimulatedDisk(options);
  disk.makeDir("state");
  replaceFile(disk, PATH, OLD);
  return disk;
}

/** What is at the path: "old", "new", "missing" or "mixed". */
function found(disk: SimulatedDisk): string {
  if (!disk.exists(PATH)) return "missing";
  const content = disk.content(PATH);
  if (compareBytes(content, OLD) === 0) return "old";
  return compareBytes(content, NEW) === 0 ? "new" : "mixed";
}

/**
 * Every outcome over all crash points and many seeds; `after`: with the power cut after the return.
 */
function outcomes(replace: Replace): { during: Set<string>; after: Set<string> } {
  const during = new Set<string>();
  const after = new Set<string>();
  for (let point = 0; ; point += 1) {
    const disk = diskWithOld();
    disk.cutPowerAt(disk.operations + point);
    let ended = true;
    try {
      replace(disk, PATH, NEW);
    } catch (error) {
      if (!isPowerCut(error)) throw error;
      ended = false;
    }
    for (let seed = 0; seed < scaled(100); seed += 1) {
      (ended ? after : during).add(found(disk.crash(seed)));
    }
    if (ended) return { during, after };
  }
}

function write(disk: Disk, path: string, options: { sync: boolean }): void {
  const file = disk.open(path, "read-write");
  file.truncate(0);
  file.write(0, NEW);
  if (options.sync) file.sync();
  file.close();
}

test("00.5 a write without a sync may be lost, kept or mixed", () => {
  const { after } = outcomes((disk, path) => write(disk, path, { sync: false }));
  expect([...after].sort()).toEqual(["mixed", "new", "old"]);
});

describe("00.6 replaceFile", () => {
  test("00.6 leaves the old content or the new at each crash point, then the new", () => {
    const { during, after } = outcomes(replaceFile);
    expect([...during].sort()).toEqual(["new", "old"]);
    expect([...after]).toEqual(["new"]);
  });

  test("00.6 works where there was no file, which is then missing or whole", () => {
    for (let point = 0; point < 20; point += 1) {
      const disk = createSimulatedDisk();
      disk.makeDir("state");
      disk.cutPowerAt(point);
      try {
        replaceFile(disk, PATH, NEW);
      } catch (error) {
        if (!isPowerCut(error)) throw error;
      }
      for (let seed = 0; seed < scaled(30); seed += 1) {
        expect(["missing", "new"]).toContain(found(disk.crash(seed)));
      }
    }
  });

  const temporary = `${PATH}.tmp`;
  const mistakes: [string, Replace, "during" | "after"][] = [
    ["without a temporary file", (disk, path) => write(disk, path, { sync: true }), "during"],
    [
      "without syncing the file before the rename",
      (disk, path) => {
        write(disk, temporary, { sync: false });
        disk.rename(temporary, path);
        disk.syncDir("state");
      },
      "after",
    ],
    [
      "without syncing the directory",
      (disk, path) => {
        write(disk, temporary, { sync: true });
        disk.rename(temporary, path);
      },
      "after",
    ],
  ];

  test.each(mistakes)("00.6 is caught when done %s", (_, replace, when) => {
    const seen = outcomes(replace)[when];
    const allowed = when === "after" ? ["new"] : ["old", "new"];
    expect([...seen].filter((outcome) => !allowed.includes(outcome))).not.toEqual([]);
  });

  test("00.6 a full disk leaves the old content, and no temporary file", () => {
    const disk = diskWithOld({ capacityBytes: OLD.length + 700 });
    expect(() => replaceFile(disk, PATH, NEW)).toThrow(
      expect.objectContaining({ code: "DISK_FULL" }),
    );
    expect(found(disk)).toBe("old");
    expect(disk.list("state")).toEqual(["settings"]);
    for (let seed = 0; seed < scaled(50); seed += 1) expect(found(disk.crash(seed))).toBe("old");
  });

  test("00.6 a failed sync leaves the old content, and a later call succeeds", () => {
    const disk = diskWithOld();
    disk.plan({ operation: "sync", fault: "EIO", after: 0 });
    expect(() => replaceFile(disk, PATH, NEW)).toThrow(
      expect.objectContaining({ code: "DISK_IO" }),
    );
    expect(found(disk)).toBe("old");
    replaceFile(disk, PATH, NEW);
    for (let seed = 0; seed < scaled(50); seed += 1) expect(found(disk.crash(seed))).toBe("new");
  });

  test("00.6 overwrites a longer temporary file that a crash left behind", () => {
    const disk = diskWithOld();
    const left = disk.open(`${PATH}.replacing`, "create-new");
    left.write(0, new Uint8Array(5000).fill(9));
    left.close();
    replaceFile(disk, PATH, NEW);
    expect(found(disk)).toBe("new");
    expect(disk.list("state")).toEqual(["settings"]);
  });
});

test("the directory of a path is what comes before its last slash", () => {
  expect(directoryOf("a/b/c")).toBe("a/b");
  expect(directoryOf("/a")).toBe("/");
  expect(directoryOf("a")).toBe(".");
});
