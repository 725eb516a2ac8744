/**
 * What `cairn inspect` says of files of every kind, sound and damaged. Method: the modules write
 * the files, a byte is changed, and the text is compared with the text that people should see.
 */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { encodeLogRecord } from "#replica";
import { temporaryDir } from "../support/processes.ts";
import { bytes, cut, damage, logWith, look, tableAt } from "./inspect-support.ts";

const RAFT_RECORDS = [
  encodeLogRecord({ type: "hardState", hardState: { term: 3, vote: 1 } }),
  encodeLogRecord({ type: "entry", term: 3, index: 1, bytes: bytes("first") }),
  encodeLogRecord({ type: "entry", term: 3, index: 2, bytes: bytes("second") }),
  encodeLogRecord({ type: "truncate", from: 2 }),
];

describe("a segment of a log", () => {
  test("that is sound", async () => {
    const path = await logWith(join(temporaryDir(), "raft"), RAFT_RECORDS);
    const { text, exitCode } = look(path);
    expect(text).toMatchInlineSnapshot(`
      "DIR/raft/0000000000000001.wal: segment of a log
        verdict  sound
        size     224 bytes, frames up to byte 224
        segment  1
        records  1 to 4
        durable  at least up to 4
        holds    a Raft log

      frames
        offset  bytes  kind    record  holds
            32     38  record       1  term 3, vote 1
            70     47  record       2  entry 1 of term 3, 5 bytes
           117     48  record       3  entry 2 of term 3, 6 bytes
           165     34  record       4  entries from 2 on are void
           199     25  mark         5  durable up to 4"
    `);
    expect(exitCode).toBe(0);
  });

  test("that is damaged in the middle", async () => {
    const path = await logWith(join(temporaryDir(), "raft"), RAFT_RECORDS);
    damage(path, 100);
    const { text, exitCode } = look(path);
    expect(text).toMatchInlineSnapshot(`
      "DIR/raft/0000000000000001.wal: segment of a log
        verdict  damaged
        size     224 bytes, frames up to byte 70
        segment  1
        records  1
        durable  not known
        holds    a Raft log

      problems
        byte 70: record 2: checksum mismatch
        byte 117: a frame here says that it was durable

      frames
        offset  bytes  kind    record  holds
            32     38  record       1  term 3, vote 1"
    `);
    expect(exitCode).toBe(1);
  });

  test("that ends in the middle of a record, as a crash leaves it", async () => {
    const path = await logWith(join(temporaryDir(), "raft"), RAFT_RECORDS);
    cut(path, 120);
    const { text, exitCode } = look(path);
    expect(text).toMatchInlineSnapshot(`
      "DIR/raft/0000000000000001.wal: segment of a log
        verdict  torn
        size     120 bytes, frames up to byte 117
        segment  1
        records  1 to 2
        durable  at least up to 1
        holds    a Raft log

      problems
        byte 117: record 3: header cut off
        opening the log cuts 3 bytes off, if this is its last segment

      frames
        offset  bytes  kind    record  holds
            32     38  record       1  term 3, vote 1
            70     47  record       2  entry 1 of term 3, 5 bytes"
    `);
    expect(exitCode).toBe(0);
  });

  test("whose records nobody knows are shown as text or in hexadecimal", async () => {
    const payloads = [bytes("plain text"), Uint8Array.of(0x1b, 0x5b, 0x32, 0x4a), bytes("")];
    const { text } = look(await logWith(join(temporaryDir(), "log"), payloads));
    expect(text).toMatchInlineSnapshot(`
      "DIR/log/0000000000000001.wal: segment of a log
        verdict  sound
        size     146 bytes, frames up to byte 146
        segment  1
        records  1 to 3
        durable  at least up to 3
        holds    records of a kind that cairn does not know

      frames
        offset  bytes  kind    record  holds
            32     35  record       1  "plain text"
            67     29  record       2  0x1b5b324a
            96     25  record       3  ""
           121     25  mark         4  durable up to 3"
    `);
  });

  test("is known by what it holds, under any name", async () => {
    const dir = join(temporaryDir(), "raft");
    const path = await logWith(dir, RAFT_RECORDS);
    renameSync(path, join(dir, "copy of something.sst"));
    expect(look(join(dir, "copy of something.sst")).text).toContain("segment of a log");
  });

  test("with a damaged beginning is known by its name, and what is sound is shown", async () => {
    const path = await logWith(join(temporaryDir(), "raft"), RAFT_RECORDS);
    damage(path, 6);
    const { text, exitCode } = look(path);
    expect(exitCode).toBe(1);
    expect(text).toContain("byte 0: segment header: checksum mismatch");
    expect(text).toContain("entry 2 of term 3, 6 bytes");
  });
});

