/**
 * What the public suite does not ask: durability, one process per directory, reading at moments,
 * bytes as they are, long reads that let others run. Method: real directories, real processes.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { CairnError, isCairnError } from "#base";
import { CairnLevel } from "#level";
import { createSimulatedDisk } from "#platform";
import { atTestEnd, temporaryDir } from "../support/processes.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

function fresh(): string {
  return join(temporaryDir(), "db");
}

/** An error that a promise rejects with; fails the test if it does not. */
async function rejection(promise: Promise<unknown>): Promise<Error & { readonly code?: string }> {
  return promise.then(
    () => {
      throw new Error("it did not reject");
    },
    (error: Error & { code?: string }) => error,
  );
}

/** A process that uses the built package: opens a database, does `script`, says so, and waits. */
async function childWith(location: string, script: string) {
  const source = `
    import { CairnLevel } from "cairn-db/level";
    const db = new CairnLevel(${JSON.stringify(location)});
    await db.open();
    ${script}
    console.log("ready");
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", source], {
    // From here the package finds itself by its name, as it finds its own built files.
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  atTestEnd(() => void child.kill("SIGKILL"));
  let said = "";
  child.stderr.on("data", (chunk) => {
    said += String(chunk);
  });
  const ended = once(child, "exit");
  const ready = once(createInterface(child.stdout), "line");
  await Promise.race([ready, ended.then(() => Promise.reject(new Error(said)))]);
  return {
    pid: child.pid ?? 0,
    async kill(): Promise<void> {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

describe("what was written is there", () => {
  test("after closing and opening again, by the same object and by another", async () => {
    const location = fresh();
    const db = new CairnLevel(location);
    await db.put("a", "1");
    await db.batch([
      { type: "put", key: "b", value: "2" },
      { type: "del", key: "a" },
    ]);
    await db.batch().put("c", "3").put("ü", "ö").del("b").write();
    await db.close();
    await db.open();
    expect(await db.iterator().all()).toEqual([
      ["c", "3"],
      ["ü", "ö"],
    ]);
    await db.close();
    const again = new CairnLevel(location, { createIfMissing: false });
    expect(await again.getMany(["a", "b", "c", "ü"])).toEqual([undefined, undefined, "3", "ö"]);
    expect(again.location).toBe(location);
    await again.close();
  });

  test("after the process that wrote it was killed, sync or not", async () => {
    const location = fresh();
    const child = await childWith(
      location,
      `for (let i = 0; i < 500; i++) await db.put("key" + i, "value" + i);
       await db.put("synced", "yes", { sync: true });
       await db.batch().put("last", "1").write();`,
    );
    await child.kill();
    const db = new CairnLevel(location);
    expect((await db.keys().all()).length).toBe(502);
    expect(await db.get("key499")).toBe("value499");
    expect(await db.get("last")).toBe("1");
    await db.close();
  });

  test("after a power failure, if it was written with sync", async () => {
    const disk = createSimulatedDisk({ seed: 7 });
    const db = new CairnLevel("db", { disk, background: "step" });
    await db.put("a", "1", { sync: true });
    await db.batch([{ type: "put", key: "b", value: "2" }], { sync: true });
    await db.batch().put("c", "3").write({ sync: true });
    const afterwards = disk.crash(8);
    const again = new CairnLevel("db", { disk: afterwards, background: "step" });
    expect(await again.values().all()).toEqual(["1", "2", "3"]);
    await again.close();
  });
});

describe("one process at a time", () => {
  test("a second one is refused, and told who the first one is", async () => {
    const location = fresh();
    const child = await childWith(location, "");
    const db = new CairnLevel(location);
    const error = await rejection(db.open());
    expect(error.code).toBe("LEVEL_DATABASE_NOT_OPEN");
    expect(error.cause).toMatchObject({ code: "LEVEL_LOCKED" });
    expect(String((error.cause as Error).message)).toContain(String(child.pid));
    expect(isCairnError((error.cause as Error).cause, "DISK_LOCKED")).toBe(true);
    expect(db.status).toBe("closed");
    await child.kill();
    await db.open();
    await db.close();
  });

  test("a second object of one process is refused too", async () => {
    const location = fresh();
    const first = new CairnLevel(location);
    await first.open();
    const error = await rejection(new CairnLevel(location).open());
    expect(error.cause).toMatchObject({ code: "LEVEL_LOCKED" });
    await first.close();
  });
});

describe("a moment", () => {
  test("stays for reads through a snapshot and for iterators made before", async () => {
    const db = new CairnLevel(fresh());
    await db.batch([
      { type: "put", key: "a", value: "1" },
      { type: "put", key: "b", value: "2" },
    ]);
    const snapshot = db.snapshot();
    const iterator = db.iterator();
    await db.put("a", "new");
    await db.del("b");
    expect(await db.get("a", { snapshot })).toBe("1");
    expect(db.getSync("b", { snapshot })).toBe("2");
    expect(await db.has("b", { snapshot })).toBe(true);
    expect(await db.iterator({ snapshot }).all()).toHaveLength(2);
    expect(await iterator.all()).toEqual([
      ["a", "1"],
      ["b", "2"],
    ]);
    await snapshot.close();
    expect((await rejection(db.get("a", { snapshot }))).code).toBe("LEVEL_SNAPSHOT_NOT_OPEN");
    expect(db.stats().snapshots).toBe(0);
    await db.close();
  });

  test("is the same for all keys of a long getMany", async () => {
    const db = new CairnLevel(fresh());
    const keys = Array.from({ length: 3000 }, (_, i) => `key${i}`);
    await db.batch(keys.map((key) => ({ type: "put", key, value: "old" })));
    const reading = db.getMany(keys);
    await db.batch(keys.map((key) => ({ type: "put", key, value: "new" })));
    expect(new Set(await reading)).toEqual(new Set(["old"]));
    await db.close();
  });

  test("of clearing removes what a snapshot holds, and nothing else", async () => {
    const db = new CairnLevel(fresh());
    const keys = Array.from({ length: 2500 }, (_, i) => String(i).padStart(4, "0"));
    await db.batch(keys.map((key) => ({ type: "put", key, value: key })));
    const snapshot = db.snapshot();
    await db.put("0000a", "later");
    await db.clear({ snapshot, lt: "2000" });
    expect(await db.keys().all()).toEqual(["0000a", ...keys.slice(2000)]);
    await db.clear({ reverse: true, limit: 499 });
    expect(await db.keys().all()).toEqual(["0000a", "2000"]);
    await db.close();
  });

  test("belongs to the kind of database that made it", async () => {
    const db = new CairnLevel(fresh());
    await db.open();
    const foreign = { ref() {}, unref() {} };
    expect(() => db.getSync("a", { snapshot: foreign as never })).toThrow(TypeError);
    await db.close();
  });
});

describe("bytes and strings", () => {
  test("come back in each encoding as they were", async () => {
    const db = new CairnLevel<Uint8Array, Uint8Array>(fresh(), {
      keyEncoding: "view",
      valueEncoding: "view",
    });
    const key = Uint8Array.of(0, 255, 0xef, 0xbb, 0xbf);
    const value = Uint8Array.from({ length: 256 }, (_, i) => i);
    await db.put(key, value);
    const back = await db.get(key);
    expect(Uint8Array.from(back ?? [])).toEqual(value);
    const buffer = db.getSync<Uint8Array, Buffer>(key, { valueEncoding: "buffer" });
    expect(Buffer.isBuffer(buffer)).toBe(true);
    expect(Uint8Array.from((await db.keys().all())[0] ?? [])).toEqual(key);
    await db.close();
  });

  test("a text of any length and with any characters is one key", async () => {
    const db = new CairnLevel(fresh());
    const texts = ["\ufeffmark", "é".repeat(7000), "x".repeat(70_000), "😀", "\u0000", "plain"];
    for (const text of texts) await db.put(text, text);
    expect(await db.getMany(texts)).toEqual(texts);
    expect(new Set(await db.keys().all())).toEqual(new Set(texts));
    await db.close();
  });

  test("what is handed out is the caller's own", async () => {
    const db = new CairnLevel<string, Buffer>(fresh(), { valueEncoding: "buffer" });
    await db.put("a", Buffer.from("value"));
    (await db.get("a"))?.fill(0);
    (await db.iterator().all())[0]?.[1].fill(0);
    expect(db.getSync("a")?.toString()).toBe("value");
    await db.close();
  });
});

describe("the event loop", () => {
  test("gets its turn during a long scan and a long series of gets", async () => {
    const db = new CairnLevel(fresh());
    const keys = Array.from({ length: 5000 }, (_, i) => `key${i}`);
    await db.batch(keys.map((key) => ({ type: "put", key, value: "v" })));
    for (const read of [
      async () => {
        for await (const _ of db.iterator());
      },
      async () => {
        for (const key of keys) await db.get(key);
      },
      () => db.iterator().all(),
      () => db.getMany(keys),
    ]) {
      let turns = 0;
      let isOver = false;
      const count = (): void => {
        turns += 1;
        if (!isOver) setImmediate(count);
      };
      setImmediate(count);
      await read();
      isOver = true;
      expect(turns).toBeGreaterThan(2);
    }
    await db.close();
  });

  test("an abort ends a long read that is under way", async () => {
    const db = new CairnLevel(fresh());
    const keys = Array.from({ length: 5000 }, (_, i) => `key${i}`);
    await db.batch(keys.map((key) => ({ type: "put", key, value: "v" })));
    const controller = new AbortController();
    const reading = rejection(db.iterator({ signal: controller.signal }).all());
    setImmediate(() => controller.abort());
    expect(await reading).toMatchObject({ code: "LEVEL_ABORTED", name: "AbortError" });
    await db.close();
  });
});

describe("what there is beside the common methods", () => {
  test("sizes, compaction and statistics, also asked for while opening", async () => {
    const db = new CairnLevel(fresh());
    const writing = db.batch(
      Array.from({ length: 1000 }, (_, i) => ({
        type: "put" as const,
        key: String(i).padStart(4, "0"),
        value: "x".repeat(100),
      })),
    );
    await db.compactRange("", "z");
    await writing;
    await db.compactRange("", "z");
    const all = await db.approximateSize("", "z");
    expect(all).toBeGreaterThan(50_000);
    expect(await db.approximateSize("0000", "0500")).toBeLessThan(all);
    expect(
      await db.approximateSize(Buffer.from("z"), Buffer.from("zz"), { keyEncoding: "buffer" }),
    ).toBe(0);
    const stats = db.stats();
    expect(stats.written.operations).toBe(1000);
    expect(stats.levels.some(({ entries }) => entries === 1000)).toBe(true);
    await db.close();
    expect(() => db.stats()).toThrow(/not open/);
    expect((await rejection(db.approximateSize("a", "b"))).code).toBe("LEVEL_DATABASE_NOT_OPEN");
    expect((await rejection(db.compactRange("a", "b"))).code).toBe("LEVEL_DATABASE_NOT_OPEN");
  });

  test("options of the engine reach it", async () => {
    const disk = createSimulatedDisk();
    const db = new CairnLevel("db", { disk, background: "step", cacheBytesMax: 12_345 });
    await db.open();
    expect(db.stats().cache.bytesMax).toBe(12_345);
    await db.close();
    await db.open({ cacheBytesMax: 54_321 });
    expect(db.stats().cache.bytesMax).toBe(54_321);
    await db.close();
  });

  test("a database is made of nothing but a path", () => {
    expect(() => new CairnLevel("")).toThrow(TypeError);
    expect(() => new CairnLevel(7 as unknown as string)).toThrow(TypeError);
  });

  test("damage is told by the name that LevelDB gives it, with file and offset", async () => {
    const location = fresh();
    const db = new CairnLevel(location);
    await db.put("a", "1");
    await db.close();
    rmSync(join(location, "CURRENT"));
    await expect(db.open()).rejects.toMatchObject({ cause: { code: "LEVEL_CORRUPTION" } });
    const cause = ((await rejection(db.open())).cause as Error).cause;
    expect(cause).toBeInstanceOf(CairnError);
  });

  test("parts of the database have encodings of their own", async () => {
    const db = new CairnLevel(fresh());
    const users = db.sublevel<string, { age: number }>("users", { valueEncoding: "json" });
    await users.put("ada", { age: 36 });
    expect(await users.get("ada")).toEqual({ age: 36 });
    await db.close();
  });
});
