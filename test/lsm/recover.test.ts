/**
 * Opening what a process or a machine left behind (L2, L7, L9). Method: make a directory on a
 * simulated disk, change one thing in it, open it, and look at the content and the report.
 */
import { describe, expect, test } from "vitest";
import type { SimulatedDisk } from "#platform/types";
import {
  b,
  contentOf,
  DIR,
  drain,
  filler,
  fillMemtable,
  fresh,
  open,
  s,
} from "./engine-support.ts";

const tablesOf = (disk: SimulatedDisk): string[] =>
  disk.list(DIR).filter((name) => name.endsWith(".sst"));

function write(disk: SimulatedDisk, path: string, bytes: Uint8Array): void {
  const handle = disk.open(path, "read-write");
  handle.write(0, bytes);
  handle.close();
}

/** Two tables and a few writes in the log. */
async function used(): Promise<SimulatedDisk> {
  const { engine, disk } = fresh({ levelZeroCompactRuns: 9 });
  for (const key of ["a", "b"]) {
    await engine.put(b(key), b("table"));
    await engine.flush();
  }
  await engine.put(b("b"), b("log"));
  await engine.put(b("c"), b("log"), { sync: true });
  return disk.kill();
}

describe("the log", () => {
  test("gives back what is in no table, and nothing else", async () => {
    const disk = await used();
    const engine = open(disk);
    expect(contentOf(engine)).toEqual({ a: "table", b: "log", c: "log" });
    expect(engine.report).toMatchObject({ created: false, tables: 2, replayedGroups: 2 });
    expect(engine.sequence).toBe(4);
    await engine.put(b("d"), b("new"));
    expect(engine.sequence).toBe(5);
  });

  test("of more than one memtable is replayed into several", async () => {
    const { engine, disk } = fresh({ frozenMemtablesMax: 8 });
    for (let fill = 1; fill < 4; fill += 1) await fillMemtable(engine, fill);
    const content = contentOf(engine);
    const again = open(disk.kill());
    expect(again.stats().frozenMemtables).toBeGreaterThan(2);
    expect(contentOf(again)).toEqual(content);
    drain(again);
    expect(contentOf(again)).toEqual(content);
    expect(contentOf(open(disk.kill()))).toEqual(content);
  });

  test("is retired as far as tables hold it", async () => {
    const { engine } = fresh({ memtableBytesMax: 1 << 20 });
    for (let i = 0; i < 300; i += 1) {
      await engine.put(b(`key${i}`), filler(50_000));
      if (i % 10 === 0) drain(engine);
    }
    await engine.flush();
    drain(engine);
    // Segments are as large as four memtables, and the last one stays.
    expect(engine.stats().written.logBytes).toBeGreaterThan(15_000_000);
    expect(engine.stats().logBytes).toBeLessThan(5_500_000);
  });

  test("that was closed empty is opened by the first write, and as safe as any", async () => {
    const { engine, disk } = fresh();
    await engine.close();
    const before = disk.operations;
    const looked = open(disk);
    expect(looked.get(b("a"))).toBeUndefined();
    expect(looked.stats().logBytes).toBeGreaterThan(0);
    await looked.close();
    expect(disk.operations).toBe(before);
    const again = open(disk);
    await again.put(b("a"), b("1"), { sync: true });
    await again.put(b("b"), b("2"));
    expect(contentOf(open(disk.crash(1)))).toMatchObject({ a: "1" });
  });

  test("that cannot be opened for the first write is replaced by another one", async () => {
    const { engine, disk } = fresh();
    await engine.close();
    const again = open(disk);
    disk.plan({ operation: "open", fault: "EIO", after: 0, path: "log-" });
    await expect(again.put(b("a"), b("1"))).rejects.toMatchObject({ code: "LSM_WRITE_REFUSED" });
    drain(again);
    await again.put(b("b"), b("2"), { sync: true });
    expect(contentOf(open(disk.kill()))).toEqual({ b: "2" });
  });

  test("with a torn end is cut, and the report says so", async () => {
    const { engine, disk } = fresh();
    await engine.put(b("a"), b("1"));
    await engine.put(b("b"), b("2"));
    const dead = disk.kill();
    const log = `${DIR}/${dead.list(DIR).find((name) => name.startsWith("log-"))}`;
    const path = `${log}/${dead.list(log)[0]}`;
    const content = dead.content(path);
    const at = content.findLastIndex((byte) => byte !== 0);
    dead.flipBit(path, at, 1);
    const again = open(dead);
    expect(contentOf(again)).toEqual({ a: "1" });
    expect(again.report.droppedLogBytes).toBeGreaterThan(0);
    await again.put(b("c"), b("3"));
    expect(again.sequence).toBe(2);
  });
});

describe("files", () => {
  test("that belong to nobody go, and their numbers are not used again", async () => {
    const disk = await used();
    write(disk, `${DIR}/000090.sst`, b("half"));
    write(disk, `${DIR}/000091.sst.tmp`, b("half"));
    disk.makeDir(`${DIR}/log-000092`);
    write(disk, `${DIR}/log-000092/x`, b("half"));
    const engine = open(disk);
    expect([...engine.report.removedFiles].sort()).toEqual([
      "000090.sst",
      "000091.sst.tmp",
      "log-000092",
    ]);
    const before = tablesOf(disk);
    await engine.flush();
    const made = tablesOf(disk).find((name) => !before.includes(name));
    expect(Number.parseInt(made!, 10)).toBeGreaterThan(92);
  });

  test("that nobody knows stay", async () => {
    const disk = await used();
    write(disk, `${DIR}/notes.txt`, b("mine"));
    open(disk);
    expect(s(disk.content(`${DIR}/notes.txt`))).toBe("mine");
  });

  test("that the manifest names must be there, or nothing is changed", async () => {
    const disk = await used();
    const [table] = tablesOf(disk);
    disk.unlink(`${DIR}/${table}`);
    write(disk, `${DIR}/000090.sst`, b("perhaps the missing one"));
    const before = disk.operations;
    expect(() => open(disk)).toThrow(
      expect.objectContaining({
        code: "LSM_CORRUPT",
        details: { file: `${DIR}/${table}`, offset: 0 },
      }),
    );
    expect(disk.operations).toBe(before);
    // The lock is free again.
    expect(() => open(disk)).toThrow(expect.objectContaining({ code: "LSM_CORRUPT" }));
  });

  test("of a log that is gone are missed", async () => {
    const disk = await used();
    const log = `${DIR}/${disk.list(DIR).find((name) => name.startsWith("log-"))}`;
    for (const name of disk.list(log)) disk.unlink(`${log}/${name}`);
    expect(() => open(disk)).toThrow(expect.objectContaining({ code: "LSM_CORRUPT" }));
  });
});

describe("opening again", () => {
  test("gives the same content, however often", async () => {
    let disk = await used();
    const content = contentOf(open(disk.kill()));
    disk = disk.kill();
    for (let life = 0; life < 4; life += 1) {
      expect(contentOf(open(disk))).toEqual(content);
      disk = disk.crash(life);
    }
  });

  test("after a power cut at any point of an opening gives the same content", async () => {
    const disk = await used();
    const content = contentOf(open(disk.kill()));
    const probe = disk.kill();
    open(probe);
    for (let cut = 0; cut <= probe.operations; cut += 1) {
      const cutShort = disk.kill();
      cutShort.cutPowerAt(cut);
      try {
        open(cutShort);
      } catch {
        // The power cut; what counts is the next life.
      }
      expect(contentOf(open(cutShort.crash(cut)))).toEqual(content);
    }
  });
});
