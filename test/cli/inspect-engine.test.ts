/**
 * What `cairn inspect` says of an engine's files, sound and damaged. Method: an engine writes them
 * step by step, so that every size is known; the answer is compared with what people should see.
 */
import { execFile } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { createWriteBatch, type Engine, openEngine } from "#lsm";
import { CAIRN, temporaryDir } from "../support/processes.ts";
import { bytes, cut, damage, disk, look } from "./inspect-support.ts";

const TABLE = "000003.sst";

async function writeSome(engine: Engine, from: number): Promise<void> {
  for (let i = from; i < from + 3; i += 1) {
    const batch = createWriteBatch();
    batch.put(bytes(`key-${i}`), bytes(`value of ${i}`));
    batch.put(Uint8Array.of(0xff, i), bytes(""));
    if (i > 0) batch.delete(bytes(`key-${i - 1}`));
    await engine.write(batch);
  }
}

/** An engine with one table and some writes that are only in its log; closed. */
async function engineDir(): Promise<string> {
  const dir = join(temporaryDir(), "store");
  const engine = openEngine({ disk, dir, background: "step" });
  await writeSome(engine, 0);
  const flushed = engine.flush();
  while (engine.step());
  await flushed;
  await writeSome(engine, 3);
  await engine.close();
  return dir;
}

/** The one name in `dir` that begins so. */
function find(dir: string, start: string): string {
  const name = readdirSync(dir).find((one) => one.startsWith(start));
  if (name === undefined) throw new Error(`nothing in ${dir} begins with ${start}`);
  return join(dir, name);
}

describe("an engine", () => {
  test("that is sound", async () => {
    const { text, exitCode } = look(await engineDir());
    expect(text).toMatchInlineSnapshot(`
      "DIR/store: engine
        verdict      sound
        manifest     1
        steps        3
        tables       1
        table bytes  164
        log          2, from record 4
        sequence     tables hold changes up to 8
        next number  5
        log records  1 to 6

      files
        file             bytes  kind      state
        000003.sst         164  table     sound
        CURRENT             24  current   sound
        log-000002       16476  log       sound
        manifest-000001    172  manifest  sound

      steps
        offset  bytes  record  holds
            32     33       1  state: log 0, from record 1, tables up to sequence 0, next number 2
            65     32       2  edit: log 2, from record 1, next number 3
            97     50       3  edit: +3 to level 0, from record 4, tables up to sequence 8, next number 5

      tables
        level  run  table  bytes  entries  deletions  smallest  largest
            0    4      3    164        6          2  "key-0"   0xff02"
    `);
    expect(exitCode).toBe(0);
  });

  test("in which a table is damaged and another file counts no more", async () => {
    const dir = await engineDir();
    damage(find(dir, TABLE), 20);
    disk.open(join(dir, "000999.sst"), "create-new").close();
    const { text, exitCode } = look(dir);
    expect(exitCode).toBe(1);
    expect(text).toContain("000003.sst: byte 0: block 0: checksum mismatch");
    expect(text).toMatch(/000999\.sst .*counts no more/);
  });

  test("in which files are missing", async () => {
    const dir = await engineDir();
    rmSync(find(dir, TABLE));
    expect(look(dir)).toMatchObject({
      exitCode: 1,
      text: expect.stringContaining("000003.sst: missing, but named by the manifest"),
    });
    rmSync(find(dir, "CURRENT"));
    expect(look(dir)).toMatchObject({
      exitCode: 1,
      text: expect.stringContaining("CURRENT: missing"),
    });
  });

  test("whose log is damaged in the middle", async () => {
    const dir = await engineDir();
    const segment = find(find(dir, "log-"), "0");
    damage(segment, 80);
    const { text, exitCode } = look(dir);
    expect(exitCode).toBe(1);
    expect(text).toMatch(/log-\d+\/\d+\.wal: byte \d+: record \d+: checksum mismatch/);
  });
});

