/**
 * Step 04.7: when a version may die, and a deletion too. Method: what each reader sees is worked
 * out before and after, by brute force; then whole compactions of deletions.
 */
import type { Sequence } from "#base";
import { type Check, type CheckContext, expectThat, fail, type Step } from "#learn";
import type { KeySpan } from "#lsm";
import { createSimulatedDisk, seededRandom } from "#platform";
import type { Random } from "#platform/types";
import type { KeyVersion, LsmSubject } from "./subject.ts";
import { compactAll, createTestIo, deletions, values, writeTable } from "./tables.ts";
import { b, count, shown } from "./words.ts";

type KeepCheck = Check<LsmSubject>;

/** `put@5`, `delete@9`: one version, for people. */
function versionText({ sequence, isDeletion }: KeyVersion): string {
  return `${isDeletion ? "delete" : "put"}@${sequence}`;
}

function versionsText(versions: readonly KeyVersion[]): string {
  return versions.map(versionText).join(" ") || "nothing";
}

/** Negative numbers are deletions. */
function versionsOf(...sequences: readonly number[]): KeyVersion[] {
  return sequences.map((sequence) => ({
    sequence: Math.abs(sequence),
    isDeletion: sequence < 0,
  }));
}

function span(smallest: string, largest: string): KeySpan {
  return { smallest: b(smallest), largest: b(largest) };
}

const olderMayHold: KeepCheck = {
  name: "a deletion stays while an older table may hold its key",
  kind: "mistake",
  rule: "L5",
  run(subject) {
    const older = [span("x", "z"), span("anna", "bert"), span("l", "m")];
    for (const key of ["anna", "anton", "bert", "m"]) {
      const rule = subject.createKeepRule([], older);
      const stay = rule.survivors(b(key), versionsOf(-9, 4));
      const kept = versionsText(stay);
      expectThat(kept === "delete@9", () => ({
        happened: `The job holds delete@9 and put@4 of "${key}". Older tables, not part of the job, reach from "x" to "z", from "anna" to "bert" and from "l" to "m", both ends included. The deletion must stay, alone. Your rule kept ${kept}.`,
        why: stay.some(({ isDeletion }) => isDeletion)
          ? "put@4 lies behind the deletion, and no reader can see it. It is written again and again for nobody."
          : `"${key}" may have an older value down there. Without the deletion nothing hides it: the closed account is open again, with its password.`,
        timeline: olderLines(older),
      }));
    }
  },
};

function olderLines(older: readonly KeySpan[]): string[] {
  return [
    "in this job   delete@9 put@4",
    ...older.map(
      ({ smallest, largest }) => `older table   ${shown(smallest)} to ${shown(largest)}`,
    ),
  ];
}

const dropsAtTheBottom: KeepCheck = {
  name: "a deletion goes when nothing older can hold its key",
  kind: "unit",
  rule: "L5",
  run(subject) {
    const older = [span("a", "c"), span("m", "z")];
    for (const [key, spans] of [
      ["h", []],
      ["h", older],
      ["cc", older],
    ] as const) {
      const stay = subject.createKeepRule([], spans).survivors(b(key), versionsOf(-9, 4, -2));
      expectThat(stay.length === 0, () => ({
        happened: `The job holds delete@9, put@4 and delete@2 of "${key}". ${spans.length === 0 ? "There is no older table" : 'Older tables reach from "a" to "c" and from "m" to "z": neither can hold it'}. Nobody reads at an older sequence, so nothing of the key need stay. Your rule kept ${versionsText(stay)}.`,
        why: "A deletion that hides nothing costs a look and some bytes for ever. A queue built on such a store gets slower with each job that it has done.",
      }));
    }
  },
};

const anyKey: KeepCheck = {
  name: "where any older table may be, every deletion stays",
  kind: "unit",
  rule: "L5",
  run(subject) {
    const kept = versionsText(
      subject.createKeepRule([], null).survivors(b("k"), versionsOf(-9, 4)),
    );
    expectThat(kept === "delete@9", () => ({
      happened: `older is null: any key may have older versions. Of delete@9 and put@4, the deletion must stay. Your rule kept ${kept}.`,
      why: "A flush knows nothing of the tables below. A deletion that it drops was never made, as far as they are concerned.",
    }));
  },
};

const snapshots: KeepCheck = {
  name: "what a snapshot sees stays, and what nobody sees goes",
  kind: "unit",
  rule: "L5",
  run(subject) {
    const cases: readonly [versions: number[], snapshots: Sequence[], expected: string][] = [
      [[9, 7, 5, 3], [], "put@9"],
      [[9, 7, 5, 3], [6], "put@9 put@5"],
      [[9, 7, 5, 3], [3, 4, 7], "put@9 put@7 put@3"],
      [[9, 7, 5, 3], [2], "put@9"],
      [[-9, 5], [6], "delete@9 put@5"],
      [[9, -5, 3], [6], "put@9"],
      [[9, -5, 3], [4, 6], "put@9 delete@5 put@3"],
    ];
    for (const [sequences, readers, expected] of cases) {
      const given = versionsOf(...sequences);
      const kept = versionsText(subject.createKeepRule(readers, []).survivors(b("k"), given));
      if (kept === expected) continue;
      const who = readers.length === 0 ? "nobody" : `readers at ${readers.join(", ")}`;
      fail({
        happened: `One key has the versions ${versionsText(given)}, there is no older table, and besides "now" there are ${who}. ${expected} must stay and is enough. Your rule kept ${kept}.`,
        why: "A report that began an hour ago reads at its own sequence. What it still sees must stay; what no reader can reach any more only costs bytes.",
        timeline: [...readers, Number.POSITIVE_INFINITY].map((reader) => {
          const seen = given.find(({ sequence }) => sequence <= reader);
          const name = reader === Number.POSITIVE_INFINITY ? "now" : `snapshot ${reader}`;
          return `${name.padEnd(12)} sees ${seen === undefined ? "nothing" : versionText(seen)}`;
        }),
      });
    }
  },
};

