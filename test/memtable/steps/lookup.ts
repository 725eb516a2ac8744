/**
 * Checks of step 02.1: a memtable on a sorted array, and its three answers.
 *
 * Method: small tables with one wish each; random changes against a model.
 */
import type { Bytes } from "#base";
import { type Check, expectThat, fail } from "#learn";
import type { Memtable } from "#memtable/types";
import { seededRandom } from "#platform";
import { bytesOf, lookupText } from "../model.ts";
import type { Subject } from "./subject.ts";
import { answer, Recorded, shown } from "./tools.ts";

const threeAnswers: Check<Subject> = {
  name: "absent, deleted and a value of no bytes are three answers",
  kind: "unit",
  rule: "M1",
  run(subject) {
    const table = subject.createMemtable({ structure: "array" });
    table.put(bytesOf("empty"), bytesOf(""), 1);
    table.put(bytesOf("gone"), bytesOf("42"), 2);
    table.delete(bytesOf("gone"), 3);
    table.put(bytesOf("here"), bytesOf("42"), 4);
    const expected = { here: 'value "42"', empty: 'value ""', gone: "deleted", never: "absent" };
    for (const [key, right] of Object.entries(expected)) {
      const found = answer(table.get(bytesOf(key)));
      if (found === right) continue;
      fail({
        happened: `A table was given a value for "here", a value of no bytes for "empty", and a value and then a deletion for "gone". get(${shown(key)}) should answer ${right}. Yours answered ${found}.`,
        why: WHY_THREE[key]!,
        timeline: [
          'sequence 1: put    "empty" = ""',
          'sequence 2: put    "gone" = "42"',
          'sequence 3: delete "gone"',
          'sequence 4: put    "here" = "42"',
        ],
      });
    }
  },
};

const WHY_THREE: Readonly<Record<string, string>> = {
  here: "A value that was put must be found.",
  empty:
    "A value of no bytes is a value. Whoever stores a flag as an empty value finds it missing: in JavaScript a length of 0 is falsy, and `if (value)` is how it happens.",
  gone: "The engine asks older tables next when it hears `absent`. There the old value still lies: a deleted account is back, with its password.",
  never:
    "The engine stops at `deleted`, and does not ask the tables on disk. A key that lives only there would be lost to every reader.",
};

const deletingUnknown: Check<Subject> = {
  name: "deleting a key that was never here is recorded",
  kind: "unit",
  rule: "M1",
  run(subject) {
    const table = subject.createMemtable({ structure: "array" });
    table.put(bytesOf("a"), bytesOf("1"), 1);
    table.delete(bytesOf("b"), 2);
    const found = answer(table.get(bytesOf("b")));
    expectThat(found === "deleted", () => ({
      happened: `delete("b") was called on a table that has never seen "b". Then get("b") should answer deleted. Yours answered ${found}.`,
      why: "The table on disk from last week has a value for that key, and the memtable cannot know. Without a record of the deletion, the delete has done nothing: the next read finds last week's value.",
      timeline: [
        'last week : put "b" = "secret", flushed to a table on disk',
        'sequence 1: put    "a" = "1", into this memtable',
        'sequence 2: delete "b", into this memtable',
        `read "b"  : yours says ${found}, so the engine asks the table on disk: "secret"`,
      ],
    }));
  },
};

const comesBack: Check<Subject> = {
  name: "a key that was deleted can come back",
  kind: "unit",
  rule: "M2",
  run(subject) {
    const recorded = new Recorded(subject, "array");
    const why =
      "The newest version counts, whatever kind it is. A customer who left and came back would not be found.";
    for (const value of ["first", null, "second", null, null, ""]) {
      recorded.record("key", value);
      recorded.compare("key", why);
    }
  },
};

const newestWins: Check<Subject> = {
  name: "the newest version of a key wins, in whatever order keys come",
  kind: "model",
  rule: "M2",
  run(subject, { seed }) {
    const random = seededRandom(seed);
    const recorded = new Recorded(subject, "array");
    const draw = (): string => `k${random.below(300)}`;
    for (let i = 0; i < 1500; i += 1) {
      const kind = random.below(10);
      if (kind < 5) recorded.record(draw(), `v${i}`);
      else if (kind < 6) recorded.record(draw(), null);
      else recorded.compare(draw(), WHY_MODEL);
    }
    for (let i = 0; i < 300; i += 1) recorded.compare(`k${i}`, WHY_MODEL);
  },
};

const WHY_MODEL =
  "A naive model, a map of every change, was told the same. One key that is lost or mixed up with its neighbour is one customer who sees another one's order.";

