/**
 * SQLite extensions: gathered from files, directories and archives, loaded into every connection.
 * Method: the library that better-sqlite3 brings for its own tests, in a real node.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createNodeDisk } from "#platform";
import { gatherExtensions } from "#server";
import { ask } from "../support/raw-http.ts";
import { startNodes } from "./compat/nodes.ts";

const LIBRARY = join(
  dirname(createRequire(import.meta.url).resolve("better-sqlite3/package.json")),
  "build/Release/test_extension.node",
);

/** A zip file of files that hold their own names, many times over. */
function zipOf(names: readonly string[]): Buffer {
  const parts: Buffer[] = [];
  const entries: Buffer[] = [];
  for (const name of names) {
    const packed = deflateRawSync(Buffer.from(name.repeat(99)));
    const offset = Buffer.concat(parts).length;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(name.length, 26);
    parts.push(local, Buffer.from(name), packed);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(8, 10);
    entry.writeUInt32LE(packed.length, 20);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(offset, 42);
    entries.push(entry, Buffer.from(name));
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(names.length, 10);
  end.writeUInt32LE(Buffer.concat(parts).length, 16);
  return Buffer.concat([...parts, ...entries, end]);
}

let dir = "";

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "cairn-extensions-"));
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

test("every connection has the functions of a library, and status names it", async () => {
  const cluster = await startNodes(1, ["-extensions-path", LIBRARY]);
  try {
    const { httpAddress } = await cluster.leader();
    const body = JSON.stringify([
      "CREATE TABLE t (n)",
      "INSERT INTO t VALUES (testExtensionFunction(1, 2, 3))",
      "SELECT n FROM t",
    ]);
    const written = await ask(httpAddress, "/db/request", { body });
    expect(written.text).toContain('"values":[[3]]');
    for (const flags of ["", "&db_timeout=30s"]) {
      const sql = encodeURIComponent("SELECT testExtensionFunction(1, 2) AS n");
      const read = await ask(httpAddress, `/db/query?q=${sql}${flags}`);
      expect(read.text).toContain('"values":[[2]]');
    }
    const names = await ask(httpAddress, "/status?key=extensions.names");
    expect(names.text).toBe('["test_extension.node"]');
  } finally {
    await cluster.close();
  }
});

test("without a library its functions are unknown, and SQL cannot load any", async () => {
  const cluster = await startNodes(1);
  try {
    const { httpAddress } = await cluster.leader();
    const calls = ["SELECT testExtensionFunction(1)", `SELECT load_extension('${LIBRARY}')`];
    const { text } = await ask(httpAddress, "/db/query", { body: JSON.stringify(calls) });
    const [first, second] = JSON.parse(text).results;
    expect(first.error).toBe("no such function: testExtensionFunction");
    expect(second.error).toBeDefined();
  } finally {
    await cluster.close();
  }
});

test("a library that is none keeps the node from starting, and is named", async () => {
  const file = join(dir, "none.so");
  writeFileSync(file, "no library");
  await expect(startNodes(1, ["-extensions-path", file])).rejects.toThrow(/none\.so/);
});

describe("libraries are gathered", () => {
  const disk = createNodeDisk();
  const gather = (...from: string[]): readonly string[] =>
    gatherExtensions(disk, from, join(dir, "gathered")).names;

  beforeEach(() => {
    mkdirSync(join(dir, "libs"));
    for (const name of ["b.so", "a.so", ".hidden"]) writeFileSync(join(dir, "libs", name), name);
  });

  test("from a directory: all but the hidden, by name", () => {
    expect(gather(join(dir, "libs"))).toEqual(["a.so", "b.so"]);
    expect(readdirSync(join(dir, "gathered")).sort()).toEqual(["a.so", "b.so"]);
  });

  test("from an empty directory: none, and what was there before is gone", () => {
    gather(join(dir, "libs"));
    mkdirSync(join(dir, "empty"));
    expect(gather(join(dir, "empty"))).toEqual([]);
    expect(readdirSync(join(dir, "gathered"))).toEqual([]);
  });

  test("from a file", () => {
    expect(gather(join(dir, "libs", "a.so"))).toEqual(["a.so"]);
  });

  test("from an archive of tar and gzip, and not from directories in it", () => {
    const archive = join(dir, "libs.tar.gz");
    execFileSync("tar", ["-czf", archive, "-C", join(dir, "libs"), "b.so", "a.so", ".hidden"]);
    expect(gather(archive)).toEqual(["a.so", "b.so"]);
    execFileSync("tar", ["-czf", archive, "-C", dir, "libs"]);
    expect(() => gather(archive)).toThrow(/directory/);
  });

  test("from a zip file", () => {
    const archive = join(dir, "libs.zip");
    writeFileSync(archive, zipOf(["b.so", "a.so", ".hidden"]));
    expect(gather(archive)).toEqual(["a.so", "b.so"]);
  });

  test("a damaged archive is refused by its name", () => {
    const archive = join(dir, "damaged.tar.gz");
    writeFileSync(archive, Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3]));
    expect(() => gather(archive)).toThrow(/damaged\.tar\.gz/);
  });

  test("the library of the tests is where it was", () => {
    cpSync(LIBRARY, join(dir, "libs", "c.node"));
    expect(gather(join(dir, "libs"))).toContain("c.node");
  });
});
