/**
 * The directory of a cluster. Method: real files below a temporary directory; damage them, put
 * others' files beside them, open them twice.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { openClusterDirectory, openNodeLog } from "#cli";
import { createNodeDisk } from "#platform";
import { temporaryDir } from "../support/processes.ts";

const NODES = [
  { id: "n1", raftPort: 4101 },
  { id: "n2", raftPort: 4112 },
];

const disk = createNodeDisk();
let dir = "";
beforeEach(() => {
  dir = "";
});

function open(fresh = false) {
  dir ||= join(temporaryDir(), "deep", "cluster");
  return openClusterDirectory(disk, dir, { fresh });
}

describe("a cluster's directory", () => {
  test("is made when it is missing, and remembers the nodes from one start to the next", () => {
    const first = open();
    expect(first.remembered).toBeUndefined();
    first.remember(NODES);
    first.close();
    const second = open();
    expect(second.remembered).toEqual(NODES);
    second.close();
  });

  test("has one user at a time, and names the other one", () => {
    const first = open();
    expect(() => open()).toThrow(new RegExp(`another "cairn cluster", process ${process.pid}`));
    first.close();
    open().close();
  });

  test.each(["", "{", "null", '{"format":2,"nodes":[]}', '{"format":1,"nodes":[{"id":"n1"}]}'])(
    "refuses a cluster.json of %j, and leaves it as it is",
    (text) => {
      open().close();
      writeFileSync(join(dir, "cluster.json"), text);
      expect(() => open()).toThrow(/damaged or of another version/);
      expect(readFileSync(join(dir, "cluster.json"), "utf8")).toBe(text);
      // The lock is free again, and --fresh is the way out that the message names.
      open(true).close();
    },
  );
});

describe("--fresh", () => {
  test("removes the data and logs of the nodes, and nothing else", () => {
    const outside = temporaryDir();
    writeFileSync(join(outside, "precious"), "");
    const first = open();
    first.remember(NODES);
    first.close();
    mkdirSync(join(dir, "node1", "wal"), { recursive: true });
    writeFileSync(join(dir, "node1", "wal", "segment"), "");
    writeFileSync(join(dir, "node2.log"), "");
    writeFileSync(join(dir, "notes.txt"), "");
    symlinkSync(outside, join(dir, "node1", "link"));
    const second = open(true);
    expect(second.remembered).toBeUndefined();
    second.close();
    expect(readdirSync(dir).sort()).toEqual(["node1", "notes.txt"]);
    expect(readdirSync(join(dir, "node1"))).toEqual(["wal"]);
    expect(readdirSync(join(dir, "node1", "wal"))).toEqual([]);
    expect(existsSync(join(outside, "precious"))).toBe(true);
  });

  test("does nothing in a directory that is not a cluster's", () => {
    open().close();
    mkdirSync(join(dir, "node1"));
    expect(() => open(true)).toThrow(/--fresh removes nothing there/);
    expect(readdirSync(dir)).toEqual(["node1"]);
  });

  test("is happy with an empty directory", () => {
    open(true).close();
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe("a node's log", () => {
  test("goes on behind what earlier starts wrote, and keeps its last lines", () => {
    const path = join(temporaryDir(), "node1.log");
    writeFileSync(path, "before\n");
    const log = openNodeLog(disk, path);
    for (let line = 1; line <= 20; line += 1) log.write(Buffer.from(`line ${line}\nha`));
    log.write(Buffer.from("lf"));
    expect(log.tail()).toHaveLength(12);
    expect(log.tail().slice(-2)).toEqual(["haline 20", "half"]);
    log.close();
    expect(readFileSync(path, "utf8")).toMatch(/^before\nline 1\nhaline 2\n[\s\S]*half$/);
  });

  test("that cannot be written says so in its last lines, and throws nothing", () => {
    const log = openNodeLog(disk, temporaryDir());
    log.write(Buffer.from("still there\n"));
    expect(log.tail().join("\n")).toMatch(/not written any more: .*EISDIR\)\)\nstill there/);
    log.close();
  });
});
