/**
 * Entries, log records, messages, frames, hellos: what is written comes back, and no damage gets
 * through.
 *
 * Method: round trips, every prefix, every single-bit flip.
 */
import { describe, expect, test } from "vitest";
import type { AppendMessage, Message } from "#raft/types";
import {
  type Chunk,
  createConfiguration,
  createFrameReader,
  decodeConfiguration,
  decodeEntry,
  decodeHello,
  decodeLogRecord,
  decodeMessage,
  decodeNote,
  encodeConfiguration,
  encodeEntry,
  encodeHello,
  encodeLogRecord,
  encodeMessage,
  encodeNote,
  FRAME_HEADER_BYTES,
  frame,
  type LogRecord,
  sealEntry,
} from "#replica";
import { forEachSeed } from "../support/seeds.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const join = (parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

const members = ["c", "a", "b"].map((id) => ({
  id,
  address: `host-${id}:4002`,
  incarnation: `00000000000000${id.charCodeAt(0).toString(16)}`,
}));

describe("entries", () => {
  test("kind, time, seed and payload come back, and the seal can be written later", () => {
    const entry = encodeEntry("command", text("insert"));
    sealEntry(entry, { timeMs: 1_700_000_000_123, seed: 0xffff_ffff_ffff_fffen });
    expect(decodeEntry(entry)).toEqual({
      kind: "command",
      timeMs: 1_700_000_000_123,
      seed: 0xffff_ffff_ffff_fffen,
      payload: text("insert"),
    });
  });

  test("zeros, unknown kinds and short entries are refused", () => {
    for (const bad of [new Uint8Array(17), bytes(9, ...new Uint8Array(16)), bytes(1), bytes()]) {
      expect(() => decodeEntry(bad)).toThrowError(
        expect.objectContaining({ code: "BYTES_MALFORMED" }),
      );
    }
  });
});

describe("configurations", () => {
  test("in whatever order members were heard of, bytes and cluster id are the same", () => {
    const one = createConfiguration(members);
    const other = createConfiguration([...members].reverse());
    expect(encodeConfiguration(one)).toEqual(encodeConfiguration(other));
    expect(one.members.map(({ number, id }) => [number, id])).toEqual([
      [1, "a"],
      [2, "b"],
      [3, "c"],
    ]);
    expect(decodeConfiguration(encodeConfiguration(one))).toEqual(one);
  });

  test("another incarnation makes another cluster", () => {
    const wiped = members.map((m) =>
      m.id === "a" ? { ...m, incarnation: "ffffffffffffffff" } : m,
    );
    expect(createConfiguration(wiped).clusterId).not.toBe(createConfiguration(members).clusterId);
  });

  test("two members with one id or one address are refused", () => {
    const twin = { id: "a", address: "elsewhere:1", incarnation: "0" };
    expect(() => createConfiguration([...members, twin])).toThrowError(/share the id a/);
    expect(() =>
      createConfiguration([...members, { ...twin, id: "d", address: "host-a:4002" }]),
    ).toThrowError(/share the address/);
  });
});

describe("log records", () => {
  const records: LogRecord[] = [
    { type: "entry", term: 7, index: 2 ** 40, bytes: bytes(1, 2, 3) },
    { type: "entry", term: 1, index: 1, bytes: bytes() },
    { type: "hardState", hardState: { term: 2 ** 53 - 1, vote: 3 } },
    { type: "truncate", from: 12 },
    ...(["compaction", "reset", "recovery"] as const).map((why) => ({
      type: "start" as const,
      why,
      compactedIndex: 100,
      compactedTerm: 4,
      hardState: { term: 5, vote: 0 },
      copy: why === "reset" ? 2 ** 51 + 3 : 0,
      configuration: { index: 90, configuration: createConfiguration(members) },
    })),
  ];

  test.each(records)("a record of type $type comes back", (record) => {
    expect(decodeLogRecord(encodeLogRecord(record))).toEqual(record);
  });

  test("a base record of the first format is read as a compaction", () => {
    const configuration = createConfiguration(members);
    const { clusterId, members: named } = configuration;
    const old = text(JSON.stringify({ clusterId, members: named }));
    const record = new Uint8Array(29 + old.length);
    record.set([4, 100, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 2]);
    record.set(old, 29);
    expect(decodeLogRecord(record)).toEqual({
      ...{ type: "start", why: "compaction", compactedIndex: 100, compactedTerm: 4, copy: 0 },
      hardState: { term: 5, vote: 2 },
      configuration: { index: 1, configuration },
    });
  });

  test("log records of random bytes are read or refused by code", () => {
    forEachSeed(3000, (_, random) => {
      const record = random.bytes(1 + random.below(120));
      record[0] = random.below(7);
      try {
        decodeLogRecord(record);
      } catch (error) {
        expect(error).toMatchObject({ code: "BYTES_MALFORMED" });
      }
    });
  });

  test("a record of an unknown type or the wrong length is refused, not guessed", () => {
    for (const bad of [bytes(), bytes(0), bytes(6, 1, 2), bytes(2, 1), bytes(3), bytes(1, 0)]) {
      expect(() => decodeLogRecord(bad)).toThrowError(
        expect.objectContaining({ code: "BYTES_MALFORMED" }),
      );
    }
  });
});

