/**
 * Checks of step 02.5: the size, what may be forgotten, freezing, sharing.
 *
 * Method: loads with one kind of change; readers that come and go, against a model; writes to what
 * is frozen.
 */
import { type Check, expectThat, fail } from "#learn";
import type { Memtable, MemtableStructure } from "#memtable/types";
import { seededRandom } from "#platform";
import { forwards } from "../checks.ts";
import { bytesOf, linesOf } from "../model.ts";
import type { Subject } from "./subject.ts";
import { Recorded, STRUCTURES } from "./tools.ts";

const deletionsGrow: Check<Subject> = {
  name: "deletions alone make the table grow",
  kind: "unit",
  rule: "M5",
  run(subject) {
    for (const structure of STRUCTURES) {
      const table = subject.createMemtable({ structure });
      const before = table.approximateBytes();
      const count = 1000;
      for (let n = 1; n <= count; n += 1) table.delete(bytesOf(`key ${1000 + n}`), n);
      const grown = table.approximateBytes() - before;
      const least = count * "key 1000".length;
      expectThat(grown >= least, () => ({
        happened: `1,000 keys of 8 bytes were deleted in an empty table ("${structure}"). It holds their 8,000 bytes now, so its size should have grown by more than that. Yours grew by ${grown}.`,
        why: "The engine freezes a memtable when its size reaches a limit. A night of deletions that counts as nothing, or as less than nothing, never reaches it: the memory fills, no flush is due, and before dawn the process is killed.",
      }));
    }
  },
};

const KEY_BYTES = 16;
const VALUE_BYTES = 100;
/** More than any honest structure needs for one entry besides its key and value. */
const OVERHEAD_MAX = 256;

const sizeIsNear: Check<Subject> = {
  name: "the size is near what keys and values take",
  kind: "unit",
  rule: "M5",
  run(subject) {
    for (const structure of STRUCTURES) {
      const table = subject.createMemtable({ structure });
      const count = 2000;
      for (let n = 1; n <= count; n += 1) {
        const key = bytesOf(`${n * 7919}`.padStart(KEY_BYTES, "0"));
        table.put(key, new Uint8Array(VALUE_BYTES), n);
      }
      const found = table.approximateBytes() / count;
      const least = KEY_BYTES + VALUE_BYTES;
      expectThat(found >= least && found <= least + OVERHEAD_MAX, () => ({
        happened: `2,000 keys of 16 bytes were put with values of 100 ("${structure}"). That is 116 bytes each, and up to ${OVERHEAD_MAX} more for what holds them. Your approximateBytes() says ${found.toFixed(0)} each.`,
        why: "The number decides when the table is frozen. Half of the truth is twice the memory that the machine was given for it. Ten times the truth is a flush of many tiny tables, which compaction pays for.",
      }));
    }
  },
};

const everyKeyCounts: Check<Subject> = {
  name: "each new key adds at least its own bytes",
  kind: "unit",
  rule: "M5",
  run(subject) {
    for (const structure of STRUCTURES) {
      const table = subject.createMemtable({ structure });
      let last = table.approximateBytes();
      const loads: readonly (readonly [string, (key: string, n: number) => void])[] = [
        ["put, with a value of no bytes,", (key, n) => table.put(bytesOf(key), bytesOf(""), n)],
        [
          "put, with a value of 10 bytes,",
          (key, n) => table.put(bytesOf(key), new Uint8Array(10), n),
        ],
        ["deleted", (key, n) => table.delete(bytesOf(key), n)],
      ];
      for (let n = 1; n <= 300; n += 1) {
        const [kind, change] = loads[n % loads.length]!;
        const key = `key number ${1000 + n}`;
        change(key, n);
        const bytes = table.approximateBytes();
        expectThat(bytes >= last + key.length, () => ({
          happened: `A key of ${key.length} bytes that was not there yet was ${kind} ("${structure}"). The size should grow by ${key.length} at least. Yours went from ${last} to ${bytes}.`,
          why: "Keys take memory, whatever is said of them. An index of a million long keys with empty values is a load like any other.",
        }));
        last = bytes;
      }
    }
  },
};