describe("a log", () => {
  test("that is sound", async () => {
    const dir = join(temporaryDir(), "raft");
    await logWith(dir, RAFT_RECORDS, 120);
    const { text, exitCode } = look(dir);
    expect(text).toMatchInlineSnapshot(`
      "DIR/raft: log
        verdict  sound
        records  1 to 4
        holds    a Raft log

      segments
        file                  bytes  first  records  marks  verdict
        0000000000000001.wal    117      1        2      0  sound
        0000000000000002.wal    139      3        2      1  sound"
    `);
    expect(exitCode).toBe(0);
  });

  test("whose older segment is cut is damaged, since the next one says what it held", async () => {
    const dir = join(temporaryDir(), "raft");
    cut(await logWith(dir, RAFT_RECORDS, 120), 90);
    const { text, exitCode } = look(dir);
    expect(text).toMatchInlineSnapshot(`
      "DIR/raft: log
        verdict  damaged
        records  1 to 4
        holds    a Raft log

      problems
        0000000000000001.wal: byte 70: record 2: header cut off
        0000000000000001.wal: byte 70: 2 missing: the next segment begins with 3

      segments
        file                  bytes  first  records  marks  verdict
        0000000000000001.wal     90      1        1      0  damaged
        0000000000000002.wal    139      3        2      1  sound"
    `);
    expect(exitCode).toBe(1);
  });
});

describe("a table", () => {
  test("that is sound, with its entries", () => {
    const path = join(temporaryDir(), "000007.sst");
    tableAt(path);
    const { text, exitCode } = look(path, { keys: true });
    expect(text).toMatchInlineSnapshot(`
      "DIR/000007.sst: table
        verdict    sound
        size       330 bytes
        table      7
        entries    12, of which 2 deletions
        keys       0x00ff07 to "key-11"
        sequences  100 to 111

      parts
        offset  bytes  kind        entries  state
             0    115  data              7  sound
           115     86  data              5  sound
           201     21  filter            -  sound
           222     21  properties        -  sound
           243     27  index             -  sound
           270     60  footer            -  sound

      entries
        offset  sequence  kind    key       value bytes
             0       100  put     0x00ff07           10
             0       101  put     "key-01"           10
             0       102  put     "key-02"           10
             0       103  put     "key-03"           10
             0       104  delete  "key-04"            -
             0       105  put     "key-05"           10
             0       106  put     "key-06"           10
           115       107  put     "key-07"           10
           115       108  put     "key-08"           10
           115       109  delete  "key-09"            -
           115       110  put     "key-10"           11
           115       111  put     "key-11"           11"
    `);
    expect(exitCode).toBe(0);
  });

  test("with one damaged block", () => {
    const path = join(temporaryDir(), "000007.sst");
    tableAt(path);
    damage(path, 150);
    const { text, exitCode } = look(path);
    expect(text).toMatchInlineSnapshot(`
      "DIR/000007.sst: table
        verdict    damaged
        size       330 bytes
        table      7
        entries    12, of which 2 deletions
        keys       0x00ff07 to "key-11"
        sequences  100 to 111

      problems
        byte 115: block 1: checksum mismatch

      parts
        offset  bytes  kind        entries  state
             0    115  data              7  sound
           115     86  data              -  damaged
           201     21  filter            -  sound
           222     21  properties        -  sound
           243     27  index             -  sound
           270     60  footer            -  sound"
    `);
    expect(exitCode).toBe(1);
  });

  test("whose end is gone is known by its name", () => {
    const path = join(temporaryDir(), "000007.sst");
    tableAt(path);
    cut(path, 300);
    const { text, exitCode } = look(path);
    expect(text).toMatchInlineSnapshot(`
      "DIR/000007.sst: table
        verdict  damaged

      problems
        byte 240: footer: not a table of this kind
        nothing can be found without the footer

      parts
        offset  bytes  kind    entries  state
           240     60  footer        -  damaged"
    `);
    expect(exitCode).toBe(1);
  });
});

describe("how much is shown", () => {
  test("a limit and an offset hold for each list, and what is left out is counted", () => {
    const path = join(temporaryDir(), "000007.sst");
    tableAt(path);
    const { text } = look(path, { keys: true, limit: 2, from: 100 });
    expect(text).toMatchInlineSnapshot(`
      "DIR/000007.sst: table
        verdict    sound
        size       330 bytes
        table      7
        entries    12, of which 2 deletions
        keys       0x00ff07 to "key-11"
        sequences  100 to 111

      parts
        offset  bytes  kind    entries  state
           115     86  data          5  sound
           201     21  filter        -  sound
        4 more: --limit, --from

      entries
        offset  sequence  kind  key       value bytes
           115       107  put   "key-07"           10
           115       108  put   "key-08"           10
        10 more: --limit, --from"
    `);
  });

  test("JSON says the same", async () => {
    const path = await logWith(join(temporaryDir(), "raft"), RAFT_RECORDS);
    damage(path, 100);
    const report = JSON.parse(look(path, { json: true, limit: 1 }).text);
    expect(report).toMatchObject({
      kind: "segment of a log",
      verdict: "damaged",
      facts: { segment: 1 },
      problems: [{ offset: 70, text: "record 2: checksum mismatch" }, {}],
      sections: [{ title: "frames", rows: [{ offset: 32, record: 1 }], more: 0 }],
    });
  });
});

describe("what is none of ours", () => {
  test("has an exit code of its own", () => {
    const dir = temporaryDir();
    writeFileSync(join(dir, "notes"), "nothing of ours");
    writeFileSync(join(dir, "empty"), "");
    mkdirSync(join(dir, "folder"));
    for (const name of ["notes", "empty", "folder"]) {
      const { text, exitCode } = look(join(dir, name));
      expect(exitCode).toBe(2);
      expect(text).toBe(`DIR/${name}: not a log, table, manifest or engine of cairn`);
    }
  });

  test("a file that is not there is an error of the disk", () => {
    expect(() => look(join(temporaryDir(), "nothing"))).toThrow(/nothing/);
  });
});