describe("messages", () => {
  const entries = [text("one"), new Uint8Array(0), text("three")];
  const messages: Message[] = [
    {
      kind: "vote",
      term: 9,
      lastIndex: 2 ** 33,
      lastTerm: 8,
      pre: true,
      transfer: false,
      attempt: 4,
    },
    { kind: "voteReply", term: 9, granted: true, pre: false, attempt: 4, removedAt: 0 },
    {
      kind: "append",
      term: 9,
      prevIndex: 41,
      prevTerm: 8,
      sizes: entries.map((entry) => entry.length),
      runs: [
        { first: 42, term: 8 },
        { first: 44, term: 9 },
      ],
      configurations: [],
      commit: 41,
      session: 0,
      round: 77,
    },
    {
      kind: "append",
      term: 1,
      prevIndex: 0,
      prevTerm: 0,
      sizes: [],
      runs: [],
      configurations: [],
      commit: 0,
      session: 0,
      round: 1,
    },
    {
      kind: "appendReply",
      term: 9,
      ok: false,
      match: 0,
      rejected: 41,
      hintIndex: 30,
      hintTerm: 2,
      session: 0,
      round: 77,
      freeBytes: Number.MAX_SAFE_INTEGER,
    },
    { kind: "timeoutNow", term: 9 },
    {
      ...{ kind: "snapshot", term: 9, session: 3, index: 900, indexTerm: 8 },
      configuration: { index: 700, sets: createConfiguration(members).sets },
      ...{ copy: 2 ** 52 - 1, offset: 4096, bytes: 5, totalBytes: 2 ** 40 },
    },
    { kind: "snapshotReply", term: 9, session: 3, index: 900, copy: 7, nextOffset: 4101 },
    { kind: "read", term: 9, request: 2 ** 40 + 3 },
    { kind: "readReply", term: 9, request: 2 ** 40 + 3, index: 0 },
    { kind: "vote", term: 1, lastIndex: 0, lastTerm: 0, pre: false, transfer: true, attempt: 1 },
    { kind: "voteReply", term: 1, granted: false, pre: true, attempt: 1, removedAt: 55 },
  ];
  const chunk: Chunk = {
    ...{ bytes: bytes(1, 2, 3, 4, 5), checksum: 77, fileChecksum: 0xffff_fffe },
    configuration: createConfiguration(members),
  };
  const encoded = (message: Message): Uint8Array => {
    const sent = message.kind === "append" && message.sizes.length > 0 ? entries : [];
    const extra = message.kind === "snapshot" ? { chunk } : {};
    return join(encodeMessage(message, { entries: sent, compactTo: 40, ...extra }));
  };

  test.each(messages)(
    "a $kind comes back, with its entries and the advice to compact",
    (message) => {
      const decoded = decodeMessage(encoded(message));
      expect(decoded.message).toEqual(message);
      if (message.kind === "append") {
        expect(decoded.compactTo).toBe(40);
        expect(decoded.entries).toEqual(message.sizes.length > 0 ? entries : []);
      }
      expect(decoded.chunk).toEqual(message.kind === "snapshot" ? chunk : undefined);
    },
  );

  test.each(messages)("every prefix and every excess of a $kind is refused", (message) => {
    const whole = encoded(message);
    const damaged = Array.from({ length: whole.length }, (_, end) => whole.subarray(0, end));
    damaged.push(join([whole, bytes(0)]));
    for (const body of damaged) {
      expect(() => decodeMessage(body)).toThrowError(
        expect.objectContaining({ code: "REPLICA_FRAME_CORRUPT" }),
      );
    }
  });

  test("which entries are configurations stands in their bytes, unless of an older epoch", () => {
    const present = createConfiguration(members);
    const next = { ...present, sets: { ...present.sets, voters: [1], learners: [2, 3] } };
    const sent = [
      encodeEntry("configuration", encodeConfiguration(present)),
      encodeEntry("noop", bytes()),
      encodeEntry("configuration", encodeConfiguration({ ...next, epoch: 1 })),
      encodeEntry("configuration", encodeConfiguration(present)),
    ];
    const append = { ...(messages[2] as AppendMessage), sizes: [1, 0, 1, 1] };
    const body = join(encodeMessage(append, { entries: sent, compactTo: 0 }));
    const indexesFrom = (epoch: number): number[] => {
      const { message } = decodeMessage(body, epoch);
      if (message.kind !== "append") throw new Error("an append");
      return message.configurations.map(({ index }) => index);
    };
    // The last one is of an older epoch than the one before it.
    expect(indexesFrom(0)).toEqual([42, 44]);
    expect(indexesFrom(1)).toEqual([44]);
    expect(indexesFrom(2)).toEqual([]);
  });

  test("an entry that claims to be a configuration and is none is a bad frame", () => {
    const sent = [encodeEntry("configuration", text("{}"))];
    const append = {
      ...(messages[2] as AppendMessage),
      sizes: [1],
      runs: [{ first: 42, term: 8 }],
    };
    expect(() =>
      decodeMessage(join(encodeMessage(append, { entries: sent, compactTo: 0 }))),
    ).toThrow(expect.objectContaining({ code: "REPLICA_FRAME_CORRUPT" }));
  });

  test("N08 random bytes are a message or a bad frame, never another error", () => {
    forEachSeed(3000, (_, random) => {
      const body = random.bytes(1 + random.below(120));
      // Most are of a known type: the rest of the decoder is what is looked at.
      if (random.below(4) > 0) body[0] = random.below(12);
      try {
        decodeMessage(body);
      } catch (error) {
        expect(error).toMatchObject({ code: "REPLICA_FRAME_CORRUPT" });
      }
    });
  });

  test("N08 a message with any byte changed is a message or a bad frame", () => {
    for (const message of messages) {
      const whole = encoded(message);
      for (let at = 0; at < whole.length; at += 1) {
        const changed = whole.slice();
        changed[at] = (changed[at] ?? 0) ^ (1 + ((at * 37) % 255));
        try {
          decodeMessage(changed);
        } catch (error) {
          expect(error).toMatchObject({ code: "REPLICA_FRAME_CORRUPT" });
        }
      }
    }
  });

  test("notes come back, and are told from messages", () => {
    for (const kind of ["digest", "verdict"] as const) {
      const note = { kind, index: 2 ** 40, digest: bytes(9, 8, 7) };
      const body = join(encodeNote(note));
      expect(decodeNote(body)).toEqual(note);
      for (let end = 1; end < 10; end += 1) {
        expect(() => decodeNote(body.subarray(0, end))).toThrowError(
          expect.objectContaining({ code: "REPLICA_FRAME_CORRUPT" }),
        );
      }
    }
    for (const message of messages) expect(decodeNote(encoded(message))).toBeUndefined();
  });

  test("a count of four billion entries is refused without being believed", () => {
    const body = encoded(messages[3] as Message);
    new DataView(body.buffer).setUint32(57, 0xffff_ffff, true);
    expect(() => decodeMessage(body)).toThrowError(/ends \d+ bytes early/);
  });
});