const overwritesStay: Check<Subject> = {
  name: "overwriting what nobody reads does not make the table grow",
  kind: "mistake",
  rule: "M2",
  run(subject) {
    for (const structure of STRUCTURES) {
      const table = subject.createMemtable({ structure });
      table.put(bytesOf("counter"), new Uint8Array(100), 1, 0);
      const first = table.approximateBytes();
      for (let n = 2; n <= 3000; n += 1) {
        table.put(bytesOf("counter"), new Uint8Array(n % 101), n, 0);
      }
      const found = `${table.entries} ${table.entries === 1 ? "entry" : "entries"}, ${table.approximateBytes()} bytes`;
      expectThat(table.entries === 1 && table.approximateBytes() <= 4 * first, () => ({
        happened: `One key was put 3,000 times with newestReader 0: nobody reads at an older sequence. The table ("${structure}") should hold 1 entry in about ${first} bytes, as after the first put. Yours holds ${found}.`,
        why: "A counter that is raised a thousand times a second fills the memory with versions that no one can ever see, and each flush writes them all to disk. What is above newestReader, and is not the newest, may go.",
      }));
    }
  },
};

const readersKeepTheirs: Check<Subject> = {
  name: "a version that somebody may read is kept",
  kind: "model",
  rule: "M2",
  run(subject, { seed }) {
    for (const structure of STRUCTURES) {
      for (const newestReader of [1, 2]) standOn(subject, structure, newestReader);
      const random = seededRandom(seed);
      const recorded = new Recorded(subject, structure, () => random.fraction());
      const readers: number[] = [];
      const draw = (): string => `k${random.below(8)}`;
      for (let i = 0; i < 400; i += 1) {
        const kind = random.below(12);
        if (kind === 0) readers.push(recorded.sequence);
        else if (kind === 1 && readers.length > 0) readers.splice(random.below(readers.length), 1);
        else recorded.record(draw(), kind === 2 ? null : `v${i}`, Math.max(0, ...readers));
        const key = draw();
        recorded.compare(key, WHY_READERS);
        for (const at of readers) recorded.compare(key, WHY_READERS, at);
      }
    }
  },
};

const WHY_READERS =
  "newestReader is the highest sequence at which somebody reads. A version at or below it may be the one that this reader sees, so it stays, and so does what is older. Drop it, and a backup that is half way through misses the key.";

function standOn(subject: Subject, structure: MemtableStructure, newestReader: number): void {
  const recorded = new Recorded(subject, structure);
  recorded.record("price", "10");
  recorded.record("price", "12");
  recorded.record("price", "15", newestReader);
  recorded.record("price", null, newestReader);
  for (const at of [newestReader, 1, 4]) recorded.compare("price", WHY_READERS, at);
}

const countsAreRight: Check<Subject> = {
  name: "the counts say what a scan gives",
  kind: "model",
  rule: "M5",
  run(subject, { seed }) {
    for (const structure of STRUCTURES) {
      const random = seededRandom(seed);
      const recorded = new Recorded(subject, structure, () => random.fraction());
      compareCounts(recorded);
      for (let i = 0; i < 300; i += 1) {
        const newestReader =
          random.below(3) === 0 ? undefined : Math.max(0, recorded.sequence - 20);
        recorded.record(`k${random.below(40)}`, random.below(4) === 0 ? null : "v", newestReader);
        if (i % 10 === 0) compareCounts(recorded);
      }
    }
  },
};

function compareCounts({ table, model, sequence, structure }: Recorded): void {
  const kept = model.scan();
  const right = {
    entries: kept.length,
    deletions: kept.filter(({ value }) => value === null).length,
    sequenceMin: Math.min(...kept.map((version) => version.sequence), sequence),
    sequenceMax: sequence,
  };
  for (const name of ["entries", "deletions", "sequenceMin", "sequenceMax"] as const) {
    expectThat(table[name] === right[name], () => ({
      happened: `After ${sequence} changes of a table ("${structure}"), some of which replaced versions that nobody reads, ${name} should be ${right[name]}. Yours says ${table[name]}.`,
      why: "The engine asks these numbers and not the entries: whether there is anything to flush at all, how large the table on disk will be, which sequences it holds. A version that was replaced counts no more.",
    }));
  }
}

