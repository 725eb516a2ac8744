/**
 * Checks of step 02.6: a map on the log of chapter 01 and the memtable.
 *
 * Method: reopening, power cuts and full disks on the simulated disk.
 */
import { type Check, expectThat } from "#learn";
import { createSimulatedDisk, isPowerCut } from "#platform";
import type { SimulatedDisk } from "#platform/types";
import { bytesOf, textOf } from "../model.ts";
import { callWith, contentOf, crashLab, DIR } from "./power.ts";
import type { DurableMap, Subject } from "./subject.ts";
import { shown } from "./tools.ts";

function open(subject: Subject, disk: SimulatedDisk): DurableMap {
  return subject.openDurableMap({ disk, dir: DIR });
}

/** What `get` gives, as a reader sees it. */
function got(map: DurableMap, key: string): string {
  const value = map.get(bytesOf(key));
  return value === undefined ? "nothing" : shown(textOf(value));
}

const comesBack: Check<Subject> = {
  name: "what was put, deleted and put again is there after reopening",
  kind: "unit",
  rule: "M7",
  async run(subject) {
    const disk = createSimulatedDisk();
    const map = open(subject, disk);
    await map.put(bytesOf("stays"), bytesOf("1"));
    await map.put(bytesOf("goes"), bytesOf("1"));
    await map.put(bytesOf("empty"), bytesOf(""));
    await map.delete(bytesOf("goes"));
    await map.put(bytesOf("stays"), bytesOf("2"));
    await map.close();
    const again = open(subject, disk);
    for (const [key, right] of [
      ["stays", '"2"'],
      ["goes", "nothing"],
      ["empty", '""'],
    ] as const) {
      const found = got(again, key);
      expectThat(found === right, () => ({
        happened: `Five changes were acknowledged, the map was closed and opened again. get(${shown(key)}) should give ${right}. Yours gave ${found}.`,
        why: "The memtable is gone with the process. All that it knew has to come back from the log, in the order in which it went in, deletions as well.",
        timeline: [
          'put    "stays" = "1"',
          'put    "goes" = "1"',
          'put    "empty" = ""',
          'delete "goes"',
          'put    "stays" = "2"',
          "close, open",
        ],
      }));
    }
    await again.close();
  },
};

const winsAfterReopening: Check<Subject> = {
  name: "a change after reopening wins over those before",
  kind: "mistake",
  rule: "M2",
  async run(subject) {
    const disk = createSimulatedDisk();
    for (let life = 1; life <= 3; life += 1) {
      const map = open(subject, disk);
      await changeOrTell(map, life);
      const found = got(map, "lives");
      expectThat(found === shown(`${life}`), () => ({
        happened: `A map was opened for the ${ORDINALS[life]} time, and "lives" was put with the value "${life}". get("lives") should give "${life}". Yours gave ${found}.`,
        why: "Sequences go on where the log ends. If they begin at 1 again with each opening, what is new looks older than what is there, and the customer's new address is answered with the old one.",
      }));
      await map.close();
    }
  },
};

const ORDINALS = ["", "first", "second", "third"];

async function changeOrTell(map: DurableMap, life: number): Promise<void> {
  try {
    await map.put(bytesOf("lives"), bytesOf(`${life}`));
  } catch (error) {
    expectThat(life === 1, () => ({
      happened: `A map was closed and opened again, and "lives", which was put before, was put once more. It should be acknowledged. Yours threw: ${error instanceof Error ? error.message : String(error)}`,
      why: "Sequences go on where the log ends. If they begin at 1 again with each opening, a new change comes with the number of an old one. After a restart, the map takes no changes of the keys that it has.",
    }));
    throw error;
  }
}

const acknowledgedIsDurable: Check<Subject> = {
  name: "acknowledged means that it survives power loss",
  kind: "crash",
  rule: "M7",
  async run(subject) {
    const disk = createSimulatedDisk();
    const map = open(subject, disk);
    await map.put(bytesOf("a"), bytesOf("1"));
    await map.put(bytesOf("b"), bytesOf("2".repeat(600)));
    await map.delete(bytesOf("a"));
    for (let seed = 1; seed <= 12; seed += 1) {
      const after = open(subject, disk.crash(seed));
      const [a, b] = [got(after, "a"), got(after, "b")];
      expectThat(a === "nothing" && b.length === 602, () => ({
        happened: `put("a"), put("b") and delete("a") were acknowledged, one after another. Then the power was cut (seed ${seed}). get("a") should give nothing, and get("b") its 600 bytes. Yours gave ${a}, and ${b === "nothing" ? b : `${b.length - 2} bytes`}.`,
        why: "append puts a record where a power cut takes it away. Only sync, or commit, which waits for a sync, makes it durable. Whoever was told `done` before that was told too early.",
        timeline: [
          'put    "a" = "1": acknowledged',
          'put    "b" = 600 bytes: acknowledged',
          'delete "a": acknowledged',
          "power cut, open",
        ],
      }));
    }
  },
};