describe("frames", () => {
  const bodies = [text("x"), text("a longer body ".repeat(20)), bytes(0, 0, 0, 0)];
  const stream = join(bodies.flatMap((body) => frame([body])));

  test("bodies come back whatever the size of the chunks", () => {
    for (let size = 1; size <= stream.length; size += 1) {
      const reader = createFrameReader();
      const received: Uint8Array[] = [];
      for (let at = 0; at < stream.length; at += size) {
        reader.push(stream.subarray(at, at + size), (body) => received.push(body.slice()));
      }
      expect(received).toEqual(bodies);
    }
  });

  test("N10: no flipped bit gets through: the frame is refused or still waited for", () => {
    const whole = join(frame([text("vote for me")]));
    for (let bit = 0; bit < whole.length * 8; bit += 1) {
      const damaged = whole.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const push = (): void =>
        createFrameReader().push(damaged, () => {
          throw new Error(`bit ${bit}: a damaged body was handed out`);
        });
      expect(push).toThrowError(expect.objectContaining({ code: "REPLICA_FRAME_CORRUPT" }));
    }
  });

  test("N10: an oversized length with an honest checksum is refused unallocated", () => {
    const header = new Uint8Array(FRAME_HEADER_BYTES);
    new DataView(header.buffer).setUint32(0, 0xffff_ffff, true);
    expect(() => createFrameReader().push(header, () => undefined)).toThrowError(
      expect.objectContaining({ code: "REPLICA_FRAME_CORRUPT" }),
    );
  });
});

describe("hellos", () => {
  test("a hello comes back; another version or protocol is refused", () => {
    const who = { purpose: "raft", clusterId: "c", epoch: 3, from: 1, to: 2 } as const;
    const hello = { ...who, incarnation: "i", address: "a:1", lane: "bulk" } as const;
    expect(decodeHello(encodeHello(hello))).toEqual(hello);
    expect(decodeHello(encodeHello({ purpose: "rpc" }))).toEqual({ purpose: "rpc" });
    for (const bad of [
      '{"protocol":"cairn","version":1,"purpose":"rpc"}',
      '{"protocol":"cairn","version":2,"purpose":"raft","clusterId":"c","from":1,"to":2}',
      "GET / HTTP/1.1",
      "{}",
    ]) {
      expect(() => decodeHello(text(bad))).toThrowError(
        expect.objectContaining({ code: "REPLICA_FRAME_CORRUPT" }),
      );
    }
  });
});