const frozenRefuses: Check<Subject> = {
  name: "a frozen table refuses every write, and answers as before",
  kind: "unit",
  rule: "M6",
  run(subject) {
    for (const structure of STRUCTURES) {
      const recorded = new Recorded(subject, structure);
      for (let n = 0; n < 50; n += 1) recorded.record(`k${n % 20}`, n % 5 === 0 ? null : `v${n}`);
      const { table } = recorded;
      const before = stateOf(table);
      table.freeze();
      table.freeze();
      const writes: readonly (readonly [string, () => void])[] = [
        ['put("k1")', () => table.put(bytesOf("k1"), bytesOf("late"), 99)],
        ['put("new")', () => table.put(bytesOf("new"), bytesOf("late"), 99)],
        ['delete("k2")', () => table.delete(bytesOf("k2"), 99)],
        ['delete("new")', () => table.delete(bytesOf("new"), 99, 0)],
      ];
      for (const [text, write] of writes) judgeRefused({ table, structure, before }, text, write);
    }
  },
};

const WHY_FROZEN =
  "The flush is under way, on another thread perhaps. A key that comes in now is in the index of the new table and not in its blocks, or in neither; and with the memtable it is dropped, acknowledged and gone.";

function judgeRefused(
  state: { readonly table: Memtable; readonly structure: string; readonly before: string },
  text: string,
  write: () => void,
): void {
  let refusal = "nothing";
  try {
    write();
  } catch (error) {
    refusal = error instanceof Error ? error.name : typeof error;
  }
  expectThat(refusal === "InvariantError", () => ({
    happened: `A table ("${state.structure}") was frozen, and then ${text} was called. It should throw an InvariantError: use assert from #base, since a write here is a bug of whoever calls. Yours threw ${refusal}.`,
    why: WHY_FROZEN,
  }));
  const after = stateOf(state.table);
  expectThat(after === state.before, () => ({
    happened: `A table ("${state.structure}") was frozen, and ${text} was refused. Its scan, counts and size should be what they were. Yours have changed.`,
    why: `The refusal came too late: something had been done before it. ${WHY_FROZEN}`,
  }));
}

/** All that a table says of itself. */
function stateOf(table: Memtable): string {
  const cursor = table.cursor();
  const lines = forwards(cursor);
  cursor.close();
  return `${lines}\n${table.entries} ${table.deletions} ${table.sequenceMax} ${table.approximateBytes()}`;
}

const sharedIsSame: Check<Subject> = {
  name: "a frozen table shares what it holds, or nothing",
  kind: "unit",
  rule: "M6",
  run(subject) {
    for (const structure of STRUCTURES) {
      const recorded = new Recorded(subject, structure);
      for (let n = 0; n < 60; n += 1) recorded.record(`k${n % 25}`, n % 7 === 0 ? null : `v${n}`);
      const { table } = recorded;
      if (!isRefused(() => table.share())) {
        fail({
          happened: `share() was called on a table ("${structure}") that is not frozen. It should throw an InvariantError. Yours answered.`,
          why: "Another thread would read memory that this one still writes. Both are right, each for itself, and what is written to disk is neither.",
        });
      }
      table.freeze();
      const shared = table.share();
      // Null is lawful: the engine then flushes on its own thread.
      if (shared === null) continue;
      const cursor = subject.openSharedMemtable(shared);
      const found = forwards(cursor);
      cursor.close();
      const right = linesOf(recorded.model.scan());
      expectThat(found === right, () => ({
        happened: `A frozen table ("${structure}") of 60 changes was shared. A cursor over what was shared should give the ${right.split("\n").length} versions that a scan gives. Yours gave ${found.split("\n").length}, or others.`,
        why: "The flush on the other thread writes what it is given. If you cannot share, return null: then the flush is done on this thread, later and correctly.",
      }));
    }
  },
};

function isRefused(call: () => unknown): boolean {
  try {
    call();
    return false;
  } catch (error) {
    return error instanceof Error && error.name === "InvariantError";
  }
}

/** Step 02.5. */
export const sizeChecks: readonly Check<Subject>[] = [
  deletionsGrow,
  everyKeyCounts,
  sizeIsNear,
  overwritesStay,
  readersKeepTheirs,
  countsAreRight,
  frozenRefuses,
  sharedIsSame,
];