describe("the log of an engine", () => {
  test("shows the writes of each record, and each key if asked", async () => {
    const dir = await engineDir();
    const { text, exitCode } = look(find(find(dir, "log-"), "0"), { keys: true, limit: 4 });
    expect(text).toMatchInlineSnapshot(`
      "DIR/store/log-000002/0000000000000001.wal: segment of a log
        verdict  sound
        size     16476 bytes, frames up to byte 452
        segment  1
        records  1 to 6
        durable  at least up to 6
        holds    writes of an engine

      frames
        offset  bytes  kind    record  holds
            32     60  record       1  from sequence 1: put "key-0", put 0xff00
            92     67  record       2  from sequence 3: put "key-1", put 0xff01, delete "key-0"
           159     67  record       3  from sequence 6: put "key-2", put 0xff02, delete "key-1"
           226     67  record       4  from sequence 9: put "key-3", put 0xff03, delete "key-2"
        3 more: --limit, --from

      entries
        offset  sequence  kind  key      value bytes
            32         1  put   "key-0"           10
            32         2  put   0xff00             0
            92         3  put   "key-1"           10
            92         4  put   0xff01             0
        13 more: --limit, --from"
    `);
    expect(exitCode).toBe(0);
  });
});

describe("a manifest", () => {
  test("that is sound", async () => {
    const { text, exitCode } = look(find(await engineDir(), "manifest-"));
    expect(text).toMatchInlineSnapshot(`
      "DIR/store/manifest-000001: manifest
        verdict      sound
        steps        3
        tables       1
        table bytes  164
        log          2, from record 4
        sequence     tables hold changes up to 8
        next number  5

      steps
        offset  bytes  record  holds
            32     33       1  state: log 0, from record 1, tables up to sequence 0, next number 2
            65     32       2  edit: log 2, from record 1, next number 3
            97     50       3  edit: +3 to level 0, from record 4, tables up to sequence 8, next number 5

      tables
        level  run  table  bytes  entries  deletions  smallest  largest
            0    4      3    164        6          2  "key-0"   0xff02"
    `);
    expect(exitCode).toBe(0);
  });

  test("that is damaged in the middle", async () => {
    const dir = find(await engineDir(), "manifest-");
    damage(find(dir, "0"), 75);
    const { text, exitCode } = look(dir);
    expect(text).toMatchInlineSnapshot(`
      "DIR/store/manifest-000001: manifest
        verdict      damaged
        steps        1
        tables       0
        table bytes  0
        log          none
        sequence     tables hold changes up to 0
        next number  2

      problems
        0000000000000001.wal: byte 65: record 2: unexpected lsn

      steps
        offset  bytes  record  holds
            32     33       1  state: log 0, from record 1, tables up to sequence 0, next number 2"
    `);
    expect(exitCode).toBe(1);
  });

  test("whose last step is torn is no damage", async () => {
    const dir = find(await engineDir(), "manifest-");
    const segment = find(dir, "0");
    cut(segment, disk.open(segment, "read").size() - 27);
    const { text, exitCode } = look(dir);
    expect(text).toContain("verdict      torn");
    expect(exitCode).toBe(0);
  });

  test("is named by a file, which may be damaged too", async () => {
    const path = find(await engineDir(), "CURRENT");
    expect(look(path)).toMatchInlineSnapshot(`
      {
        "exitCode": 0,
        "text": "DIR/store/CURRENT: name of a manifest
        verdict   sound
        manifest  1",
      }
    `);
    damage(path, 0);
    expect(look(path)).toMatchInlineSnapshot(`
      {
        "exitCode": 1,
        "text": "DIR/store/CURRENT: name of a manifest
        verdict  damaged

      problems
        CURRENT: byte 0: checksum mismatch",
      }
    `);
  });
});

describe("the program", () => {
  const run = promisify(execFile);

  test("prints what was found and exits with what it means", async () => {
    const dir = await engineDir();
    const sound = await run(process.execPath, [CAIRN, "inspect", dir, "--limit", "3"]);
    expect(sound.stdout).toContain("verdict      sound");
    damage(find(dir, TABLE), 20);
    await expect(run(process.execPath, [CAIRN, "inspect", "--json", dir])).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringContaining('"verdict": "damaged"'),
    });
    await expect(run(process.execPath, [CAIRN, "inspect", `${dir}/none`])).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining("none"),
    });
  });
});