function randomCase(random: Random): { versions: KeyVersion[]; readers: Sequence[] } {
  const versions: KeyVersion[] = [];
  const readers: Sequence[] = [];
  for (let sequence = 16; sequence > 0; sequence -= 1) {
    if (versions.length < 6 && random.below(3) === 0) {
      versions.push({ sequence, isDeletion: random.below(2) === 0 });
    }
    if (random.below(5) === 0) readers.unshift(sequence);
  }
  if (versions.length === 0) versions.push({ sequence: 1, isDeletion: random.below(2) === 0 });
  return { versions, readers };
}

/** What a reader sees: a value's sequence; `below`: it has to look in older tables. */
function seenAt(
  versions: readonly KeyVersion[],
  reader: Sequence,
  mayBeOlder: boolean,
): number | "nothing" | "below" {
  const seen = versions.find(({ sequence }) => sequence <= reader);
  if (seen === undefined) return mayBeOlder ? "below" : "nothing";
  return seen.isDeletion ? "nothing" : seen.sequence;
}

const everyReader: KeepCheck = {
  name: "every reader sees the same before and after",
  kind: "model",
  rule: "L5",
  run(subject, { seed }) {
    for (let round = 0; round < 600; round += 1) {
      const random = seededRandom(seed * 1000 + round);
      const { versions, readers } = randomCase(random);
      const mayBeOlder = random.below(2) === 0;
      const older = mayBeOlder ? [span("a", "z")] : [span("a", "c")];
      const stay = subject.createKeepRule(readers, older).survivors(b("key"), versions);
      for (const reader of [...readers, Number.POSITIVE_INFINITY]) {
        const before = seenAt(versions, reader, mayBeOlder);
        const after = seenAt(stay, reader, mayBeOlder);
        if (before === after) continue;
        const name = reader === Number.POSITIVE_INFINITY ? "now" : `the snapshot ${reader}`;
        fail({
          happened: `One key has the versions ${versionsText(versions)}; ${mayBeOlder ? "an older table may hold more" : "no older table can hold it"}; snapshots are at ${readers.join(", ") || "none"}. Your rule kept ${versionsText(stay)}. A reader at ${name} saw ${seenText(before)} before, and sees ${seenText(after)} after.`,
          why: "A compaction is housekeeping. Nobody who reads may be able to tell that it has been there.",
        });
      }
    }
  },
};

function seenText(seen: number | "nothing" | "below"): string {
  if (seen === "below") return "whatever older tables say";
  return seen === "nothing" ? "no value" : `put@${seen}`;
}

const nothingRemains: KeepCheck = {
  name: "after a full compaction of deleted data, no entry remains",
  kind: "property",
  rule: "L5",
  run(subject, context) {
    const { tables, entriesDropped } = compactDeleted(subject, context, []);
    const left = tables.reduce((sum, { entries }) => sum + entries, 0);
    expectThat(left === 0 && tables.length === 0, () => ({
      happened: `200 keys were written and all of them deleted. A compaction merged everything into the deepest level, with no snapshot open. Nothing need be left; your runCompaction wrote ${count(tables.length, "table")} with ${left} entries, and dropped ${entriesDropped}.`,
      why: "Space that was freed never comes back. A table of nothing but deletions makes each scan over it slow, for ever.",
    }));
  },
};

const hidesBelow: KeepCheck = {
  name: "a compaction above an older table keeps what it hides",
  kind: "mistake",
  rule: "L5",
  run(subject, context) {
    const { tables } = compactDeleted(subject, context, [span("key 000", "key 199")]);
    const kept = tables.reduce((sum, table) => sum + table.deletions, 0);
    expectThat(kept === 200, () => ({
      happened: `200 keys were deleted, and the deletions were compacted while a table in a deeper level still covers the keys. All 200 deletions must be in the outputs; ${kept} are.`,
      why: "The older table holds the values. Each deletion that is missing brings one of them back.",
      timeline: [
        "level 0   delete key 000 … key 199",
        "level 1   put    key 000 … key 199",
        "level 2   an older table, key 000 … key 199: not part of the job",
      ],
    }));
  },
};

function compactDeleted(subject: LsmSubject, _: CheckContext, older: readonly KeySpan[]) {
  const io = createTestIo(createSimulatedDisk());
  const old = writeTable(io, values(200, 1));
  const young = writeTable(io, deletions(200, 1000));
  try {
    return compactAll(subject, io, { newestFirst: [[young], [old]], older });
  } finally {
    io.close();
  }
}

/** The step. */
export const keeping: Step<LsmSubject> = {
  id: "04.7",
  checks: [
    olderMayHold,
    dropsAtTheBottom,
    anyKey,
    snapshots,
    everyReader,
    nothingRemains,
    hidesBelow,
  ],
};