const batchIsWhole: Check<Subject> = {
  name: "a batch is there whole or not at all",
  kind: "crash",
  rule: "M7",
  async run(subject) {
    for (let later = 0; later < 12; later += 1) {
      const disk = createSimulatedDisk();
      const map = open(subject, disk);
      await callWith(map, [
        ["from", "100"],
        ["to", "0"],
      ]);
      disk.cutPowerAt(disk.operations + later);
      let isAcknowledged = true;
      try {
        await callWith(map, [
          ["from", "0".repeat(600)],
          ["to", "1".repeat(600)],
        ]);
      } catch (error) {
        if (!isPowerCut(error)) throw error;
        isAcknowledged = false;
      }
      for (let seed = 1; seed <= 6; seed += 1) {
        const after = open(subject, disk.crash(seed));
        judgeBatch(after, { isAcknowledged, later, seed });
      }
      if (isAcknowledged) return;
    }
  },
};

function judgeBatch(
  map: DurableMap,
  at: { readonly isAcknowledged: boolean; readonly later: number; readonly seed: number },
): void {
  const lengths = ["from", "to"].map((key) => map.get(bytesOf(key))?.length ?? -1);
  const said = lengths.map((length) => (length === 600 ? "new" : length === -1 ? "gone" : "old"));
  const isWhole = said[0] === said[1] && said[0] !== "gone";
  const isRight = isWhole && (!at.isAcknowledged || said[0] === "new");
  expectThat(isRight, () => ({
    happened: `A batch gave new values to "from" and "to", and the power was cut ${at.later} disk operations into it (seed ${at.seed})${at.isAcknowledged ? ", after it was acknowledged" : ""}. Both should be ${at.isAcknowledged ? "new" : "old, or both new"}. In yours "from" is ${said[0]} and "to" is ${said[1]}.`,
    why: "The batch moves money from one account to another. Two records are two chances for the power to go between them. One record has one checksum: it is there, or it is not.",
  }));
}

const refusedIsNowhere: Check<Subject> = {
  name: "what the log refuses is not in the map",
  kind: "fault",
  rule: "M7",
  async run(subject) {
    const disk = createSimulatedDisk();
    const map = open(subject, disk);
    await map.put(bytesOf("balance"), bytesOf("100"));
    disk.plan({ operation: "write", fault: "ENOSPC", after: 0, times: 1000 });
    let outcome = "it was acknowledged";
    try {
      await map.put(bytesOf("balance"), bytesOf("900"));
    } catch {
      outcome = "it was refused";
    }
    expectThat(outcome === "it was refused", () => ({
      happened:
        'The disk was full. put("balance") of "900" should be rejected with the log\'s error. In yours it was acknowledged.',
      why: "The record is on no disk. After the next restart the balance is 100 again, and whoever was told 900 has spent it.",
    }));
    const found = got(map, "balance");
    expectThat(found === '"100"', () => ({
      happened: `"balance" was 100. The disk was full, the log refused a put of "900", and the caller was told so. get("balance") should still give "100". Yours gave ${found}.`,
      why: "The memtable had said yes before the log said no. A reader sees 900, acts on it, and after the restart it has never been. Log first, memtable second: then a refusal leaves nothing behind.",
      timeline: [
        'put "balance" = "100": acknowledged',
        "the disk is full",
        'put "balance" = "900": refused',
        `get "balance": ${found}`,
      ],
    }));
  },
};

const twiceIsOnce: Check<Subject> = {
  name: "replaying twice is replaying once",
  kind: "unit",
  rule: "M7",
  async run(subject) {
    const disk = createSimulatedDisk();
    const first = open(subject, disk);
    await first.put(bytesOf("apple"), bytesOf("1"));
    await callWith(first, [
      ["apple", null],
      ["pear", "2"],
      ["apple", "3"],
    ]);
    await first.close();
    const contents: string[] = [];
    for (let time = 0; time < 3; time += 1) {
      const map = open(subject, disk);
      contents.push([...contentOf(map)].map(([key, value]) => `${key} = ${value}`).join(", "));
      await map.close();
    }
    const [right, wrong] = [
      "apple = 3, pear = 2",
      contents.find((one) => one !== "apple = 3, pear = 2"),
    ];
    expectThat(wrong === undefined, () => ({
      happened: `A map with two acknowledged calls was opened and closed three times, and nothing was written. Each time it should hold ${right}. Yours once held ${wrong === "" ? "nothing" : wrong}.`,
      why: "Reopening has to change nothing. If replaying writes to the log again, or deletes what it has read, each restart is one more chance to lose something.",
    }));
  },
};