const readerKeeps: Check<Subject> = {
  name: "a reader at a sequence sees what it saw",
  kind: "model",
  rule: "M2",
  run(subject, { seed }) {
    const why =
      "A report that began at that sequence is still running. If it sees a later change, its upper half and its lower half come from two different states, and its sum fits neither. If it misses an earlier one, it has lost data.";
    const price = new Recorded(subject, "array");
    for (const value of ["10", "12", null]) price.record("price", value);
    for (const at of [1, 2, 3, 9, 0]) price.compare("price", why, at);
    const random = seededRandom(seed);
    const recorded = new Recorded(subject, "array");
    for (let i = 0; i < 60; i += 1) {
      recorded.record(`k${random.below(4)}`, random.below(4) === 0 ? null : `${i}`);
    }
    for (let at = 0; at <= recorded.sequence + 1; at += 1) {
      for (const key of ["k0", "k1", "k2", "k3", "k4"]) recorded.compare(key, why, at);
    }
  },
};

const buffersAgain: Check<Subject> = {
  name: "the caller's buffers may be used again",
  kind: "mistake",
  rule: "M4",
  run(subject) {
    reuseBuffers(subject, "Uint8Array", [new Uint8Array(2), new Uint8Array(2)]);
    reuseBuffers(subject, "Buffer", [Buffer.alloc(2), Buffer.alloc(2)]);
  },
};

const BUFFER_SLICE =
  " These were Buffers, which are Uint8Arrays with one difference: `slice` of a Buffer is a view. `copyBytes` from #bytes copies both.";

function reuseBuffers(
  subject: Subject,
  kind: "Uint8Array" | "Buffer",
  [key, value]: readonly [Bytes, Bytes],
): void {
  const table = subject.createMemtable({ structure: "array" });
  for (let n = 0; n < 20; n += 1) {
    key.set([0x6b, 0x61 + n]);
    value.set([0x76, 0x61 + n]);
    table.put(key, value, n + 1);
  }
  for (let n = 0; n < 20; n += 1) {
    const letter = String.fromCharCode(0x61 + n);
    const found = answer(table.get(bytesOf(`k${letter}`)));
    const right = `value "v${letter}"`;
    if (found === right) continue;
    fail({
      happened: `One ${kind} for the key and one for the value were filled anew for each of 20 puts: "ka" = "va", "kb" = "vb" and so on to "kt" = "vt". get("k${letter}") should answer ${right}. Yours answered ${found}.`,
      why: `A server reads every request into the same buffer. A table that keeps the caller's array holds twenty entries with the last key or the last value, and the other nineteen are gone.${kind === "Buffer" ? BUFFER_SLICE : " `subarray` is a view as well; `copyBytes` from #bytes copies."}`,
    });
  }
}

const ownCopy: Check<Subject> = {
  name: "what a lookup hands out is the caller's own",
  kind: "mistake",
  rule: "M4",
  run(subject) {
    const table = subject.createMemtable({ structure: "array" });
    table.put(bytesOf("balance"), bytesOf("100"), 1);
    scribbleOn(table, "balance");
    const found = lookupText(table.get(bytesOf("balance")));
    expectThat(found === "value 100", () => ({
      happened: `get("balance") gave the value "100", and the caller wrote "###" over the bytes it had been given. Then get("balance") should still answer value "100". Yours answered value ${shown(found.slice("value ".length))}.`,
      why: "Somebody who decodes a value in place changes what everybody else reads, and what the flush will write to disk. No log has a record of that change. If you copied with `slice`: of a Buffer that is a view, and `copyBytes` may well give you a Buffer to keep.",
    }));
  },
};

function scribbleOn(table: Memtable, key: string): void {
  const lookup = table.get(bytesOf(key));
  if (lookup.kind === "value") lookup.value.fill(0x23);
}

const keysAreBytes: Check<Subject> = {
  name: "keys are bytes and not text",
  kind: "mistake",
  rule: "M2",
  run(subject) {
    // Neither byte is text in UTF-8: a decoder makes U+FFFD of both.
    const keys = ["\xfe", "\xff", "\xff\xff", "\0", "", "a", "a\0"];
    const table = subject.createMemtable({ structure: "array" });
    for (const [i, key] of keys.entries()) table.put(bytesOf(key), bytesOf(`v${i}`), i + 1);
    for (const [i, key] of keys.entries()) {
      const found = answer(table.get(bytesOf(key)));
      if (found === `value "v${i}"`) continue;
      const hex = [...bytesOf(key)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
      fail({
        happened: `Seven keys were put, among them fe, ff, ff ff, 00 and the key of no bytes, each with its own value. get of the key [${hex}] should answer value "v${i}". Yours answered ${found}.`,
        why: "A key may be a hash, a number or a picture. Decoded as text, all bytes that are no UTF-8 become the same U+FFFD, and one key's value is written over another's.",
        bytes: { title: "the key", bytes: bytesOf(key) },
      });
    }
  },
};

/** Step 02.1. */
export const lookupChecks: readonly Check<Subject>[] = [
  threeAnswers,
  deletingUnknown,
  comesBack,
  newestWins,
  readerKeeps,
  buffersAgain,
  ownCopy,
  keysAreBytes,
];