const callOrder: Check<Subject> = {
  name: "changes that are called at once take effect in call order",
  kind: "mistake",
  rule: "M2",
  async run(subject) {
    const disk = createSimulatedDisk();
    const map = open(subject, disk);
    const calls = ["one", "two", "three", "four"].map((value) =>
      map.put(bytesOf("key"), bytesOf(value)),
    );
    await Promise.all([
      ...calls,
      map.delete(bytesOf("other")),
      map.put(bytesOf("other"), bytesOf("5")),
    ]);
    const before = `${got(map, "key")} and ${got(map, "other")}`;
    await map.close();
    const again = open(subject, disk);
    const after = `${got(again, "key")} and ${got(again, "other")}`;
    const right = '"four" and "5"';
    expectThat(before === right && after === right, () => ({
      happened: `Four puts of "key" and a delete and a put of "other" were called without waiting between them. Then "key" and "other" should be ${right}, before and after reopening. In yours they were ${before} before, and ${after} after.`,
      why: "If the memtable takes changes in another order than the log, everybody sees one state until the restart, and another one from then on.",
    }));
  },
};

const buffersAgain: Check<Subject> = {
  name: "the caller's buffers may be used again before the answer comes",
  kind: "mistake",
  rule: "M4",
  async run(subject) {
    const disk = createSimulatedDisk();
    const map = open(subject, disk);
    const [key, value] = [bytesOf("aaa"), bytesOf("111")];
    const answer = map.put(key, value);
    key.set(bytesOf("bbb"));
    value.set(bytesOf("222"));
    await answer;
    const before = `aaa = ${got(map, "aaa")}, bbb = ${got(map, "bbb")}`;
    await map.close();
    const again = open(subject, disk);
    const after = `aaa = ${got(again, "aaa")}, bbb = ${got(again, "bbb")}`;
    const right = 'aaa = "111", bbb = nothing';
    expectThat(before === right && after === right, () => ({
      happened: `put("aaa" = "111") was called, and while it waited for the disk the caller wrote "bbb" and "222" over its two arrays. Then the map should say ${right}, before and after reopening. Yours said ${before} before, and ${after} after.`,
      why: "After an await the world has moved on. The log has copied the bytes as they were; what goes into the memtable must be those bytes, and not what the caller's arrays hold by now.",
      timeline: [
        'put "aaa" = "111": the log copies it, and waits for a sync',
        'the caller reads the next request into the same arrays: "bbb", "222"',
        "the sync is done: now the memtable gets its entry",
      ],
    }));
  },
};

const scanHasNoDeletions: Check<Subject> = {
  name: "a scan gives each key once, and none that was deleted",
  kind: "unit",
  rule: "M3",
  async run(subject) {
    const map = open(subject, createSimulatedDisk());
    for (const [key, value] of [
      ["c", "1"],
      ["a", "1"],
      ["c", "2"],
      ["b", "1"],
      ["b", null],
      ["d", ""],
      ["e", "1"],
    ] as const) {
      await callWith(map, [[key, value]]);
    }
    const texts = (range?: Parameters<DurableMap["scan"]>[0]): string =>
      [...map.scan(range)].map(({ key, value }) => `${textOf(key)}=${textOf(value)}`).join(" ");
    const [all, part] = [texts(), texts({ from: bytesOf("b"), before: bytesOf("e") })];
    expectThat(all === "a=1 c=2 d= e=1" && part === "c=2 d=", () => ({
      happened: `Seven changes were made; "c" was put twice, "b" was put and deleted. A scan of all should give a=1 c=2 d= e=1, and one from b, before e, should give c=2 d=. Yours gave ${all || "nothing"}, and ${part || "nothing"}.`,
      why: "The memtable keeps deletions and older versions for those who need them. Whoever scans a map wants what is there: each key once, with its newest value.",
    }));
    await map.close();
  },
};

const STRIDE = 3;

const allPoints: Check<Subject> = {
  name: "acknowledged changes survive power cuts all along the way",
  kind: "crash",
  rule: "M7",
  async run(subject, { seed }) {
    // The crash lab tries every point, and each several times.
    const points = await crashLab.points(subject);
    for (let point = seed % STRIDE; point <= points; point += STRIDE) {
      await crashLab.run(subject, { point, seed: seed * 1000 + point });
    }
  },
};

/** Step 02.6. */
export const durableChecks: readonly Check<Subject>[] = [
  comesBack,
  acknowledgedIsDurable,
  batchIsWhole,
  refusedIsNowhere,
  twiceIsOnce,
  winsAfterReopening,
  callOrder,
  buffersAgain,
  scanHasNoDeletions,
  allPoints,
];
